/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static unsigned hundredths(double mass)
{
	return (unsigned)lround(mass * 100);
}

static bool is_between_steps(double mass)
{
	return fabs(mass * 100 - (double)lround(mass * 100)) > 1e-6;
}

static bool is_sweep(const struct assay_settings *s)
{
	return strcmp(assay_text(s, "mode"), "sweep") == 0;
}

/* --- contradictions --------------------------------------------------------------------------- */

/* The receiver of contradictions: a check, or the explanation of a slot, or none. */
struct judge {
	struct assay_check *out;
	struct assay_instrument *ins;
	unsigned count;
};

static void note(struct judge *judge, bool is_wrong, const char *setting, const char *text)
{
	if (is_wrong && judge->out != NULL)
		assay_check_error(judge->out, setting, "%s", text);
	if (is_wrong && judge->ins != NULL)
		assay_explain(judge->ins, "%s", text);
	judge->count += is_wrong;
}

static void judge_sweep(const struct assay_settings *s, struct judge *judge)
{
	double first = assay_number(s, "mass_first"), last = assay_number(s, "mass_last");
	unsigned per_u = (unsigned)assay_int(s, "points_per_amu");
	note(judge, first > last, "mass_first", "mass_first is above mass_last");
	note(judge, is_between_steps(first), "mass_first", "masses have steps of 0.01 u");
	note(judge, is_between_steps(last), "mass_last", "masses have steps of 0.01 u");
	note(judge, 100 % per_u != 0, "points_per_amu",
		"points_per_amu is 1, 2, 4, 5, 10, 20, 25, 50 or 100: it divides 100");
	note(judge, last > first && (hundredths(last) - hundredths(first)) * per_u % 100 != 0,
		"mass_last",
		"from mass_first to mass_last is no whole number of steps of 1 / points_per_amu");
}

static void judge_ions(const struct assay_settings *s, struct judge *judge)
{
	size_t n = assay_count(s, "sim_ions");
	bool is_falling = false, is_between = false;
	for (size_t i = 0; i < n; i++) {
		is_falling = is_falling || (i > 0 && plan_ion(s, i) <= plan_ion(s, i - 1));
		is_between = is_between || is_between_steps(assay_number_at(s, "sim_ions", i));
	}
	note(judge, n == 0 || n > IONS_MAX, "sim_ions",
		"mode single needs sim_ions, 1 to 100 masses");
	note(judge, is_falling, "sim_ions", "sim_ions: write the masses in rising order");
	note(judge, is_between, "sim_ions", "masses have steps of 0.01 u");
}

static unsigned judge_all(const struct assay_settings *s, struct judge judge)
{
	double ms = assay_number(s, "dwell_time");
	long whole = lround(ms);
	bool is_power = (whole & (whole - 1)) == 0;
	if (is_sweep(s))
		judge_sweep(s, &judge);
	else
		judge_ions(s, &judge);
	note(&judge, fabs(ms - (double)whole) > 1e-6 || !(is_power || whole == 48), "dwell_time",
		"dwell_time is 1, 2, 4 ... 16384 or 48 ms");
	note(&judge,
		assay_flag(s, "multiplier") && assay_has(s, "emission") &&
			!assay_flag(s, "emission"),
		"multiplier", "the multiplier cannot be on without the emission");
	return judge.count;
}

int plan_refuse(struct assay_instrument *ins)
{
	return judge_all(ins->settings, (struct judge){.ins = ins}) > 0 ? -EINVAL : 0;
}

void plan_check(const struct assay_settings *s, struct assay_check *out)
{
	judge_all(s, (struct judge){.out = out});
	if (assay_flag(s, "multiplier") && !assay_has(s, "emission"))
		assay_check_warn(out, "multiplier",
			"the instrument refuses the multiplier while the emission is off, and "
			"`emission` does not switch it on");
}

/* --- the plan --------------------------------------------------------------------------------- */

bool plan_read(const struct assay_settings *s, struct plan *out)
{
	if (judge_all(s, (struct judge){NULL}) > 0)
		return false;
	*out = (struct plan){
		.is_sweep = is_sweep(s),
		.has_total = strcmp(assay_text(s, "total_pressure"), "none") != 0,
		.first = hundredths(assay_number(s, "mass_first")),
		.last = hundredths(assay_number(s, "mass_last")),
		.per_u = (unsigned)assay_int(s, "points_per_amu"),
		.ions = assay_count(s, "sim_ions"),
		.dwell_ms = (unsigned)lround(assay_number(s, "dwell_time")),
	};
	/* 0 to 30 u with 4 points per u: 121 points (confirmed by a real reply). */
	out->points = out->is_sweep ? 1 + (size_t)(out->last - out->first) * out->per_u / 100
				    : out->ions;
	out->points += out->has_total;
	return true;
}

unsigned plan_ion(const struct assay_settings *s, size_t i)
{
	return hundredths(assay_number_at(s, "sim_ions", i));
}

unsigned plan_channels(const struct plan *plan)
{
	return (plan->is_sweep ? 1 : (unsigned)plan->ions) + plan->has_total;
}

/* Without a fraction where there is none, as in the vendor's examples. */
static void put_mass(char text[16], unsigned mass)
{
	if (mass % 100 == 0)
		snprintf(text, 16, "%u", mass / 100);
	else
		snprintf(text, 16, "%u.%02u", mass / 100, mass % 100);
}

void plan_channel(const struct plan *plan, const struct assay_settings *s, unsigned channel,
	char *text, size_t size)
{
	char first[16], last[16];
	if (plan->has_total && channel == plan_channels(plan)) {
		snprintf(text, size, "channelMode=TotalPressure&enabled=True");
		return;
	}
	put_mass(first, plan->is_sweep ? plan->first : plan_ion(s, channel - 1));
	put_mass(last, plan->last);
	if (plan->is_sweep)
		snprintf(text, size,
			"channelMode=Sweep&startMass=%s&stopMass=%s&dwell=%u&ppamu=%u&enabled=True",
			first, last, plan->dwell_ms, plan->per_u);
	else
		snprintf(text, size,
			"channelMode=Single&startMass=%s&dwell=%u&ppamu=1&enabled=True", first,
			plan->dwell_ms);
}

uint64_t plan_scan_ms(const struct plan *plan)
{
	return (uint64_t)plan->points * plan->dwell_ms;
}

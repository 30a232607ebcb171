/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct plan_mapping plan_general[] = {
	{"channels", "MCAC", PLAN_INTEGER, 0, false},
	{"peaking_time", "TPEA", PLAN_NUMBER, 3, false},
	{"flat_top", "TFLA", PLAN_NUMBER, 3, false},
	{"fast_peaking_time", "TPFA", PLAN_NUMBER, 0, false},
	{"gain", "GAIN", PLAN_NUMBER, 4, false},
	{"slow_threshold", "THSL", PLAN_NUMBER, 3, false},
	{"fast_threshold", "THFA", PLAN_NUMBER, 2, false},
	{"low_discriminator", "TLLD", PLAN_INTEGER, 0, true},
	{"reset_lockout", "RESL", PLAN_NUMBER, 0, true},
	{"pileup_rejection", "PURE", PLAN_FLAG, 0, false},
	{"clock", "CLCK", PLAN_WORDS, 0, false},
	{"input_polarity", "AINP", PLAN_WORDS, 0, false},
	{"detector_bias", "HVSE", PLAN_NUMBER, 1, true},
	{"cooler_temperature", "TECS", PLAN_NUMBER, 1, true},
	{NULL, NULL, 0, 0, false},
};

const struct plan_mapping plan_presets[] = {
	{"preset_time", "PRET", PLAN_NUMBER, 1, false},
	{"preset_real_time", "PRER", PLAN_NUMBER, 2, false},
	{"preset_live_time", "PREL", PLAN_NUMBER, 2, false},
	{"preset_counts", "PREC", PLAN_INTEGER, 0, false},
	{"preset_counts_first", "PRCL", PLAN_INTEGER, 0, false},
	{"preset_counts_last", "PRCH", PLAN_INTEGER, 0, false},
	{NULL, NULL, 0, 0, false},
};

#define REJECT(ins, ...) (assay_explain((ins), __VA_ARGS__), -EINVAL)

static const char *device_name(const struct state *st)
{
	return status_device_name(st->status.device);
}

/* --- from settings to commands --- */

static void value_of(
	const struct assay_settings *s, const struct plan_mapping *m, char *out, size_t size)
{
	bool off = false;
	switch (m->kind) {
	case PLAN_INTEGER:
		snprintf(out, size, "%lld", (long long)assay_int(s, m->setting));
		off = assay_int(s, m->setting) == 0;
		break;
	case PLAN_NUMBER:
		command_number(out, size, assay_number(s, m->setting), m->digits);
		off = assay_number(s, m->setting) == 0;
		break;
	case PLAN_FLAG: snprintf(out, size, "%s", assay_flag(s, m->setting) ? "ON" : "OFF"); break;
	case PLAN_WORDS:
		snprintf(out, size, "%s", assay_text(s, m->setting));
		for (char *c = out; *c != '\0'; c++)
			*c = (char)toupper((unsigned char)*c);
		break;
	}
	if (off && m->zero_is_off)
		snprintf(out, size, "OFF");
}

static int take_settings(
	struct assay_instrument *ins, const struct plan_mapping *m, struct commands *list)
{
	const struct state *st = ins->state;
	for (; m->setting != NULL; m++) {
		char value[32];
		if (!assay_has(ins->settings, m->setting))
			continue;
		/* Accumulation time on a device without that preset: see complete_presets(). */
		if (!command_is_for(m->command, st->status.device, st->readback) &&
			strcmp(m->command, "PRET") != 0)
			return REJECT(ins, "%s: the %s has no such setting (%s)", m->setting,
				device_name(st), m->command);
		value_of(ins->settings, m, value, sizeof(value));
		if (commands_set(list, m->command, value) < 0)
			return REJECT(
				ins, "%s: %s cannot be sent as %s", m->setting, value, m->command);
	}
	return 0;
}

void plan_leave_out(struct plan *plan, const struct command *c, const char *why)
{
	size_t used = strlen(plan->left_out);
	snprintf(plan->left_out + used, sizeof(plan->left_out) - used, "%s%s=%s (%s)",
		used > 0 ? ", " : "", c->name, c->value, why);
}

static const struct plan_mapping *find_mapping(const struct plan_mapping *m, const char *command)
{
	while (m->setting != NULL && strncmp(m->command, command, 4) != 0)
		m++;
	return m->setting != NULL ? m : NULL;
}

/* The reason not to send a command of the text to this device, or NULL. */
static const char *objection(const struct command *c, const struct state *st)
{
	if (strcmp(c->name, "RESC") == 0)
		return "a reset is the setting 'reset'";
	if (strcmp(c->name, "MCAE") == 0)
		return "counting starts with a run";
	for (size_t i = 0; i < st->refused.count; i++)
		if (memcmp(&st->refused.items[i], c, sizeof(*c)) == 0)
			return PLAN_REFUSED;
	if (!command_is_for(c->name, st->status.device, st->readback))
		return "not on this device";
	return NULL;
}

/* A gate that the device has under another name, or not at all: events would count ungated. */
static bool is_lost_gate(const struct command *c)
{
	return (strcmp(c->name, "GATE") == 0 && strcmp(c->value, "OFF") != 0) ||
	       (strcmp(c->name, "CON2") == 0 && strncmp(c->value, "GATE", 4) == 0);
}

static int take_text(struct assay_instrument *ins, struct plan *plan)
{
	const struct state *st = ins->state;
	struct commands text = {0};
	char why[160];
	if (!assay_has(ins->settings, "configuration"))
		return 0;
	if (commands_parse(&text, assay_text(ins->settings, "configuration"), why, sizeof(why)) < 0)
		return REJECT(ins, "configuration: %s", why);
	for (size_t i = 0; i < text.count; i++) {
		const struct command *c = &text.items[i];
		const char *why_not = objection(c, st);
		struct commands *list = find_mapping(plan_presets, c->name) != NULL
						? &plan->presets
						: &plan->general;
		/* In Amptek's files: not applicable to the device of the file. */
		if (c->value[0] == '\0' || c->value[0] == '?')
			continue;
		if (why_not != NULL && is_lost_gate(c))
			return REJECT(ins,
				"configuration: the %s has no %s, so %s=%s would not "
				"gate",
				device_name(st), c->name, c->name, c->value);
		if (why_not != NULL)
			plan_leave_out(plan, c, why_not);
		else if (strcmp(c->name, "MCAS") == 0 && strcmp(c->value, "MCS") == 0)
			return REJECT(ins,
				"configuration: MCAS=MCS counts over time, not energy; this "
				"driver would misread it");
		else
			list->items[list->count++] = *c;
	}
	return 0;
}

static bool is_no_power_of_two(const struct assay_settings *s)
{
	int64_t channels = assay_int(s, "channels");
	return (channels & (channels - 1)) != 0;
}

static bool has_window_reversed(const struct assay_settings *s)
{
	return assay_has(s, "preset_counts_last") &&
	       assay_int(s, "preset_counts_last") < assay_int(s, "preset_counts_first");
}

static bool has_slice_and_progress(const struct assay_settings *s)
{
	return assay_has(s, "slice") && assay_has(s, "progress_every");
}

/* The settings that contradict each other, whichever device it is. */
static const struct {
	const char *setting;
	bool (*holds)(const struct assay_settings *s);
	const char *text;
} contradictions[] = {
	{"channels", is_no_power_of_two, "channels: expected 256, 512, 1024, 2048, 4096 or 8192"},
	{"preset_counts_last", has_window_reversed,
		"preset_counts_last lies before preset_counts_first"},
	{"slice", has_slice_and_progress,
		"slice delivers separate spectra and progress_every one that grows: choose one"},
};
#define CONTRADICTIONS (sizeof(contradictions) / sizeof(contradictions[0]))

static int check_settings(struct assay_instrument *ins)
{
	for (size_t i = 0; i < CONTRADICTIONS; i++)
		if (contradictions[i].holds(ins->settings))
			return REJECT(ins, "%s", contradictions[i].text);
	return 0;
}

void plan_check(const struct assay_settings *settings, struct assay_check *out)
{
	for (size_t i = 0; i < CONTRADICTIONS; i++)
		if (contradictions[i].holds(settings))
			assay_check_error(
				out, contradictions[i].setting, "%s", contradictions[i].text);
}

/*
 * A reset clears every setting that is not sent after it: reject one that would clear bias or
 * cooling.
 */
static int check_reset(struct assay_instrument *ins, const struct plan *plan)
{
	static const char *const kept[] = {"HVSE", "TECS"};
	const struct state *st = ins->state;
	if (command_is_for("TPEA", st->status.device, st->readback) &&
		commands_find(&plan->general, "TPEA") == NULL)
		return REJECT(ins, "reset: a peaking time must be given, it has no default");
	if (plan->general.count == COMMANDS_MAX)
		return REJECT(ins, "configuration: more than %d commands", COMMANDS_MAX - 1);
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++) {
		double v;
		if (commands_find(&plan->general, kept[i]) == NULL &&
			readback_number(ins->host, st->readback, kept[i], &v) == 0 && v != 0)
			return REJECT(ins, "reset: %s is %g now and would be lost: give %s",
				kept[i], v, i == 0 ? "detector_bias" : "cooler_temperature");
	}
	return 0;
}

/* --- presets --- */

static bool has_command(const struct state *st, const char *name)
{
	char value[32];
	return readback_find(st->readback, name, value, sizeof(value)) == 0;
}

bool plan_lacks_pret(const struct state *st)
{
	return st->status.device == DEVICE_MCA8000D && !has_command(st, "PRET");
}

/*
 * Sends OFF for the presets that are not set.  A device without PRET gets the accumulation time as
 * real time.
 */
static int complete_presets(struct assay_instrument *ins, struct plan *plan)
{
	static const char *const ends[] = {"PRET", "PRER", "PREL", "PREC"};
	const struct state *st = ins->state;
	bool lacks_pret = plan_lacks_pret(st);
	const struct command *found = commands_find(&plan->presets, "PRET");
	if (lacks_pret && found != NULL) {
		struct command pret = *found;
		if (strcmp(pret.value, "OFF") != 0 && assay_has(ins->settings, "preset_real_time"))
			return REJECT(ins,
				"preset_time is real time on the %s: give either it or "
				"preset_real_time",
				device_name(st));
		commands_remove(&plan->presets, "PRET");
		int r = commands_set(&plan->presets, "PRER", pret.value);
		if (r < 0)
			return r;
	}
	for (size_t i = lacks_pret; i < sizeof(ends) / sizeof(*ends); i++) {
		const struct command *c = commands_find(&plan->presets, ends[i]);
		if (c != NULL && strcmp(c->value, "OFF") != 0) {
			if (!has_command(st, ends[i]))
				return REJECT(ins, "the %s's firmware has no preset %s",
					device_name(st), ends[i]);
			if (assay_has(ins->settings, "slice"))
				return REJECT(ins,
					"slice clears the spectrum repeatedly, so the "
					"preset %s would not be reached",
					ends[i]);
		} else if (c != NULL && !has_command(st, ends[i])) {
			commands_remove(&plan->presets, ends[i]);
		} else if (c == NULL && has_command(st, ends[i])) {
			commands_set(&plan->presets, ends[i], "OFF");
		}
	}
	return 0;
}

int plan_make(struct assay_instrument *ins, struct plan *plan)
{
	*plan = (struct plan){0};
	int r = check_settings(ins);
	if (r == 0)
		r = take_text(ins, plan);
	if (r == 0)
		r = take_settings(ins, plan_general, &plan->general);
	if (r == 0)
		r = take_settings(ins, plan_presets, &plan->presets);
	if (r == 0)
		r = complete_presets(ins, plan);
	if (r == 0 && assay_flag(ins->settings, "reset"))
		r = check_reset(ins, plan);
	/* The total gain replaces its two factors, which would contradict it. */
	static const char *const factors[] = {"GAIF", "GAIA"};
	for (size_t i = 0; assay_has(ins->settings, "gain") && i < 2; i++) {
		const struct command *c = commands_find(&plan->general, factors[i]);
		if (c != NULL)
			plan_leave_out(plan, c, "replaced by the setting gain");
		commands_remove(&plan->general, factors[i]);
	}
	commands_sort(&plan->general);
	return r;
}

const char *plan_setting_of(const char *command)
{
	const struct plan_mapping *m = find_mapping(plan_general, command);
	if (m == NULL)
		m = find_mapping(plan_presets, command);
	return m != NULL ? m->setting : "configuration";
}

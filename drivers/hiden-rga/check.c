/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "stream.h"

#define ROWS_MAX 100 /* of a series */

static bool is_series(const struct assay_settings *s)
{
	return strcmp(assay_text(s, "mode"), "series") == 0;
}

static bool has_finer_masses(double mass)
{
	return fabs(mass * 100 - floor(mass * 100 + 0.5)) > 1e-6;
}

static bool lacks_masses(const struct assay_settings *s)
{
	size_t n = assay_count(s, "sim_ions");
	return is_series(s) && (n == 0 || n > ROWS_MAX);
}

static bool has_wrong_masses(const struct assay_settings *s)
{
	for (size_t i = 0; is_series(s) && i < assay_count(s, "sim_ions"); i++)
		if (has_finer_masses(assay_number_at(s, "sim_ions", i)) ||
			(i > 0 && assay_number_at(s, "sim_ions", i) <=
					  assay_number_at(s, "sim_ions", i - 1)))
			return true;
	return false;
}

static bool has_wrong_range(const struct assay_settings *s)
{
	double first = assay_number(s, "mass_first"), last = assay_number(s, "mass_last");
	double steps = (last - first) / assay_number(s, "mass_step");
	return !is_series(s) &&
	       (steps < 0.5 || fabs(steps - floor(steps + 0.5)) > 1e-6 || has_finer_masses(first) ||
		       has_finer_masses(last) || has_finer_masses(assay_number(s, "mass_step")));
}

static bool has_too_many_points(const struct assay_settings *s)
{
	struct hiden_grid grid;
	hiden_grid_read(s, &grid);
	return grid.points > HIDEN_POINTS_MAX;
}

static bool has_little_emission(const struct assay_settings *s)
{
	double ma = assay_number(s, "emission_current");
	return ma > 0 && ma < 0.02;
}

/* They act in operating mode 1, which the driver enters to light the filament only. */
static bool has_voltage_without_emission(const struct assay_settings *s)
{
	return assay_number(s, "emission_current") <= 0 && assay_int(s, "detector_voltage") > 0;
}

static bool has_source_without_emission(const struct assay_settings *s)
{
	return assay_number(s, "emission_current") <= 0 &&
	       (assay_has(s, "electron_energy") || assay_has(s, "focus_voltage") ||
		       assay_has(s, "cage_voltage"));
}

static const struct {
	const char *setting;
	bool (*holds)(const struct assay_settings *s);
	const char *text;
} contradictions[] = {
	{"sim_ions", lacks_masses, "mode series needs sim_ions, 1 to 100 masses"},
	{"sim_ions", has_wrong_masses, "sim_ions: write masses in rising order, to 0.01 u"},
	{"mass_last", has_wrong_range,
		"mass_last must be one or more whole steps above mass_first, all to 0.01 u"},
	{"mass_step", has_too_many_points, "a sweep has at most 10000 points: raise mass_step"},
	{"emission_current", has_little_emission, "emission_current is 0 or 0.02 to 5 mA"},
	{"detector_voltage", has_voltage_without_emission,
		"detector_voltage acts together with emission_current only"},
	{"emission_current", has_source_without_emission,
		"electron_energy, focus_voltage and cage_voltage act together with "
		"emission_current only"},
};
#define CONTRADICTIONS (sizeof(contradictions) / sizeof(contradictions[0]))

void hiden_check(const struct assay_settings *s, struct assay_check *out)
{
	for (size_t i = 0; i < CONTRADICTIONS; i++)
		if (contradictions[i].holds(s))
			assay_check_error(
				out, contradictions[i].setting, "%s", contradictions[i].text);
	if (strcmp(assay_text(s, "input"), "SEM") == 0 && assay_int(s, "detector_voltage") == 0)
		assay_check_warn(out, "input", "the multiplier is off without detector_voltage");
}

/* Everything is sent at the start: another program may have used the unit since. */
int hiden_configure(struct assay_instrument *ins)
{
	for (size_t i = 0; i < CONTRADICTIONS; i++)
		if (contradictions[i].holds(ins->settings)) {
			assay_explain(ins, "%s", contradictions[i].text);
			return -EINVAL;
		}
	return 0;
}

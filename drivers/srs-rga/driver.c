/* SPDX-License-Identifier: Apache-2.0 */
/* srs-rga: quadrupole residual gas analysers SRS RGA100, RGA200 and RGA300. */
#include <assay/driver.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "acquire.h"
#include "hazard.h"
#include "measurement.h"
#include "session.h"

#define SETTLE_MS 10000

/* --- identify --------------------------------------------------------------------------------- */

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	struct rga *rga = ins->state;
	char line[RGA_LINE_MAX], again[RGA_LINE_MAX];
	double fitted;
	int r = rga_resync(ins, line);
	if (r == 0)
		r = rga_query(ins, "ID?", again);
	if (r < 0)
		return r;
	/* The reply has no checksum, and a damaged serial number is that of another unit. */
	if (strcmp(line, again) != 0) {
		assay_explain(ins, "two replies to ID? differ: \"%s\", \"%s\"", line, again);
		return -EBADMSG;
	}
	r = rga_identity_read(ins->host, line, id, &rga->mass_max);
	if (r < 0) {
		assay_explain(ins, "unknown reply to ID?: \"%s\"", line);
		return r;
	}
	r = rga_query_number(ins, "MO?", &fitted);
	rga->has_multiplier = r == 0 && fitted > 0;
	return r;
}

/* --- configure -------------------------------------------------------------------------------- */

static bool is_series(const struct assay_settings *s)
{
	return strcmp(assay_text(s, "mode"), "series") == 0;
}

static bool lacks_masses(const struct assay_settings *s)
{
	size_t n = assay_count(s, "sim_ions");
	return is_series(s) && (n == 0 || n > RGA_MASS_MAX);
}

static bool has_masses_out_of_order(const struct assay_settings *s)
{
	for (size_t i = 1; is_series(s) && i < assay_count(s, "sim_ions"); i++)
		if (assay_int_at(s, "sim_ions", i) <= assay_int_at(s, "sim_ions", i - 1))
			return true;
	return false;
}

static bool has_range_reversed(const struct assay_settings *s)
{
	return !is_series(s) && assay_int(s, "mass_first") > assay_int(s, "mass_last");
}

static bool has_little_emission(const struct assay_settings *s)
{
	double ma = assay_number(s, "emission_current");
	return ma > 0 && ma < 0.02;
}

static bool has_little_voltage(const struct assay_settings *s)
{
	int64_t volts = assay_int(s, "detector_voltage");
	return volts > 0 && volts < 10;
}

static bool has_pressure_and_multiplier(const struct assay_settings *s)
{
	return assay_int(s, "detector_voltage") > 0 && assay_flag(s, "total_pressure");
}

/* The settings that contradict each other, whichever head it is. */
static const struct {
	const char *setting;
	bool (*holds)(const struct assay_settings *s);
	const char *text;
} contradictions[] = {
	{"sim_ions", lacks_masses, "mode series needs sim_ions, 1 to 300 masses"},
	{"sim_ions", has_masses_out_of_order, "sim_ions: write the masses in rising order"},
	{"mass_first", has_range_reversed, "mass_first is above mass_last"},
	{"emission_current", has_little_emission, "emission_current is 0 or 0.02 to 3.5 mA"},
	{"detector_voltage", has_little_voltage, "detector_voltage is 0 or 10 to 2490 V"},
	{"total_pressure", has_pressure_and_multiplier,
		"total_pressure cannot be measured with the multiplier on"},
};
#define CONTRADICTIONS (sizeof(contradictions) / sizeof(contradictions[0]))

static void check(const struct assay_settings *s, struct assay_check *out)
{
	for (size_t i = 0; i < CONTRADICTIONS; i++)
		if (contradictions[i].holds(s))
			assay_check_error(
				out, contradictions[i].setting, "%s", contradictions[i].text);
}

static int64_t highest_mass(const struct assay_settings *s)
{
	if (!is_series(s))
		return assay_int(s, "mass_last");
	size_t n = assay_count(s, "sim_ions");
	return n > 0 ? assay_int_at(s, "sim_ions", n - 1) : 0;
}

static int check_head(struct assay_instrument *ins, int64_t mass_max)
{
	const struct rga *rga = ins->state;
	for (size_t i = 0; i < CONTRADICTIONS; i++)
		if (contradictions[i].holds(ins->settings)) {
			assay_explain(ins, "%s", contradictions[i].text);
			return -EINVAL;
		}
	if (highest_mass(ins->settings) > mass_max)
		assay_explain(ins, "%s: this head ends at %d u",
			is_series(ins->settings) ? "sim_ions" : "mass_last", (int)mass_max);
	else if (assay_int(ins->settings, "detector_voltage") > 0 && !rga->has_multiplier)
		assay_explain(ins, "detector_voltage: this head has no electron multiplier");
	else
		return 0;
	return -EINVAL;
}

/* The head refuses MI above MF, so MF is set to its maximum first. */
static int set_range(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	char command[14] = "MF*";
	int first = (int)assay_int(ins->settings, "mass_first");
	int last = (int)assay_int(ins->settings, "mass_last");
	if (rga->mass_max > 0)
		snprintf(command, sizeof(command), "MF%u", rga->mass_max);
	int r = rga_send(ins, command);
	if (r == 0)
		r = rga_set(ins, "MI", first);
	if (r == 0)
		r = rga_set(ins, "MF", last);
	if (r == 0 && rga->mode == RGA_ANALOG)
		r = rga_set(ins, "SA", (int)assay_int(ins->settings, "points_per_amu"));
	return r;
}

/* Sets a value that stays if it is given, reads it otherwise, and reports it in either case. */
static int adjust(struct assay_instrument *ins, const char *setting, const char *name, bool given)
{
	double kept;
	char query[8];
	snprintf(query, sizeof(query), "%s?", name);
	int r = given ? rga_adjust(ins, name, (double)assay_int(ins->settings, setting), 0.5,
				SETTLE_MS, &kept)
		      : rga_query_number(ins, query, &kept);
	if (r == 0)
		assay_report_int(ins, setting, (int64_t)(kept + 0.5));
	return r;
}

static int adjust_ion_energy(struct assay_instrument *ins, bool given)
{
	double kept;
	int r = given ? rga_adjust(ins, "IE",
				strcmp(assay_text(ins->settings, "ion_energy"), "12 eV") == 0, 0,
				SETTLE_MS, &kept)
		      : rga_query_number(ins, "IE?", &kept);
	if (r == 0)
		assay_report_text(ins, "ion_energy", kept > 0 ? "12 eV" : "8 eV");
	return r;
}

/* The values of the ion source, as the head has them unless `send`. */
static int adjust_source(struct assay_instrument *ins, bool send)
{
	const struct assay_settings *s = ins->settings;
	int r = adjust(ins, "electron_energy", "EE", send && assay_has(s, "electron_energy"));
	if (r == 0)
		r = adjust_ion_energy(ins, send && assay_has(s, "ion_energy"));
	if (r == 0)
		r = adjust(ins, "focus_voltage", "VF", send && assay_has(s, "focus_voltage"));
	return r;
}

static int read_back(struct assay_instrument *ins)
{
	return adjust_source(ins, false);
}

static int configure(struct assay_instrument *ins)
{
	struct rga *rga = ins->state;
	int64_t mass_max = rga->mass_max > 0 ? rga->mass_max : RGA_MASS_MAX;
	int noise_floor = (int)assay_int(ins->settings, "noise_floor");
	const char *mode = assay_text(ins->settings, "mode");
	rga->mode = strcmp(mode, "series") == 0      ? RGA_SERIES
		    : strcmp(mode, "histogram") == 0 ? RGA_HISTOGRAM
						     : RGA_ANALOG;
	int r = check_head(ins, mass_max);
	if (r == 0)
		r = rga_set(ins, "NF", noise_floor);
	if (r == 0 && rga->mode != RGA_SERIES)
		r = set_range(ins);
	if (r == 0)
		r = adjust_source(ins, true);
	rga->word_ms = rga_word_ms(rga->mode, (unsigned)noise_floor);
	return r;
}

/* --- table ------------------------------------------------------------------------------------ */

static const char *const modes[] = {"analog", "histogram", "series", NULL};
static const char *const energies[] = {"8 eV", "12 eV", NULL};
static const char *const conversions[] = {"none", "partial_pressure", NULL};

static const struct assay_setting settings[] = {
	{.name = "mode",
		.type = ASSAY_CHOICE,
		.choices = modes,
		.fallback = "analog",
		.flags = ASSAY_LIVE,
		.help = "analog: a profile; histogram: one value per mass; series: single masses"},
	{.name = "mass_first",
		.type = ASSAY_INT,
		.min = 1,
		.max = RGA_MASS_MAX,
		.fallback = "1",
		.flags = ASSAY_LIVE,
		.help = "first mass of a scan"},
	{.name = "mass_last",
		.type = ASSAY_INT,
		.min = 1,
		.max = RGA_MASS_MAX,
		.fallback = "100",
		.flags = ASSAY_LIVE,
		.help = "last mass of a scan, within the head's range"},
	{.name = "points_per_amu",
		.type = ASSAY_INT,
		.min = 10,
		.max = 25,
		.fallback = "10",
		.flags = ASSAY_LIVE,
		.help = "steps per mass unit of an analog scan"},
	{.name = "sim_ions",
		.type = ASSAY_INT,
		.min = 1,
		.max = RGA_MASS_MAX,
		.flags = ASSAY_LIST | ASSAY_LIVE,
		.help = "masses of a series, in rising order"},
	{.name = "noise_floor",
		.type = ASSAY_INT,
		.min = 0,
		.max = 7,
		.fallback = "4",
		.flags = ASSAY_LIVE,
		.help = "0 slow and quiet ... 7 fast and noisy"},
	{.name = "scans",
		.type = ASSAY_INT,
		.min = 0,
		.max = 1000000,
		.fallback = "1",
		.flags = ASSAY_LIVE,
		.help = "scans per measurement; 0: until stopped"},
	{.name = "total_pressure",
		.type = ASSAY_BOOL,
		.fallback = "false",
		.flags = ASSAY_LIVE,
		.help = "measure the total pressure after each scan; not with the multiplier on"},
	{.name = "emission_current",
		.type = ASSAY_NUMBER,
		.unit = "mA",
		.min = 0,
		.max = 3.5,
		.flags = ASSAY_HAZARD,
		.help = "switches the filament on for each measurement; absent: unchanged"},
	{.name = "detector_voltage",
		.type = ASSAY_INT,
		.unit = "V",
		.min = 0,
		.max = 2490,
		.flags = ASSAY_HAZARD,
		.help = "switches the electron multiplier on for each measurement; absent: "
			"unchanged"},
	{.name = "electron_energy",
		.type = ASSAY_INT,
		.unit = "eV",
		.min = 25,
		.max = 105,
		.flags = ASSAY_LIVE | ASSAY_STAYS,
		.help = "absent: unchanged"},
	{.name = "ion_energy",
		.type = ASSAY_CHOICE,
		.choices = energies,
		.flags = ASSAY_LIVE | ASSAY_STAYS,
		.help = "absent: unchanged"},
	{.name = "focus_voltage",
		.type = ASSAY_INT,
		.unit = "V",
		.min = 0,
		.max = 150,
		.flags = ASSAY_LIVE | ASSAY_STAYS,
		.help = "magnitude at the focus plate; absent: unchanged"},
	{.name = "convert",
		.type = ASSAY_CHOICE,
		.choices = conversions,
		.fallback = "none",
		.flags = ASSAY_LIVE,
		.help = "partial_pressure: add pressures, by the sensitivity stored in the head"},
	{.name = "sensitivity_emission",
		.type = ASSAY_NUMBER,
		.unit = "mA",
		.min = 0.02,
		.max = 3.5,
		.fallback = "1 mA",
		.flags = ASSAY_LIVE,
		.help = "emission for which the stored sensitivities hold; convert needs it"},
	{.name = "gain_tolerance",
		.type = ASSAY_NUMBER,
		.unit = "V",
		.min = 0,
		.max = 100,
		.fallback = "5 V",
		.flags = ASSAY_LIVE,
		.help = "allowed difference of the multiplier's voltage from that of its gain"},
	{.name = "timeout_factor",
		.type = ASSAY_NUMBER,
		.min = 1,
		.max = 100,
		.fallback = "5",
		.help = "allowed silence, as a multiple of the expected time of a point"},
	{.name = "zeroing_time",
		.type = ASSAY_NUMBER,
		.unit = "s",
		.min = 1,
		.max = 600,
		.fallback = "60 s",
		.help = "longest wait for a scan's first point"},
	{.name = NULL},
};

static const struct assay_link_defaults link_defaults[] = {
	{ASSAY_LINK_SERIAL, "baud: 28800, flow: rtscts"},
	{0, NULL},
};

static const struct assay_driver srs_rga = {
	ASSAY_DRIVER_HEAD,
	.name = "srs-rga",
	.version = ASSAY_VERSION,
	.summary = "SRS RGA100, RGA200 and RGA300 residual gas analysers (quadrupole MS)",
	.make = "Stanford Research Systems",
	.technique = "ms",
	.links = ASSAY_LINK_SERIAL | ASSAY_LINK_TCP,
	.link_defaults = link_defaults,
	.settings = settings,
	.state_size = sizeof(struct rga),
	.raw_max = RGA_REPLIES_MAX + (RGA_POINTS_MAX + 1) * RGA_WORD + RGA_EXTRA_MAX,
	.identify = identify,
	.configure = configure,
	.start = rga_start,
	.acquire = rga_acquire,
	.decode = rga_decode,
	.stop = rga_stop,
	.make_safe = rga_make_safe,
	.read_back = read_back,
	.check = check,
};

ASSAY_DRIVER_EXPORT(srs_rga);

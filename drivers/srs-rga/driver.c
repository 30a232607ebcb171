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

static int check_masses(struct assay_instrument *ins, int64_t mass_max)
{
	size_t n = assay_count(ins->settings, "sim_ions");
	if (n == 0 || n > RGA_MASS_MAX) {
		assay_explain(ins, "mode series needs sim_ions, 1 to %d masses", RGA_MASS_MAX);
		return -EINVAL;
	}
	for (size_t i = 0; i < n; i++) {
		int64_t mass = assay_int_at(ins->settings, "sim_ions", i);
		if (mass > mass_max) {
			assay_explain(ins, "sim_ions: this head ends at %d u", (int)mass_max);
			return -EINVAL;
		}
		if (i > 0 && mass <= assay_int_at(ins->settings, "sim_ions", i - 1)) {
			assay_explain(ins, "sim_ions: write the masses in rising order");
			return -EINVAL;
		}
	}
	return 0;
}

static int check_scan(struct assay_instrument *ins, int64_t mass_max)
{
	const struct rga *rga = ins->state;
	int64_t first = assay_int(ins->settings, "mass_first");
	int64_t last = assay_int(ins->settings, "mass_last");
	double ma = assay_number(ins->settings, "emission_current");
	int64_t volts = assay_int(ins->settings, "detector_voltage");
	if (rga->mode != RGA_SERIES && last > mass_max)
		assay_explain(ins, "mass_last: this head ends at %d u", (int)mass_max);
	else if (rga->mode != RGA_SERIES && first > last)
		assay_explain(ins, "mass_first is above mass_last");
	else if (ma > 0 && ma < 0.02)
		assay_explain(ins, "emission_current is 0 or 0.02 to 3.5 mA");
	else if (volts > 0 && volts < 10)
		assay_explain(ins, "detector_voltage is 0 or 10 to 2490 V");
	else if (volts > 0 && !rga->has_multiplier)
		assay_explain(ins, "detector_voltage: this head has no electron multiplier");
	else if (volts > 0 && assay_flag(ins->settings, "total_pressure"))
		assay_explain(ins, "total_pressure cannot be measured with the multiplier on");
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
	int r = rga->mode == RGA_SERIES ? check_masses(ins, mass_max) : 0;
	if (r == 0)
		r = check_scan(ins, mass_max);
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
	.abi = ASSAY_DRIVER_ABI,
	.size = sizeof(struct assay_driver),
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
};

ASSAY_DRIVER_EXPORT(srs_rga);

/* SPDX-License-Identifier: Apache-2.0 */
/* hiden-rga: quadrupole residual gas analysers Hiden HAL RC RGA. */
#include <assay/driver.h>
#include <string.h>

#include "check.h"
#include "hazard.h"
#include "measurement.h"
#include "session.h"
#include "status.h"

/* --- identify --------------------------------------------------------------------------------- */

/* Copies up to one of the characters of `end`, without blanks at its end. */
static void copy_part(char *to, size_t size, const char *from, const char *end)
{
	size_t n = strcspn(from, end);
	while (n > 0 && from[n - 1] == ' ')
		n--;
	n = n < size ? n : size - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

/* "HAL RC RGA 201 #16359", quoted by some units; the release is one source's. */
static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	static const char release[] = "Release ";
	struct hiden *st = ins->state;
	int r = hiden_resync(ins);
	if (r == 0)
		r = hiden_attempt(ins, "pget release");
	if (r == 0) {
		const char *text = st->line + (st->line[0] == '"');
		bool is_named = strncmp(text, release, strlen(release)) == 0;
		copy_part(id->fw, sizeof(id->fw), text + (is_named ? strlen(release) : 0), ",\"");
	}
	/* The reply has no checksum, and a damaged serial number is that of another unit. */
	if (r >= 0)
		r = hiden_fence(ins);
	if (r < 0)
		return r;
	const char *serial = strchr(st->name, '#');
	copy_part(id->make, sizeof(id->make), "Hiden Analytical", "");
	copy_part(id->model, sizeof(id->model), st->name + (st->name[0] == '"'), "#\"");
	if (serial != NULL)
		copy_part(id->serial, sizeof(id->serial), serial + 1, " \"");
	return 0;
}

/* --- table ------------------------------------------------------------------------------------ */

static const char *const modes[] = {"sweep", "series", NULL};
static const char *const inputs[] = {"Faraday", "SEM", NULL};
static const char *const filaments[] = {"F1", "F2", NULL};
static const char *const stops[] = {"measured", "left out", NULL};
static const char *const units[] = {"none", "Torr", "mbar", "Pa", "A", NULL};

/* clang-format off */
static const struct assay_setting settings[] = {
	{.name = "mode", .type = ASSAY_CHOICE, .choices = modes, .fallback = "sweep",
		.flags = ASSAY_LIVE, .help = "sweep: a range of masses; series: single masses"},
	{.name = "mass_first", .type = ASSAY_NUMBER, .min = 0.01, .max = 2500, .fallback = "1",
		.flags = ASSAY_LIVE, .help = "first mass of a sweep"},
	{.name = "mass_last", .type = ASSAY_NUMBER, .min = 0.01, .max = 2500, .fallback = "50",
		.flags = ASSAY_LIVE, .help = "last mass of a sweep, within the unit's range"},
	{.name = "mass_step", .type = ASSAY_NUMBER, .min = 0.01, .max = 100, .fallback = "1",
		.flags = ASSAY_LIVE, .help = "between two masses of a sweep"},
	{.name = "stop_mass", .type = ASSAY_CHOICE, .choices = stops, .fallback = "measured",
		.help = "whether a sweep measures its last mass: sources disagree"},
	{.name = "sim_ions", .type = ASSAY_NUMBER, .min = 0.01, .max = 2500,
		.flags = ASSAY_LIST | ASSAY_LIVE, .help = "masses of a series, in rising order"},
	{.name = "input", .type = ASSAY_CHOICE, .choices = inputs, .fallback = "Faraday",
		.flags = ASSAY_LIVE, .help = "detector: Faraday cup or electron multiplier"},
	{.name = "dwell_time", .type = ASSAY_NUMBER, .unit = "s", .min = 0.001, .max = 600,
		.flags = ASSAY_LIVE, .help = "time of a value; absent: the unit's own"},
	{.name = "settle_time", .type = ASSAY_NUMBER, .unit = "s", .min = 0, .max = 600,
		.flags = ASSAY_LIVE, .help = "time before a value; absent: the unit's own"},
	{.name = "range_low", .type = ASSAY_INT, .min = -15, .max = 0, .flags = ASSAY_LIVE,
		.help = "lowest decade of the automatic range; absent: the unit's own"},
	{.name = "range_high", .type = ASSAY_INT, .min = -15, .max = 0, .flags = ASSAY_LIVE,
		.help = "highest decade of the automatic range; absent: the unit's own"},
	{.name = "range_start", .type = ASSAY_INT, .min = -15, .max = 0, .flags = ASSAY_LIVE,
		.help = "decade to begin with; absent: the unit's own"},
	{.name = "scans", .type = ASSAY_INT, .max = 1000000, .fallback = "1",
		.flags = ASSAY_LIVE, .help = "scans per measurement; 0: until stopped"},
	{.name = "unit", .type = ASSAY_CHOICE, .choices = units, .fallback = "none",
		.help = "unit of the values, as the instrument is set up; it does not send it"},
	{.name = "emission_current", .type = ASSAY_NUMBER, .unit = "mA", .max = 5,
		.flags = ASSAY_HAZARD,
		.help = "switches the filament on for each measurement; absent: unchanged"},
	{.name = "filament", .type = ASSAY_CHOICE, .choices = filaments, .fallback = "F1",
		.help = "the filament that emission_current switches on"},
	{.name = "detector_voltage", .type = ASSAY_INT, .unit = "V", .max = 2000,
		.flags = ASSAY_HAZARD,
		.help = "switches the electron multiplier on, with emission_current; absent: off"},
	{.name = "electron_energy", .type = ASSAY_INT, .unit = "eV", .min = 4, .max = 150,
		.flags = ASSAY_OWN, .help = "absent: unchanged"},
	{.name = "focus_voltage", .type = ASSAY_INT, .unit = "V", .min = -200, .max = 0,
		.flags = ASSAY_OWN, .help = "absent: unchanged"},
	{.name = "cage_voltage", .type = ASSAY_INT, .unit = "V", .min = -10, .max = 10,
		.flags = ASSAY_OWN, .help = "absent: unchanged"},
	{.name = "status_flags", .type = ASSAY_BOOL, .fallback = "true",
		.help = "read filok, emok, ptrip, overtemp and inhibit after each scan"},
	{.name = "emission_time", .type = ASSAY_NUMBER, .unit = "s", .min = 1, .max = 600,
		.fallback = "30 s", .help = "longest time until the emission is as set"},
	{.name = "timeout", .type = ASSAY_NUMBER, .unit = "s", .min = 0.1, .max = 60,
		.fallback = "1 s", .help = "longest time of a reply"},
	{.name = "command_pause", .type = ASSAY_NUMBER, .unit = "s", .max = 5, .fallback = "0 s",
		.help = "pause before each command"},
	{.name = "poll_interval", .type = ASSAY_NUMBER, .unit = "s", .min = 0.01, .max = 5,
		.fallback = "0.25 s", .help = "between two requests for data, if there were none"},
	{.name = "point_timeout", .type = ASSAY_NUMBER, .unit = "s", .min = 1, .max = 3600,
		.fallback = "60 s", .help = "longest time between two values"},
	{.name = NULL},
};
/* clang-format on */

static const struct assay_link_defaults link_defaults[] = {
	{ASSAY_LINK_SERIAL, "baud: 115200"},
	{0, NULL},
};

static const struct assay_driver hiden_rga = {
	ASSAY_DRIVER_HEAD,
	.name = "hiden-rga",
	.version = ASSAY_VERSION,
	.summary = "Hiden HAL RC RGA residual gas analysers (quadrupole MS)",
	.make = "Hiden Analytical",
	.technique = "ms",
	.links = ASSAY_LINK_SERIAL | ASSAY_LINK_TCP,
	.link_defaults = link_defaults,
	.settings = settings,
	.state_size = sizeof(struct hiden),
	.raw_max = HIDEN_STATUS_MAX + HIDEN_TEXT_MAX,
	.identify = identify,
	.configure = hiden_configure,
	.start = hiden_start,
	.acquire = hiden_acquire,
	.decode = hiden_decode,
	.stop = hiden_stop,
	.make_safe = hiden_hazard_make_safe,
	.check = hiden_check,
};

ASSAY_DRIVER_EXPORT(hiden_rga);

/* SPDX-License-Identifier: Apache-2.0 */
#include "drivers.h"

static const char *const peaking[] = {"fast", "medium", "slow", NULL};
static const struct assay_link_defaults amptek_links[] = {
	{ASSAY_LINK_USB, "vid: 0x10c4, pid: 0x842a, in: 0x81, out: 0x02"},
	{ASSAY_LINK_SERIAL, "baud: 115200"},
	{ASSAY_LINK_UDP, "port: 10001"},
	{0},
};
static const struct assay_setting amptek_settings[] = {
	{"channels", ASSAY_INT, ASSAY_CALIBRATES, NULL, 256, 8192, .fallback = "1024",
		.help = "channels"},
	{"preset_time", ASSAY_NUMBER, ASSAY_LIVE, "s", 0, 99999, .fallback = "60 s",
		.help = "accumulation time after which the measurement is over"},
	{"gain", ASSAY_NUMBER, ASSAY_CALIBRATES | ASSAY_STAYS, "1", 0.75, 150,
		.help = "total gain"},
	{"peaking", ASSAY_CHOICE, 0, .choices = peaking, .fallback = "medium", .help = "shaping"},
	{"pile_up_reject", ASSAY_BOOL, 0, .fallback = "true", .help = "reject pile-up"},
	{"thermostat", ASSAY_NUMBER, ASSAY_LIVE | ASSAY_STAYS, "K", 200, 300,
		.help = "detector temperature to hold"},
	{"input_offset", ASSAY_INT, ASSAY_HEX, NULL, 0, 0xffff, .help = "a register"},
	{"mode_text", ASSAY_TEXT, 0, .help = "a command sent before the others"},
	{"energy_zero", ASSAY_NUMBER, ASSAY_CALIBRATION, "keV", -10, 10, .help = "of channel 0"},
	{"energy_gain", ASSAY_NUMBER, ASSAY_CALIBRATION, "keV", 0, 1, .help = "of one channel"},
	{0},
};

static const struct assay_link_defaults rga_links[] = {
	{ASSAY_LINK_SERIAL, "baud: 28800, flow: rtscts"},
	{0},
};
static const struct assay_setting rga_settings[] = {
	{"mass_first", ASSAY_INT, ASSAY_REQUIRED, NULL, 1, 300, .help = "lowest mass"},
	{"mass_last", ASSAY_INT, ASSAY_REQUIRED, NULL, 1, 300, .help = "highest mass"},
	{"noise_floor", ASSAY_INT, ASSAY_LIVE, NULL, 0, 7, .fallback = "4",
		.help = "0 is slow and quiet, 7 fast"},
	{"sim_ions", ASSAY_NUMBER, ASSAY_LIST, "1", 1, 300, .help = "masses to watch"},
	{"emission_current", ASSAY_NUMBER, ASSAY_HAZARD, "mA", 0, 3.5,
		.help = "switches the filament on"},
	{0},
};

static const char *const tables[] = {"holding", "input", "coil", NULL};
static const char *const types[] = {"u16", "i16", "u32", "f32", NULL};
static const struct assay_setting columns[] = {
	{"name", ASSAY_TEXT, ASSAY_REQUIRED, .help = "of the variable"},
	{"address", ASSAY_INT, ASSAY_REQUIRED, NULL, 0, 65535, .help = "register, from 0"},
	{"table", ASSAY_CHOICE, 0, .choices = tables, .fallback = "holding", .help = "which"},
	{"type", ASSAY_CHOICE, 0, .choices = types, .fallback = "u16", .help = "how it is read"},
	{"unit", ASSAY_TEXT, ASSAY_UNIT, .fallback = "1", .help = "UCUM code"},
	{"scale", ASSAY_NUMBER, 0, "1", .fallback = "1", .help = "factor"},
	{"unc", ASSAY_NUMBER, ASSAY_IN_UNIT, .help = "uncertainty"},
	{"cas", ASSAY_TEXT, ASSAY_CAS, .help = "CAS number"},
	{0},
};
static const struct assay_setting map_settings[] = {
	{"registers", ASSAY_TABLE, ASSAY_REQUIRED, .columns = columns, .help = "what to read"},
	{"word_swap", ASSAY_BOOL, 0, .fallback = "false", .help = "low word first"},
	{0},
};

static struct catalog_driver drivers[] = {
	{
		.name = "amptek-dp5",
		.version = "1.0",
		.summary = "Amptek digital pulse processors",
		.technique = "xrf",
		.make = "Amptek",
		.links = ASSAY_LINK_SERIAL | ASSAY_LINK_USB | ASSAY_LINK_UDP,
		.link_defaults = amptek_links,
		.settings = amptek_settings,
	},
	{
		.name = "modbus-map",
		.version = "1.0",
		.summary = "instruments with a Modbus register map",
		.make = "",
		.links = ASSAY_LINK_MODBUS_RTU | ASSAY_LINK_MODBUS_TCP,
		.settings = map_settings,
	},
	{
		.name = "srs-rga",
		.version = "1.0",
		.summary = "SRS RGA100, RGA200 and RGA300",
		.technique = "ms",
		.make = "Stanford Research Systems",
		.links = ASSAY_LINK_SERIAL,
		.link_defaults = rga_links,
		.settings = rga_settings,
		.has_make_safe = true,
	},
};

static struct catalog_problem problems[] = {
	{"/usr/lib/assayd/drivers/broken.so", "its ABI number is 7"},
};

const struct catalog test_catalog = {.drivers = drivers,
	.count = sizeof drivers / sizeof drivers[0],
	.problems = problems,
	.problem_count = 1};

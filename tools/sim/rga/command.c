/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the manual's chapter 6: forms of their parameter, ranges, replies. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "scan.h"

#define DECIMALS       10000 /* parameters have four, further ones are dropped */
#define MASS_MAX       (-1)  /* stands for M_MAX in the table */
#define FOR_EVER       UINT32_MAX
#define VOLTAGE_S      0.3
#define CALIBRATE_S    1.0
#define ZERO_S         60.0
#define EMISSION_NOISE 0.001 /* relative, of a readback */

enum form {
	FORM_NONE = 1 << 0,     /* CA */
	FORM_VALUE = 1 << 1,    /* CA1 */
	FORM_FALLBACK = 1 << 2, /* CA* */
	FORM_QUERY = 1 << 3,    /* CA? */
};

#define SETTING (FORM_VALUE | FORM_FALLBACK | FORM_QUERY)
#define KEPT    (FORM_VALUE | FORM_QUERY)
#define SCAN    (FORM_NONE | FORM_VALUE | FORM_FALLBACK)

struct parameter {
	enum form form;
	double value; /* FORM_VALUE, and the default with FORM_FALLBACK; else 0 */
};

enum action {
	/* These work on the row's member. */
	REPORT_BYTE,  /* uint8_t or bool, read only */
	SET_INTEGER,  /* int, changed at once and without a reply */
	SET_VOLTAGE,  /* int; STATUS follows when the voltage stands */
	KEEP_REAL,    /* double in the EEPROM, written only while the jumper allows it */
	KEEP_INTEGER, /* the same, read back without decimals */
	/* These belong to one command, or to two that measure alike. */
	REPORT_IDENTITY,
	REPORT_STATUS,
	REPORT_AND_CLEAR_RS232,
	REPORT_AND_CLEAR_CDEM,
	REPORT_ANALOG_POINTS,
	REPORT_HISTOGRAM_POINTS,
	INITIALISE,
	DEGAS,
	SET_EMISSION,
	SET_CDEM,
	SET_MASS_FIRST,
	SET_MASS_LAST,
	CALIBRATE,
	ZERO,
	SCAN_ANALOG,
	SCAN_HISTOGRAM,
	MEASURE_MASS,
	MEASURE_TOTAL,
	PARK_FILTER, /* has no effect that a host can see */
};

struct command {
	char name[3];
	unsigned forms;
	bool is_integer, zero_too; /* 0 is allowed outside min..max */
	double min, max, fallback;
	enum action action;
	size_t member; /* in struct rga */
};

#define AT(member) offsetof(struct rga, member)

static const struct command commands[] = {
	{"ID", FORM_QUERY, .action = REPORT_IDENTITY},
	{"IN", FORM_VALUE, true, false, 0, 2, 0, .action = INITIALISE},
	{"ER", FORM_QUERY, .action = REPORT_STATUS},
	{"EC", FORM_QUERY, .action = REPORT_AND_CLEAR_RS232, .member = AT(errors.rs232)},
	{"EF", FORM_QUERY, .action = REPORT_BYTE, .member = AT(errors.filament)},
	{"EM", FORM_QUERY, .action = REPORT_AND_CLEAR_CDEM, .member = AT(errors.cdem)},
	{"EQ", FORM_QUERY, .action = REPORT_BYTE, .member = AT(plan.quadrupole)},
	{"ED", FORM_QUERY, .action = REPORT_BYTE, .member = AT(plan.detector)},
	{"EP", FORM_QUERY, .action = REPORT_BYTE, .member = AT(plan.supply)},
	{"CE", FORM_QUERY, .action = REPORT_BYTE, .member = AT(plan.may_calibrate)},
	{"MO", FORM_QUERY, .action = REPORT_BYTE, .member = AT(plan.has_cdem)},
	{"DG", FORM_VALUE | FORM_FALLBACK, true, false, 0, 20, 3, .action = DEGAS},
	{"FL", SETTING, false, true, 0.02, 3.5, 1, .action = SET_EMISSION},
	{"EE", SETTING, true, false, 25, 105, 70, SET_VOLTAGE, AT(set.electron_energy)},
	{"IE", SETTING, true, false, 0, 1, 1, SET_VOLTAGE, AT(set.ion_energy)},
	{"VF", SETTING, true, false, 0, 150, 90, SET_VOLTAGE, AT(set.focus)},
	{"HV", SETTING, true, true, 10, 2490, 1400, SET_CDEM, AT(set.cdem)},
	{"CA", FORM_NONE, .action = CALIBRATE},
	{"CL", FORM_NONE, .action = ZERO},
	{"NF", SETTING, true, false, 0, 7, 4, SET_INTEGER, AT(set.noise_floor)},
	{"MI", SETTING, true, false, 1, MASS_MAX, 1, SET_MASS_FIRST, AT(set.mass_first)},
	{"MF", SETTING, true, false, 1, MASS_MAX, MASS_MAX, SET_MASS_LAST, AT(set.mass_last)},
	{"SA", SETTING, true, false, 10, 25, 10, SET_INTEGER, AT(set.points)},
	{"AP", FORM_QUERY, .action = REPORT_ANALOG_POINTS},
	{"HP", FORM_QUERY, .action = REPORT_HISTOGRAM_POINTS},
	{"SC", SCAN, true, false, 0, 255, 1, .action = SCAN_ANALOG},
	{"HS", SCAN, true, false, 0, 255, 1, .action = SCAN_HISTOGRAM},
	{"MR", FORM_VALUE, true, false, 0, MASS_MAX, 0, .action = MEASURE_MASS},
	{"ML", FORM_VALUE, false, false, 0, MASS_MAX, 0, .action = PARK_FILTER},
	{"TP", KEPT, true, false, 0, 1, 0, .action = MEASURE_TOTAL},
	{"SP", KEPT, false, false, 0, 10, 0, KEEP_REAL, AT(eeprom.sp)},
	{"ST", KEPT, false, false, 0, 100, 0, KEEP_REAL, AT(eeprom.st)},
	{"MG", KEPT, false, false, 0, 2000, 0, KEEP_REAL, AT(eeprom.mg)},
	{"MV", KEPT, true, false, 0, 2490, 0, KEEP_INTEGER, AT(eeprom.mv)},
	{"RI", SETTING | FORM_NONE, false, false, -86, 86, 0, KEEP_REAL, AT(eeprom.ri)},
	{"RS", SETTING | FORM_NONE, false, false, 600, 1600, 1000, KEEP_REAL, AT(eeprom.rs)},
	{"DI", SETTING, true, false, 0, 255, 115, KEEP_INTEGER, AT(eeprom.di)},
	{"DS", SETTING, false, false, -2.55, 2.55, 0, KEEP_REAL, AT(eeprom.ds)},
};

static void keep(struct rga *rga, const struct command *command, const struct parameter *parameter)
{
	double *kept = (double *)((char *)rga + command->member);
	if (parameter->form == FORM_QUERY)
		rga_reply(rga, command->action == KEEP_INTEGER ? "%.0f" : "%.4f", *kept);
	else if (!rga->plan.may_calibrate)
		rga_set_error(rga, RGA_JUMPER);
	else if (parameter->form != FORM_NONE)
		*kept = parameter->value;
}

static void set_integer(struct rga *rga, const struct command *command, int value, bool is_query)
{
	int *setting = (int *)((char *)rga + command->member);
	if (is_query)
		rga_reply(rga, "%d", *setting);
	else if ((command->action == SET_MASS_FIRST && value > rga->set.mass_last) ||
		 (command->action == SET_MASS_LAST && value < rga->set.mass_first))
		rga_set_error(rga, RGA_CONFLICT);
	else if (command->action == SET_CDEM)
		rga_set_cdem(rga, value);
	else
		*setting = value;
	if (!is_query && command->action == SET_VOLTAGE)
		rga_settle(rga, VOLTAGE_S);
}

static void carry_out(
	struct rga *rga, const struct command *command, const struct parameter *parameter)
{
	const uint8_t *byte = (const uint8_t *)rga + command->member;
	bool is_query = parameter->form == FORM_QUERY;
	int value = (int)lrint(parameter->value);
	uint32_t scans = parameter->form == FORM_NONE ? FOR_EVER : (uint32_t)value;
	switch (command->action) {
	case REPORT_BYTE: rga_reply(rga, "%u", *byte); break;
	case SET_INTEGER:
	case SET_VOLTAGE:
	case SET_MASS_FIRST:
	case SET_MASS_LAST:
	case SET_CDEM: set_integer(rga, command, value, is_query); break;
	case KEEP_REAL:
	case KEEP_INTEGER: keep(rga, command, parameter); break;
	case REPORT_IDENTITY:
		rga_reply(rga, "SRSRGA%sVER0.24SN%u", rga->plan.model,
			rga->plan.serial + sim_fault_active(rga->m, FAULT_WRONG_IDENTITY));
		break;
	case REPORT_STATUS: rga_reply(rga, "%u", rga_status(rga)); break;
	case REPORT_AND_CLEAR_RS232:
		rga_reply(rga, "%u", *byte);
		rga->errors.rs232 = 0;
		break;
	case REPORT_AND_CLEAR_CDEM:
		rga_reply(rga, "%u", *byte);
		rga->errors.cdem = rga->plan.has_cdem ? 0 : RGA_NO_CDEM;
		break;
	case REPORT_ANALOG_POINTS: rga_reply(rga, "%d", scan_points(rga, RGA_ANALOG)); break;
	case REPORT_HISTOGRAM_POINTS: rga_reply(rga, "%d", scan_points(rga, RGA_HISTOGRAM)); break;
	case INITIALISE: rga_initialise(rga, value); break;
	case DEGAS: rga_degas(rga, parameter->value); break;
	case SET_EMISSION:
		if (!is_query)
			rga_set_emission(rga, parameter->value);
		else if (rga->plan.is_fixed)
			rga_reply(rga, "%.4f", rga->set.emission);
		else
			rga_reply(rga, "%.4f",
				rga->set.emission *
					(1 + EMISSION_NOISE *
							random_normal(sim_random_of(rga->m))));
		break;
	case CALIBRATE: rga_settle(rga, CALIBRATE_S); break;
	case ZERO: rga_settle(rga, ZERO_S); break;
	case SCAN_ANALOG: scan_start(rga, RGA_ANALOG, scans); break;
	case SCAN_HISTOGRAM: scan_start(rga, RGA_HISTOGRAM, scans); break;
	case MEASURE_MASS:
		if (value != 0)
			scan_start_mass(rga, value);
		break;
	case MEASURE_TOTAL:
		if (is_query)
			scan_start_total(rga);
		else
			rga->set.total_pressure = value != 0;
		break;
	case PARK_FILTER: break;
	}
}

static const struct command *find(const char *text)
{
	if (text[0] == '\0' || text[1] == '\0')
		return NULL;
	char name[3] = {
		(char)toupper((unsigned char)text[0]), (char)toupper((unsigned char)text[1])};
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (memcmp(commands[i].name, name, 2) == 0)
			return &commands[i];
	return NULL;
}

/* "-12.34567", at most RGA_LINE_MAX characters; decimals after the fourth are dropped. */
static bool parse_value(const char *text, double *value)
{
	bool is_negative = *text == '-';
	int64_t units = 0;
	int scale = DECIMALS;
	size_t digits = 0;
	text += *text == '-' || *text == '+';
	for (; *text >= '0' && *text <= '9'; text++, digits++)
		units = units * 10 + (*text - '0');
	units *= DECIMALS;
	if (*text == '.') {
		for (text++; *text >= '0' && *text <= '9'; text++, digits++)
			units += (*text - '0') * (int64_t)(scale /= 10);
	}
	*value = (double)(is_negative ? -units : units) / DECIMALS;
	return digits > 0 && *text == '\0';
}

static bool parse_parameter(const char *text, struct parameter *parameter)
{
	*parameter = (struct parameter){.form = FORM_VALUE};
	if (text[0] == '\0')
		parameter->form = FORM_NONE;
	else if (strcmp(text, "?") == 0)
		parameter->form = FORM_QUERY;
	else if (strcmp(text, "*") == 0)
		parameter->form = FORM_FALLBACK;
	else
		return parse_value(text, &parameter->value);
	return true;
}

static double limit(const struct rga *rga, double value)
{
	return value == MASS_MAX ? rga->plan.mass_max : value;
}

static bool is_in_range(
	const struct rga *rga, const struct command *command, const struct parameter *parameter)
{
	if (parameter->form != FORM_VALUE)
		return true;
	double value = parameter->value;
	if (command->is_integer && value != floor(value))
		return false;
	if (command->zero_too && value == 0)
		return true;
	return value >= command->min && value <= limit(rga, command->max);
}

void rga_command(struct rga *rga, const char *text)
{
	struct parameter parameter;
	const struct command *command = find(text);
	if (command == NULL) {
		rga_set_error(rga, RGA_BAD_COMMAND);
		return;
	}
	if (!parse_parameter(text + 2, &parameter) || (command->forms & parameter.form) == 0 ||
		!is_in_range(rga, command, &parameter)) {
		rga_set_error(rga, RGA_BAD_PARAMETER);
		return;
	}
	if (parameter.form == FORM_FALLBACK)
		parameter.value = limit(rga, command->fallback);
	carry_out(rga, command, &parameter);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the manual's chapter 6: forms of their parameter, ranges, replies. */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "scan.h"

#define DECIMALS 10000 /* parameters have four, the rest is dropped */
#define MASS_MAX (-1)  /* stands for M_MAX in the table */
#define FOR_EVER UINT32_MAX

enum form {
	FORM_NONE = 1 << 0,     /* CA */
	FORM_VALUE = 1 << 1,    /* CA1 */
	FORM_FALLBACK = 1 << 2, /* CA* */
	FORM_QUERY = 1 << 3,    /* CA? */
};

#define SETTING (FORM_VALUE | FORM_FALLBACK | FORM_QUERY)

struct request {
	enum form form;
	double value; /* FORM_VALUE, and FORM_FALLBACK then has the default */
};

struct command {
	char name[3];
	unsigned forms;
	bool is_integer, zero_too; /* 0 is allowed outside min..max */
	double min, max, fallback;
	void (*run)(struct rga *rga, const struct request *request);
};

static int to_int(const struct request *request)
{
	return (int)lrint(request->value);
}

static bool is_query(const struct request *request)
{
	return request->form == FORM_QUERY;
}

static void reply_real(struct rga *rga, double value)
{
	rga_reply(rga, "%.4f", value);
}

static void do_id(struct rga *rga, const struct request *request)
{
	uint32_t serial = rga->plan.serial + sim_fault_active(rga->m, FAULT_WRONG_IDENTITY);
	rga_reply(rga, "SRSRGA%sVER0.24SN%u", rga->plan.model, serial);
}

static void do_in(struct rga *rga, const struct request *request)
{
	rga_initialise(rga, to_int(request));
}

static void do_er(struct rga *rga, const struct request *request)
{
	rga_reply(rga, "%u", rga_status(rga));
}

static void do_ec(struct rga *rga, const struct request *request)
{
	rga_reply(rga, "%u", rga->errors.rs232);
	rga->errors.rs232 = 0;
}

static void do_ef(struct rga *rga, const struct request *request)
{
	rga_reply(rga, "%u", rga->errors.filament);
}

static void do_em(struct rga *rga, const struct request *request)
{
	rga_reply(rga, "%u", rga->errors.cdem);
	rga->errors.cdem = rga->plan.has_cdem ? 0 : RGA_NO_CDEM;
}

static void do_eq(struct rga *rga, const struct request *request)
{
	rga_reply(rga, "%u", rga->plan.quadrupole);
}

static void do_ed(struct rga *rga, const struct request *request)
{
	rga_reply(rga, "%u", rga->plan.detector);
}

static void do_ep(struct rga *rga, const struct request *request)
{
	rga_reply(rga, "%u", rga->plan.supply);
}

static void do_ce(struct rga *rga, const struct request *request)
{
	rga_reply(rga, "%d", rga->plan.may_calibrate);
}

static void do_mo(struct rga *rga, const struct request *request)
{
	rga_reply(rga, "%d", rga->plan.has_cdem);
}

static void do_dg(struct rga *rga, const struct request *request)
{
	rga_degas(rga, request->value);
}

static void do_fl(struct rga *rga, const struct request *request)
{
	if (!is_query(request)) {
		rga_set_emission(rga, request->value);
		return;
	}
	double noise = rga->plan.is_fixed ? 0 : 0.001 * random_normal(sim_random_of(rga->m));
	reply_real(rga, rga->set.emission * (1 + noise));
}

/* A setting whose change the head answers with STATUS once the voltage stands. */
static void set_voltage(struct rga *rga, const struct request *request, int *volts)
{
	if (is_query(request)) {
		rga_reply(rga, "%d", *volts);
		return;
	}
	*volts = to_int(request);
	rga_settle(rga, 0.3);
}

static void do_ee(struct rga *rga, const struct request *request)
{
	set_voltage(rga, request, &rga->set.electron_energy);
}

static void do_ie(struct rga *rga, const struct request *request)
{
	set_voltage(rga, request, &rga->set.ion_energy);
}

static void do_vf(struct rga *rga, const struct request *request)
{
	set_voltage(rga, request, &rga->set.focus);
}

static void do_hv(struct rga *rga, const struct request *request)
{
	if (is_query(request))
		rga_reply(rga, "%d", rga->set.cdem);
	else
		rga_set_cdem(rga, to_int(request));
}

static void do_ca(struct rga *rga, const struct request *request)
{
	rga_settle(rga, 1.0);
}

static void do_cl(struct rga *rga, const struct request *request)
{
	rga_settle(rga, 60.0);
}

static void set_integer(struct rga *rga, const struct request *request, int *setting)
{
	if (is_query(request))
		rga_reply(rga, "%d", *setting);
	else
		*setting = to_int(request);
}

static void do_nf(struct rga *rga, const struct request *request)
{
	set_integer(rga, request, &rga->set.noise_floor);
}

static void do_sa(struct rga *rga, const struct request *request)
{
	set_integer(rga, request, &rga->set.points);
}

static void do_mi(struct rga *rga, const struct request *request)
{
	if (!is_query(request) && to_int(request) > rga->set.mass_last)
		rga_refuse(rga, RGA_CONFLICT);
	else
		set_integer(rga, request, &rga->set.mass_first);
}

static void do_mf(struct rga *rga, const struct request *request)
{
	if (!is_query(request) && to_int(request) < rga->set.mass_first)
		rga_refuse(rga, RGA_CONFLICT);
	else
		set_integer(rga, request, &rga->set.mass_last);
}

static void do_ap(struct rga *rga, const struct request *request)
{
	rga_reply(rga, "%d", scan_points(rga, RGA_ANALOG));
}

static void do_hp(struct rga *rga, const struct request *request)
{
	rga_reply(rga, "%d", scan_points(rga, RGA_HISTOGRAM));
}

static uint32_t scan_count(const struct request *request)
{
	return request->form == FORM_NONE ? FOR_EVER : (uint32_t)to_int(request);
}

static void do_sc(struct rga *rga, const struct request *request)
{
	scan_start(rga, RGA_ANALOG, scan_count(request));
}

static void do_hs(struct rga *rga, const struct request *request)
{
	scan_start(rga, RGA_HISTOGRAM, scan_count(request));
}

static void do_mr(struct rga *rga, const struct request *request)
{
	if (to_int(request) != 0)
		scan_start_mass(rga, to_int(request));
}

static void do_ml(struct rga *rga, const struct request *request)
{
	/* Parks the filter: to be seen only on an oscilloscope. */
}

static void do_tp(struct rga *rga, const struct request *request)
{
	if (is_query(request))
		scan_start_total(rga);
	else
		rga->set.total_pressure = to_int(request) != 0;
}

/* What lies in the EEPROM can be written only while the jumper allows it. */
static void keep_value(struct rga *rga, const struct request *request, double *kept)
{
	if (is_query(request))
		reply_real(rga, *kept);
	else if (!rga->plan.may_calibrate)
		rga_refuse(rga, RGA_JUMPER);
	else if (request->form != FORM_NONE)
		*kept = request->value;
}

static void keep_integer(struct rga *rga, const struct request *request, double *kept)
{
	if (is_query(request))
		rga_reply(rga, "%ld", lrint(*kept));
	else
		keep_value(rga, request, kept);
}

static void do_sp(struct rga *rga, const struct request *request)
{
	keep_value(rga, request, &rga->eeprom.sp);
}

static void do_st(struct rga *rga, const struct request *request)
{
	keep_value(rga, request, &rga->eeprom.st);
}

static void do_mg(struct rga *rga, const struct request *request)
{
	keep_value(rga, request, &rga->eeprom.mg);
}

static void do_mv(struct rga *rga, const struct request *request)
{
	keep_integer(rga, request, &rga->eeprom.mv);
}

static void do_ri(struct rga *rga, const struct request *request)
{
	keep_value(rga, request, &rga->eeprom.ri);
}

static void do_rs(struct rga *rga, const struct request *request)
{
	keep_value(rga, request, &rga->eeprom.rs);
}

static void do_di(struct rga *rga, const struct request *request)
{
	keep_integer(rga, request, &rga->eeprom.di);
}

static void do_ds(struct rga *rga, const struct request *request)
{
	keep_value(rga, request, &rga->eeprom.ds);
}

static const struct command commands[] = {
	{"ID", FORM_QUERY, .run = do_id},
	{"IN", FORM_VALUE, true, false, 0, 2, 0, do_in},
	{"ER", FORM_QUERY, .run = do_er},
	{"EC", FORM_QUERY, .run = do_ec},
	{"EF", FORM_QUERY, .run = do_ef},
	{"EM", FORM_QUERY, .run = do_em},
	{"EQ", FORM_QUERY, .run = do_eq},
	{"ED", FORM_QUERY, .run = do_ed},
	{"EP", FORM_QUERY, .run = do_ep},
	{"CE", FORM_QUERY, .run = do_ce},
	{"MO", FORM_QUERY, .run = do_mo},
	{"DG", FORM_VALUE | FORM_FALLBACK, true, false, 0, 20, 3, do_dg},
	{"FL", SETTING, false, true, 0.02, 3.5, 1, do_fl},
	{"EE", SETTING, true, false, 25, 105, 70, do_ee},
	{"IE", SETTING, true, false, 0, 1, 1, do_ie},
	{"VF", SETTING, true, false, 0, 150, 90, do_vf},
	{"HV", SETTING, true, true, 10, 2490, 1400, do_hv},
	{"CA", FORM_NONE, .run = do_ca},
	{"CL", FORM_NONE, .run = do_cl},
	{"NF", SETTING, true, false, 0, 7, 4, do_nf},
	{"MI", SETTING, true, false, 1, MASS_MAX, 1, do_mi},
	{"MF", SETTING, true, false, 1, MASS_MAX, MASS_MAX, do_mf},
	{"SA", SETTING, true, false, 10, 25, 10, do_sa},
	{"AP", FORM_QUERY, .run = do_ap},
	{"HP", FORM_QUERY, .run = do_hp},
	{"SC", FORM_NONE | FORM_VALUE | FORM_FALLBACK, true, false, 0, 255, 1, do_sc},
	{"HS", FORM_NONE | FORM_VALUE | FORM_FALLBACK, true, false, 0, 255, 1, do_hs},
	{"MR", FORM_VALUE, true, false, 0, MASS_MAX, 0, do_mr},
	{"ML", FORM_VALUE, false, false, 0, MASS_MAX, 0, do_ml},
	{"TP", FORM_VALUE | FORM_QUERY, true, false, 0, 1, 0, do_tp},
	{"SP", FORM_VALUE | FORM_QUERY, false, false, 0, 10, 0, do_sp},
	{"ST", FORM_VALUE | FORM_QUERY, false, false, 0, 100, 0, do_st},
	{"MG", FORM_VALUE | FORM_QUERY, false, false, 0, 2000, 0, do_mg},
	{"MV", FORM_VALUE | FORM_QUERY, true, false, 0, 2490, 0, do_mv},
	{"RI", SETTING | FORM_NONE, false, false, -86, 86, 0, do_ri},
	{"RS", SETTING | FORM_NONE, false, false, 600, 1600, 1000, do_rs},
	{"DI", SETTING, true, false, 0, 255, 115, do_di},
	{"DS", SETTING, false, false, -2.55, 2.55, 0, do_ds},
};

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

/* "-12.34567", at most RGA_LINE_MAX characters; the fifth decimal and more are dropped. */
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

static bool parse_request(const char *text, struct request *request)
{
	*request = (struct request){.form = FORM_VALUE};
	if (text[0] == '\0')
		request->form = FORM_NONE;
	else if (strcmp(text, "?") == 0)
		request->form = FORM_QUERY;
	else if (strcmp(text, "*") == 0)
		request->form = FORM_FALLBACK;
	else
		return parse_value(text, &request->value);
	return true;
}

static double limit(const struct rga *rga, double value)
{
	return value == MASS_MAX ? rga->plan.mass_max : value;
}

static bool is_in_range(
	const struct rga *rga, const struct command *command, const struct request *request)
{
	if (request->form != FORM_VALUE)
		return true;
	double value = request->value;
	if (command->is_integer && value != floor(value))
		return false;
	if (command->zero_too && value == 0)
		return true;
	return value >= command->min && value <= limit(rga, command->max);
}

void rga_command(struct rga *rga, const char *text)
{
	struct request request;
	const struct command *command = find(text);
	if (command == NULL) {
		rga_refuse(rga, RGA_BAD_COMMAND);
		return;
	}
	if (!parse_request(text + 2, &request) || (command->forms & request.form) == 0 ||
		!is_in_range(rga, command, &request)) {
		rga_refuse(rga, RGA_BAD_PARAMETER);
		return;
	}
	if (request.form == FORM_FALLBACK)
		request.value = limit(rga, command->fallback);
	command->run(rga, &request);
}

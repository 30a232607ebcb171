/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles against registers that are laid out here, from the documents that the profiles name and
 * not from the profiles.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "profile.h"

extern const struct assay_driver *const assay_driver;

/* Each table's places; only those in a range are there. */
static uint16_t places[5][65536];
static struct {
	unsigned first, end;
} ranges[5];

static int reply(struct host *h, enum assay_modbus_table table, unsigned address, unsigned count,
	uint16_t *out)
{
	(void)h;
	if (address < ranges[table].first || address + count > ranges[table].end)
		return ASSAY_MODBUS_EXCEPTION - 2;
	memcpy(out, &places[table][address], count * sizeof(*out));
	return 0;
}

static struct host *create(const char *profile)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
	memset(places, 0, sizeof(places));
	memset(ranges, 0, sizeof(ranges));
	profile_load(h, profile);
	h->modbus = reply;
	host_check(h);
	assert_string_equal(h->found, "");
	return h;
}

static void read_frame(struct host *h, struct assay_identity *id)
{
	*id = (struct assay_identity){0};
	assert_int_equal(h->driver->identify(&h->ins, id), 0);
	assert_int_equal(h->driver->configure(&h->ins), 0);
	assert_int_equal(h->driver->start(&h->ins), 0);
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
}

static void expect(
	struct host *h, const char *name, const char *analyte, double value, const char *unit)
{
	const struct assay_variable *v = analyte != NULL ? host_find_of(h, name, analyte)
							 : host_find(h, name);
	if (v == NULL)
		fail_msg("there is no %s %s", name, analyte != NULL ? analyte : "");
	if (host_element(v, 0) != value || strcmp(v->unit, unit) != 0)
		fail_msg("%s is %.9g %s", name, host_element(v, 0), v->unit);
}

static void put_text(uint16_t *to, const char *text)
{
	for (size_t i = 0; i < strlen(text); i++)
		to[i / 2] |= (uint16_t)((uint8_t)text[i] << (i % 2 == 0 ? 8 : 0));
}

/* The models by their offsets: 2 for the marker, 68 of the common model, then 107 of model 203. */
static void a_sunspec_meter_scales_by_its_registers(void **state)
{
	struct host *h = create(PROFILES "/sunspec-203.yaml");
	struct assay_identity id;
	uint16_t *common = &places[ASSAY_HOLDING][40002], *meter = common + 68;
	ranges[ASSAY_HOLDING].first = 40000;
	ranges[ASSAY_HOLDING].end = 40177;
	put_text(&places[ASSAY_HOLDING][40000], "SunS");
	common[0] = 1;
	common[1] = 66;
	put_text(common + 2, "Acme");
	put_text(common + 18, "Meter");
	put_text(common + 42, "1.2");
	put_text(common + 50, "4711");
	meter[0] = 203;
	meter[1] = 105;
	meter[2] = 1234;         /* A */
	meter[3] = 400;          /* of phase A */
	meter[4] = 0x8000;       /* phase B is not implemented */
	meter[6] = (uint16_t)-1; /* its power of ten */
	meter[7] = 23012;        /* V */
	meter[10] = 23100;       /* of phase C */
	meter[15] = (uint16_t)-2;
	meter[16] = 5001; /* Hz */
	meter[17] = (uint16_t)-2;
	meter[18] = (uint16_t)-567; /* W */
	meter[22] = 1;
	meter[23] = 580; /* VA */
	meter[27] = 1;
	meter[28] = (uint16_t)-12; /* var */
	meter[32] = 1;
	meter[33] = 978; /* power factor */
	meter[37] = (uint16_t)-1;
	meter[38] = 1; /* Wh exported, high word */
	meter[46] = 2; /* imported */
	meter[47] = 3;
	meter[54] = 0x8000; /* no scale of energy: no energy */
	read_frame(h, &id);
	assert_string_equal(id.make, "Acme");
	assert_string_equal(id.model, "Meter");
	assert_string_equal(id.fw, "1.2");
	assert_string_equal(id.serial, "4711");
	expect(h, "current", NULL, 123.4, "A");
	expect(h, "current_phase_1", NULL, 40, "A");
	assert_null(host_find(h, "current_phase_2"));
	expect(h, "voltage", NULL, 230.12, "V");
	expect(h, "voltage_phase_3", NULL, 231, "V");
	expect(h, "frequency", NULL, 50.01, "Hz");
	expect(h, "power", NULL, -5670, "W");
	expect(h, "power_apparent", NULL, 5800, "V.A");
	expect(h, "power_reactive", NULL, -120, "V.A{reactive}");
	expect(h, "power_factor", NULL, 97.8, "%");
	assert_null(host_find(h, "energy_exported"));
	assert_string_equal(
		host_find(h, "missing")->text, "current_phase_2, energy_exported, energy_imported");
	host_reset(h);
	meter[54] = 0;
	meter[4] = 7;
	read_frame(h, &id);
	expect(h, "energy_exported", NULL, 65536, "W.h");
	expect(h, "energy_imported", NULL, 131075, "W.h");
	assert_int_equal(h->frame.flag, ASSAY_GOOD);
	host_reset(h);
	meter[0] = 201;
	read_frame(h, &id);
	assert_int_equal(h->frame.flag, ASSAY_BAD);
	host_destroy(h);
	(void)state;
}

/* The frames of its manual: 01 02 00 00 00 10 gets 00 30, 01 04 00 00 00 14 the values. */
static void a_gcx_is_good_by_the_example_of_its_manual(void **state)
{
	struct host *h = create(PROFILES "/rosemount-gcx.yaml");
	struct assay_identity id;
	ranges[ASSAY_DISCRETE].end = 16;
	ranges[ASSAY_INPUT].end = 20;
	for (unsigned i = 0; i < 16; i++)
		places[ASSAY_DISCRETE][i] = 0x3000 >> i & 1;
	for (unsigned i = 0; i < 20; i++)
		places[ASSAY_INPUT][i] = (uint16_t)(30001 + i);
	read_frame(h, &id);
	assert_int_equal(h->frame.flag, ASSAY_GOOD);
	expect(h, "reading", "nitrogen", 30001, "1");
	expect(h, "reading", "butane", 30007, "1");
	expect(h, "reading", "isopentane", 30009, "1");
	expect(h, "reading", "C6+", 30011, "1");
	expect(h, "superior_heating_value", NULL, 30015, "1");
	expect(h, "wobbe_index", NULL, 30020, "1");
	for (unsigned bit = 0; bit < 16; bit++) {
		bool matters = bit == 0 || bit == 1 || bit == 12 || bit == 13;
		host_reset(h);
		places[ASSAY_DISCRETE][bit] ^= 1;
		read_frame(h, &id);
		assert_int_equal(h->frame.flag != ASSAY_GOOD, matters);
		places[ASSAY_DISCRETE][bit] ^= 1;
	}
	host_destroy(h);
	(void)state;
}

static void a_gc955_has_floats_in_ppb(void **state)
{
	static const char *const names[] = {
		"benzene", "toluene", "ethylbenzene", "m,p-xylene", "o-xylene"};
	struct host *h = create(PROFILES "/synspec-gc955-btex.yaml");
	struct assay_identity id;
	ranges[ASSAY_INPUT].first = 1525;
	ranges[ASSAY_INPUT].end = 1535;
	for (unsigned i = 0; i < 5; i++)
		places[ASSAY_INPUT][1525 + 2 * i] = (uint16_t)(0x3f80 + 0x80 * i);
	read_frame(h, &id);
	for (unsigned i = 0; i < 5; i++)
		expect(h, "mole_fraction", names[i], 1 << i, "[ppb]");
	host_destroy(h);
	(void)state;
}

/*
 * Lists of registers of nine manuals: some registers with their words, the values that they stand for, and
 * a status with the quality that it gives.  Everything else is 0.
 */
struct listed {
	const char *profile;
	struct {
		enum assay_modbus_table table;
		unsigned address;
		uint16_t words[4];
	} at[6];
	struct {
		const char *name, *analyte;
		double value;
		const char *unit;
	} is[6];
	struct {
		enum assay_modbus_table table;
		unsigned address;
		uint16_t well, ill; /* the second makes the frame so: */
		enum assay_quality flag;
	} status;
	const char *model;
};

static const struct listed lists[] = {
	/* Half of the range is 0 V; 40211 has the code 4017. */
	{"adam-4017",
		{{ASSAY_HOLDING, 0, {0x8000}}, {ASSAY_HOLDING, 7, {65535}},
			{ASSAY_HOLDING, 210, {0x4017}}},
		{{"voltage_1", NULL, 0.00013824, "V"}, {"voltage_8", NULL, 9.9999713, "V"},
			{"voltage_2", NULL, -10, "V"}},
		{ASSAY_COILS, 7, 0, 1, ASSAY_SUSPECT}, "ADAM-4017+"},
	/* 17 bits: bit 0 of the status is the highest; bit 10 is "stable". */
	{"aeph-matrix", {{ASSAY_HOLDING, 10, {0x0401}}, {ASSAY_HOLDING, 11, {0x1234}}},
		{{"divisions", NULL, 0x11234, "{count}"}},
		{ASSAY_HOLDING, 10, 0x0401, 0x0001, ASSAY_SUSPECT}, NULL},
	{"omron-e5cc",
		{{ASSAY_HOLDING, 0, {0, 1234}}, {ASSAY_HOLDING, 4, {0xffff, 0xfff6}},
			{ASSAY_HOLDING, 8, {0, 500}}},
		{{"temperature", NULL, 123.4, "Cel"}, {"set_point", NULL, -1, "Cel"},
			{"output", NULL, 50, "%"}},
		{ASSAY_HOLDING, 3, 0, 1 << 6, ASSAY_BAD}, NULL},
	{"omron-e5cc", {{ASSAY_HOLDING, 0, {0, 1}}}, {{"temperature", NULL, 0.1, "Cel"}},
		{ASSAY_HOLDING, 2, 0, 1 << 8, ASSAY_SUSPECT}, NULL},
	{"sartorius-pr5220", {{ASSAY_HOLDING, 16, {1, 0}}, {ASSAY_COILS, 38, {1}}},
		{{"mass", NULL, 65.536, "kg"}}, {ASSAY_COILS, 34, 0, 1, ASSAY_BAD}, NULL},
	{"sartorius-pr5220", {{ASSAY_HOLDING, 16, {0, 7}}}, {{"mass", NULL, 0.007, "kg"}},
		{ASSAY_COILS, 38, 1, 0, ASSAY_SUSPECT}, NULL},
	/* Addresses from 1. */
	{"servomex-multiexact", {{ASSAY_INPUT, 0, {0x41a4, 0}}},
		{{"mole_fraction", "O2", 20.5, "%"}}, {ASSAY_DISCRETE, 0, 0, 1, ASSAY_BAD}, NULL},
	{"siemens-pac3200",
		{{ASSAY_HOLDING, 1, {0x4366, 0}}, {ASSAY_HOLDING, 13, {0x4000, 0}},
			{ASSAY_HOLDING, 25, {0x3f80, 0}}, {ASSAY_HOLDING, 55, {0x4248, 0}},
			{ASSAY_HOLDING, 801, {0x3ff8, 0, 0, 0}},
			{ASSAY_HOLDING, 64002, {0x3741, 0x4200}}},
		{{"voltage_l1", NULL, 230, "V"}, {"current_l1", NULL, 2, "A"},
			{"power_l1", NULL, 1, "W"}, {"frequency", NULL, 50, "Hz"},
			{"energy", NULL, 1.5, "W.h"}},
		{0}, "7AB"},
	{"teledyne-t400",
		{{ASSAY_INPUT, 18, {0x4248, 0}}, {ASSAY_INPUT, 42, {0x41a4, 0}},
			{ASSAY_INPUT, 44, {0x4000, 0}}},
		{{"mole_fraction", "O3", 50, "[ppb]"}, {"sample_pressure", NULL, 20.5, "[in_i'Hg]"},
			{"box_temperature", NULL, 2, "Cel"}},
		{ASSAY_DISCRETE, 9, 0, 1, ASSAY_SUSPECT}, NULL},
	/* The low word first. */
	{"thermo-omni", {{ASSAY_HOLDING, 0, {0, 0x4248}}, {ASSAY_HOLDING, 2, {0, 0x4000}}},
		{{"mole_fraction", "CO", 50, "[ppm]"}, {"mole_fraction", "NO", 2, "[ppm]"}}, {0},
		NULL},
	{"vaisala-mgp262",
		{{ASSAY_HOLDING, 0, {0, 0x4248}}, {ASSAY_HOLDING, 4, {0, 0x4000}},
			{ASSAY_HOLDING, 12, {0, 0x41a4}}},
		{{"mole_fraction", "CH4", 50, "[ppm]"}, {"mole_fraction", "CO2", 2, "[ppm]"},
			{"dew_point", NULL, 20.5, "Cel"}},
		{0}, NULL},
};

static void lists_of_registers_give_their_values(void **state)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		const struct listed *l = &lists[i];
		char path[200];
		struct assay_identity id;
		snprintf(path, sizeof(path), PROFILES "/%s.yaml", l->profile);
		struct host *h = create(path);
		for (size_t table = 0; table < sizeof(ranges) / sizeof(*ranges); table++)
			ranges[table].end = 65536;
		for (size_t k = 0; k < 6 && l->at[k].table != 0; k++)
			memcpy(&places[l->at[k].table][l->at[k].address], l->at[k].words,
				sizeof(l->at[k].words));
		if (l->status.table != 0)
			places[l->status.table][l->status.address] = l->status.well;
		read_frame(h, &id);
		for (size_t k = 0; k < 6 && l->is[k].name != NULL; k++)
			expect(h, l->is[k].name, l->is[k].analyte, l->is[k].value, l->is[k].unit);
		if (l->model != NULL)
			assert_string_equal(id.model, l->model);
		if (l->status.table != 0) {
			assert_int_equal(h->frame.flag, ASSAY_GOOD);
			places[l->status.table][l->status.address] = l->status.ill;
			host_reset(h);
			read_frame(h, &id);
			assert_int_equal(h->frame.flag, l->status.flag);
		}
		host_destroy(h);
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sunspec_meter_scales_by_its_registers),
		cmocka_unit_test(a_gcx_is_good_by_the_example_of_its_manual),
		cmocka_unit_test(a_gc955_has_floats_in_ppb),
		cmocka_unit_test(lists_of_registers_give_their_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

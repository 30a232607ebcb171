/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of the data, as published, and everything that is not quite one of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"

extern const struct assay_driver *const assay_driver;

static const char STATUS[] = "mode 0\n";

static int setup(void **state)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_SERIAL);
	host_set(h, "mass_last", "3");
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	host_destroy(*state);
	return 0;
}

static int decode_with(struct host *h, const char *status, const char *text)
{
	/* Without a byte behind it: memory checkers see a reader that goes on. */
	const struct assay_bytes raw[] = {
		{"application/x-hiden-rga-status", "status", host_copy(h, status, strlen(status)),
			strlen(status)},
		{"application/x-hiden-rga-data", "data", host_copy(h, text, strlen(text)),
			strlen(text)}};
	return host_decode_bytes(h, raw, 2, NULL, 0);
}

static int decode(struct host *h, const char *text)
{
	return decode_with(h, STATUS, text);
}

static void the_published_sweep_is_read(void **state)
{
	struct host *h = *state;
	assert_int_equal(decode(h, "[{1.00: 1.25e-09,2.00:-3.0e-10,3.00: 4.1e-11,}]"), 0);
	const struct assay_variable *mz = host_find(h, "mz"), *v = host_find(h, "intensity");
	assert_true(mz->count == 3 && v->count == 3);
	assert_string_equal(v->unit, "1");
	static const double truth[] = {1.25e-9, -3.0e-10, 4.1e-11};
	for (size_t i = 0; i < 3; i++)
		assert_true(host_element(mz, i) == (double)i + 1 && host_element(v, i) == truth[i]);
	assert_int_equal(h->frame.kind, ASSAY_SPECTRUM);
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
}

static void the_published_series_is_read(void **state)
{
	struct host *h = *state;
	host_set(h, "mode", "series");
	host_set(h, "sim_ions", "18");
	host_set(h, "sim_ions", "28.05");
	assert_int_equal(decode(h, "[/100/1.25,/105/2.50,]"), 0);
	const struct assay_variable *mz = host_find(h, "mz"), *v = host_find(h, "intensity");
	const struct assay_variable *time = host_find(h, "elapsed_time");
	assert_true(host_element(mz, 1) == 28.05 && host_element(v, 0) == 1.25);
	assert_true(host_element(v, 1) == 2.5);
	assert_true(host_element(time, 0) == 100 && host_element(time, 1) == 105);
	assert_string_equal(time->unit, "ms");
	assert_int_equal(decode(h, "[/105/1.25,/100/2.50,]"), -EBADMSG);
	assert_int_equal(decode(h, "[/100/1.25,/105.5/2.50,]"), -EBADMSG);
	/* The published sweep with its elapsed time, which the driver does not request. */
	assert_int_equal(decode(h, "[/250/{1.0,2.0,3.0},]"), -EBADMSG);
}

static void a_frame_has_the_unit_of_its_setting(void **state)
{
	static const char *const units[][3] = {{"none", "intensity", "1"},
		{"Torr", "partial_pressure", "mm[Hg]"}, {"mbar", "partial_pressure", "mbar"},
		{"Pa", "partial_pressure", "Pa"}, {"A", "ion_current", "A"}};
	struct host *h = *state;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		host_set(h, "unit", units[i][0]);
		assert_int_equal(decode(h, "[{1.00: 1e-09,2.00: 1e-09,3.00: 1e-09}]"), 0);
		assert_string_equal(host_find(h, units[i][1])->unit, units[i][2]);
	}
}

static void forms_that_sources_disagree_on_are_read(void **state)
{
	static const char *const texts[] = {
		"[{1.00: 1e-09,2.00:-3e-10,3.00: 4e-11}]",   /* no commas at the ends */
		"[{1.00: 1e-09,2.00:-3e-10,3.00: 4e-11,},]", /* both */
		"[{1.00: 1e-09,2.00:-3e-10,3.00: 4e-11,}]!", /* the end is a mark */
		"[{1.00: 1e-09,2.00:-3e-10,3.00: 4e-11,}]\n*C110*\n*C110*\n",
		"[{1.00:1e-09,2.00:-3e-10,3.00:4e-11,}]", /* no blank at any positive value */
		"[\n{1.0\n0: 1e\n-09,2.00:-3e-1\n0,3.00\n:\n 4e-11\n,\n}\n]\n", /* cut anywhere */
		"[{1: 1.0E-9\n9,2.0:-3e-10,3.000: 4e-110,}]"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(decode(*state, texts[i]), 0);
		assert_int_equal(host_find(*state, "intensity")->count, 3);
	}
}

static void other_texts_are_rejected(void **state)
{
	static const char *const texts[] = {"", "[", "[]", "[{}]", "!", "*C110*",
		"[{1.00: 1e-09,2.00:-3e-10,}]",                         /* a mass lacks */
		"[{1.00: 1e-09,3.00: 4e-11,}]",                         /* in the middle */
		"[{1.00: 1e-09,2.00:-3e-10,3.00: 4e-11,4.00: 5e-10,}]", /* one more */
		"[{1.00: 1e-09,2.00:-3e-10,3.01: 4e-11,}]",             /* another mass */
		"[{1.00: 1e-09,2.00:-3e-10,33.00: 4e-11,}]",
		"[{1.00: 1e-09,2.00:-3e-10,3.00: 4e-11,}][{1.00: 1e-09,2.00:-3e-10,3.00: 4e-11,}]",
		"[{1.00: 1e-09,2.00:-3e-10,3.00: 4e-11,}", /* not closed */
		"[{1.00: 1e-09,2.00:-3e-10,3.00: 4e-11,]",
		"1.00: 1e-09,2.00:-3e-10,3.00: 4e-11,}]",     /* not opened */
		"[{1.00: 1e-09,2.00: -3e-10 ,3.00: 4e-11,}]", /* a blank after it */
		"[{1.00: 1e-09,2.00:3e-10,3.00: 4e-11,}]",    /* a lost minus */
		"[{1.00: 1e-0,2.00:-3e-10,3.00: 4e-11,}]",    /* an exponent cut off */
		"[{1.00: 1e-,2.00:-3e-10,3.00: 4e-11,}]",
		"[{1.00: 1e-092.00:-3e-10,3.00: 4e-11,}]", /* a lost comma */
		"[{1.00: nan,2.00:-3e-10,3.00: 4e-11,}]",
		"[{1.00: 1e999,2.00:-3e-10,3.00: 4e-11,}]",
		"[{1.00: 0x1,2.00:-3e-10,3.00: 4e-11,}]", "[{1.00:,2.00:-3e-10,3.00: 4e-11,}]",
		"[{1.00: 1.*P112*5e-09,2.00:-3e-10,3.00: 4e-11,}]", /* a code in a number */
		"[{1.00: 1e-09,2.00:-3e-10,3.00: 4e-11,}]1",
		"[{1.00: 1.2345678901234567890123456789012345,2.00:-3e-10,3.00: 4e-11,}]"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(decode(*state, texts[i]), -EBADMSG);
}

/* Each byte of a whole cycle is lost, doubled or changed: masses stay, nothing becomes good. */
static void no_damage_moves_a_value_to_another_mass(void **state)
{
	static const char whole[] = "[{1.00: 1.25e-09,2.00:-3.07e-10,3.00: 4.16e-11,}]\n*C110*\n";
	static const char others[] = "0919+-e.,:/{}[]* *\n!P";
	struct host *h = *state;
	unsigned accepted = 0;
	for (size_t at = 0; at + 1 < sizeof(whole); at++)
		for (size_t kind = 0; kind < sizeof(others) + 1; kind++) {
			char text[100];
			size_t rest = kind == 0 ? 1 : kind == 1 ? 0 : 1;
			int n = kind == 0 ? snprintf(text, sizeof(text), "%.*s%s", (int)at, whole,
						    whole + at + 1)
					  : snprintf(text, sizeof(text), "%.*s%c%s", (int)at, whole,
						    kind == 1 ? whole[at] : others[kind - 2],
						    whole + at + rest);
			assert_true(n > 0);
			if (decode(h, text) < 0)
				continue;
			accepted++;
			const struct assay_variable *mz = host_find(h, "mz");
			assert_true(mz->count == 3 && host_find(h, "intensity")->count == 3);
			for (size_t i = 0; i < 3; i++)
				assert_true(host_element(mz, i) == (double)i + 1);
			assert_true(h->frame.flag >= ASSAY_UNCHECKED);
			const struct assay_variable *v = host_find(h, "intensity");
			/* A minus can become a blank, but none is lost, and no digit takes its place. */
			bool is_blank = kind > 1 && others[kind - 2] == ' ';
			assert_true(is_blank || host_element(v, 1) < 0);
		}
	assert_true(accepted > 0);
}

static void a_mass_that_is_left_out_needs_its_setting(void **state)
{
	struct host *h = *state;
	static const char short_one[] = "[{1.00: 1e-09,2.00:-3e-10,}]";
	assert_int_equal(decode(h, short_one), -EBADMSG);
	assert_non_null(strstr(h->explained, "stop_mass: left out"));
	host_set(h, "stop_mass", "left out");
	assert_int_equal(decode(h, short_one), 0);
	assert_int_equal(host_find(h, "mz")->count, 2);
	assert_int_equal(decode(h, "[{1.00: 1e-09,2.00:-3e-10,3.00: 1e-10}]"), -EBADMSG);
}

static void fine_steps_have_their_masses(void **state)
{
	struct host *h = *state;
	host_set(h, "mass_first", "27.9");
	host_set(h, "mass_last", "28.1");
	host_set(h, "mass_step", "0.1");
	assert_int_equal(decode(h, "[{27.90: 1e-09,28.00: 2e-09,28.10: 1e-09,}]"), 0);
	const struct assay_variable *mz = host_find(h, "mz");
	assert_true(host_element(mz, 0) == 27.9 && host_element(mz, 2) == 28.1);
}

static void a_trip_makes_the_frame_bad(void **state)
{
	static const char *const texts[] = {
		"inhibited", "pressure", "filament", "emission", "temperature", "*P116"};
	struct host *h = *state;
	for (int i = 0; i < 6; i++) {
		char text[100];
		snprintf(text, sizeof(text), "[{1.00: 1e-09,*P%d*2.00:-3e-10,3.00: 4e-11,}]",
			111 + i);
		assert_int_equal(decode(h, text), 0);
		assert_int_equal(h->frame.flag, ASSAY_BAD);
		assert_true(host_has_reason(h, "interlock"));
		assert_non_null(strstr(host_find(h, "status_text")->text, texts[i]));
	}
}

static void a_code_is_read_wherever_it_is_cut(void **state)
{
	static const char whole[] = "[{1.00: 1e-09,*P112*2.00:-3e-10,3.00: 4e-11,}]\n*C110*\n";
	for (size_t at = 0; at < sizeof(whole); at++) {
		char text[100];
		snprintf(text, sizeof(text), "%.*s\n%s", (int)at, whole, whole + at);
		assert_int_equal(decode(*state, text), 0);
		assert_non_null(strstr(host_find(*state, "status_text")->text, "pressure"));
	}
}

static void flags_decide_the_quality(void **state)
{
	static const struct {
		const char *status;
		enum assay_quality flag;
		const char *text;
	} cases[] = {
		{"mode 1\nF1 1\nemission 1000\ninhibit 0\nptrip 0\nfilok 1\nemok 1\novertemp 0\n",
			ASSAY_UNCHECKED, NULL},
		{"mode 1\nF1 1\nemission 1000\n", ASSAY_UNCHECKED, NULL}, /* a unit without flags */
		{"mode 1\nF1 1\nemission 880\n", ASSAY_SUSPECT, "the emission is 880 uA"},
		{"mode 1\nF1 1\nemission 0\nemok 0\n", ASSAY_BAD,
			"the emission failed; the emission is 0 uA"},
		{"mode 1\nF1 1\nfilok 0\n", ASSAY_BAD, "the filament failed"},
		{"mode 1\nF1 1\nptrip 1\n", ASSAY_BAD, "pressure trip"},
		{"mode 1\nF1 1\novertemp 1\n", ASSAY_BAD, "the temperature is too high"},
		{"mode 1\nF1 1\ninhibit 1\n", ASSAY_BAD, "the unit is inhibited"},
		{"mode 0\nF1 0\nemission 1000\n", ASSAY_BAD, "the filament is off"},
		{"mode 1\nF1\nemission 1000\n", ASSAY_BAD, "the filament is off"},
		{"", ASSAY_BAD, "the filament is off"}};
	struct host *h = *state;
	host_set(h, "emission_current", "1");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			decode_with(h, cases[i].status, "[{1.00: 1e-09,2.00:-3e-10,3.00: 4e-11,}]"),
			0);
		assert_int_equal(h->frame.flag, cases[i].flag);
		const struct assay_variable *text = host_find(h, "status_text");
		assert_true((text == NULL) == (cases[i].text == NULL));
		if (text != NULL)
			assert_string_equal(text->text, cases[i].text);
	}
}

static void settings_that_contradict_are_found(void **state)
{
	static const char *const cases[][5] = {{"mass_first", "50", "mass_last", "40", "mass_last"},
		{"mass_first", "5", "mass_last", "5", "mass_last"},
		{"mass_first", "1", "mass_last", "1.255", "mass_last"},
		{"mass_step", "0.3", "mass_last", "2", "mass_last"},
		{"mass_step", "0.01", "mass_last", "101.01", "mass_step"},
		{"mode", "series", "scans", "1", "sim_ions"},
		{"detector_voltage", "850", "scans", "1", "detector_voltage"},
		{"electron_energy", "40", "scans", "1", "emission_current"},
		{"emission_current", "0.01", "scans", "1", "emission_current"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_TCP);
		host_set(h, cases[i][0], cases[i][1]);
		host_set(h, cases[i][2], cases[i][3]);
		host_check(h);
		assert_non_null(strstr(h->found, cases[i][4]));
		assert_int_equal(h->driver->configure(&h->ins), -EINVAL);
		assert_int_equal(h->writes, 0);
		host_destroy(h);
	}
	struct host *h = *state;
	host_check(h);
	assert_string_equal(h->found, "");
	assert_int_equal(h->driver->configure(&h->ins), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_published_sweep_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(the_published_series_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_frame_has_the_unit_of_its_setting, setup, teardown),
		cmocka_unit_test_setup_teardown(
			forms_that_sources_disagree_on_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(other_texts_are_rejected, setup, teardown),
		cmocka_unit_test_setup_teardown(
			no_damage_moves_a_value_to_another_mass, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_mass_that_is_left_out_needs_its_setting, setup, teardown),
		cmocka_unit_test_setup_teardown(fine_steps_have_their_masses, setup, teardown),
		cmocka_unit_test_setup_teardown(a_trip_makes_the_frame_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(a_code_is_read_wherever_it_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(flags_decide_the_quality, setup, teardown),
		cmocka_unit_test_setup_teardown(
			settings_that_contradict_are_found, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

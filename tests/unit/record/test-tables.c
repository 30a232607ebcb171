/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "record/names.h"
#include "record/quality.h"
#include "record/techniques.h"
#include "record/words.h"

#include "record/units.c" /* for the table in it */

static struct assay_string text(const char *word)
{
	return (struct assay_string){word, strlen(word)};
}

static void units_are_sorted_and_found(void **state)
{
	for (size_t i = 0; i < COUNT; i++) {
		assert_ptr_equal(unit_find(text(units[i].code)), &units[i]);
		assert_true(units[i].techniques != 0);
		assert_non_null(unit_dimension(units[i].dimension)->example);
		assert_true(i == 0 || strcmp(units[i - 1].code, units[i].code) < 0);
	}
	assert_null(unit_find(text("furlong")));
	assert_null(unit_find(text("")));
	assert_null(unit_find((struct assay_string){0}));
	assert_null(unit_find((struct assay_string){"keVx", 2}));
}

static void units_belong_to_techniques(void **state)
{
	assert_true(unit_is_allowed(text("cm-1"), TECHNIQUE_FTIR));
	assert_false(unit_is_allowed(text("cm-1"), TECHNIQUE_XRF));
	assert_true(unit_is_allowed(text("cm-1"), 0));
	assert_true(unit_is_allowed(text("cm-1"), TECHNIQUE_XRF | TECHNIQUE_NIR));
}

static void a_text_that_is_no_ucum_unit_is_rejected_with_a_hint(void **state)
{
	static const char *const mistakes[][2] = {{"Th", "1"}, {"Da", "u"}, {"m/z", "1"},
		{"[absorbance]", "{absorbance}"}, {"ppm", "[ppm]"}, {"kev", "keV"},
		{"CM-1", "cm-1"}, {"ppmv", "[ppm]"}, {"PPB", "[ppb]"}, {"%vol", "%"},
		{"mg/Nm3", "mg/m3"}, {"\u00b5g/m3", "ug/m3"}, {"\u03bcg/m3", "ug/m3"},
		{"mg/m\u00b3", "mg/m3"}, {"mmHg", "mm[Hg]"}, {"\u00b0C", "Cel"}, {"F", "[degF]"},
		{"var", "V.A{reactive}"}, {"kWh", "kW.h"}, {"VA", "V.A"}, {"rpm", "/min"}};
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		assert_false(unit_is_allowed(text(mistakes[i][0]), 0));
		assert_string_equal(unit_suggest(text(mistakes[i][0])), mistakes[i][1]);
		assert_non_null(unit_find(text(mistakes[i][1])));
	}
	for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
		assert_null(unit_find(text(slips[i].wrong)));
		assert_non_null(unit_find(text(slips[i].right)));
		assert_string_equal(unit_suggest(text(slips[i].wrong)), slips[i].right);
	}
	assert_null(unit_suggest(text("furlong")));
	assert_null(unit_find(text("Cel/min"))); /* a rate is in K/min: Celsius has no ratios */
}

static void names_are_sorted_and_found(void **state)
{
	const struct name *name;
	size_t i;
	for (i = 0; (name = name_at(i)) != NULL; i++) {
		assert_ptr_equal(name_find(text(name->name)), name);
		assert_true(name_is_valid(text(name->name)));
		assert_true(name->techniques != 0 && name->where != 0);
		assert_true(i == 0 || strcmp(name_at(i - 1)->name, name->name) < 0);
	}
	assert_true(i >= 70);
	assert_null(name_find(text("no_such_name")));
}

static void a_name_carries_its_row(void **state)
{
	const struct name *name = name_find(text("counts"));
	assert_int_equal(name->where, NAME_DATA);
	assert_int_equal(name->techniques, TECHNIQUE_XRF);
	assert_string_equal(name->unit, "{count}");
	assert_string_equal(name->term, "MS:1000131");
	assert_null(name->label);
	assert_string_equal(name->meaning, "per channel");
	assert_string_equal(
		name_find(text("oven_program"))->meaning, "list of rate, temperature, hold");
}

static void units_of_names_are_units_of_their_techniques(void **state)
{
	const struct name *name;
	const struct technique *technique;
	for (size_t i = 0; (name = name_at(i)) != NULL; i++)
		for (size_t t = 0; (technique = technique_at(t)) != NULL; t++)
			if (name->unit != NULL && (name->techniques & technique->bit) != 0 &&
				!unit_is_allowed(text(name->unit), technique->bit))
				fail_msg("%s: %s is no unit of %s", name->name, name->unit,
					technique->token);
}

static void a_name_takes_units_of_its_dimensions(void **state)
{
	static const struct {
		const char *name, *unit;
		bool is_taken;
	} cases[] = {{"partial_pressure", "mbar", true}, {"partial_pressure", "um[Hg]", true},
		{"partial_pressure", "kg", false}, {"partial_pressure", "A", false},
		{"ion_current", "pA", true}, {"ion_current", "Pa", false}, {"energy", "nm", false},
		{"mole_fraction", "[ppm]", true}, {"mole_fraction", "mg/m3", false},
		{"concentration", "%", true}, {"concentration", "g/L", true},
		{"concentration", "ug/cm2", true}, {"concentration", "K", false},
		{"detector_temperature", "Cel", true}, {"counts", "1", true},
		{"counts", "{count}/s", false}, {"intensity", "{count}/s", true},
		{"signal", "kg", true}, {"measuring_range", "kg", true}, {"my_own", "kg", true}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (name_takes_unit(name_find(text(cases[i].name)), text(cases[i].unit)) !=
			cases[i].is_taken)
			fail_msg("%s in %s", cases[i].name, cases[i].unit);
}

static void names_of_variables_are_near_their_slips_only(void **state)
{
	static const struct {
		const char *found, *near;
	} cases[] = {{"sginal", "signal"}, {"concentratoin", "concentration"}, {"count", "counts"},
		{"live_tme", "live_time"}, {"partial_presure", "partial_pressure"},
		{"signal", NULL}, {"signal_2", NULL}, {"signal2", NULL}, {"mz", NULL},
		{"tube_anode", NULL}, {"tube_anod", NULL}, {"total", NULL}, {"weight", NULL},
		{"oxygen", NULL}, {"o2", NULL}, {"", NULL}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct name *near = name_near(cases[i].found);
		const char *expected = cases[i].near != NULL ? cases[i].near : "none";
		if (strcmp(near != NULL ? near->name : "none", expected) != 0)
			fail_msg("%s: %s", cases[i].found, near != NULL ? near->name : "none");
	}
}

static void units_of_a_name_are_listed(void **state)
{
	char list[NAME_UNITS];
	assert_string_equal(name_units(name_find(text("partial_pressure")), list), "Pa");
	assert_string_equal(name_units(name_find(text("intensity")), list), "1, A, V or {count}/s");
	const struct name long_one = {.unit = "mg/m3",
		.others = "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a "
			  "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a"};
	assert_int_equal(strlen(name_units(&long_one, list)), NAME_UNITS - 1);
}

static void other_units_are_units_of_other_dimensions(void **state)
{
	const struct name *name;
	for (size_t i = 0; (name = name_at(i)) != NULL; i++) {
		char others[80] = "", *rest = others;
		snprintf(others, sizeof others, "%s", name->others != NULL ? name->others : "");
		assert_true(others[0] == '\0' || name->unit != NULL);
		for (char *code; (code = strsep(&rest, " ")) != NULL && code[0] != '\0';)
			if (strcmp(name->others, "*") != 0 &&
				(unit_find(text(code)) == NULL ||
					unit_find(text(code))->dimension ==
						unit_find(text(name->unit))->dimension))
				fail_msg("%s: %s", name->name, code);
	}
}

static void names_follow_their_pattern(void **state)
{
	assert_true(name_is_valid(text("a")));
	assert_true(name_is_valid(text("a2345678901234567890123456789012")));
	assert_false(name_is_valid(text("a23456789012345678901234567890123")));
	assert_false(name_is_valid(text("")));
	assert_false(name_is_valid(text("1a")));
	assert_false(name_is_valid(text("_a")));
	assert_false(name_is_valid(text("a-b")));
	assert_false(name_is_valid(text("A")));
}

static void techniques_are_found_by_token_and_term(void **state)
{
	assert_int_equal(technique_find(text("xrf"))->bit, TECHNIQUE_XRF);
	assert_int_equal(technique_find(text("CHMO:0000497"))->bit, TECHNIQUE_GCMS);
	assert_string_equal(technique_find(text("weighing"))->id, "ASSAY:0000001");
	assert_null(technique_find(text("xr")));
	const struct technique xrf = technique_of("xrf"), other = technique_of("tga");
	assert_int_equal(xrf.bit, TECHNIQUE_XRF);
	assert_int_equal(other.bit, 0);
	assert_string_equal(other.id, technique_of("other").id);
	assert_string_equal(other.name, "tga");
	assert_true(technique_is_valid(text("tga-2")) && !technique_is_valid(text("-")) &&
		    !technique_is_valid(text("2-tga")) && !technique_is_valid(text("")));
	unsigned all = 0;
	for (size_t i = 0; technique_at(i) != NULL; i++)
		all |= technique_at(i)->bit;
	assert_int_equal(all, TECHNIQUE_ALL);
}

static void quality_only_gets_worse_and_keeps_each_reason_once(void **state)
{
	struct quality q = {.flag = ASSAY_QUALITY_GOOD};
	quality_lower(&q, ASSAY_QUALITY_SUSPECT, "saturated");
	quality_lower(&q, ASSAY_QUALITY_UNCHECKED, "timeout");
	quality_lower(&q, ASSAY_QUALITY_GOOD, "saturated");
	quality_lower(&q, ASSAY_QUALITY_GOOD, NULL);
	assert_int_equal(q.flag, ASSAY_QUALITY_SUSPECT);
	assert_int_equal(q.why_count, 2);
	const char *meaning;
	for (size_t i = 0; quality_reason_at(i, &meaning) != NULL; i++)
		quality_lower(&q, ASSAY_QUALITY_BAD, quality_reason_at(i, &meaning));
	assert_int_equal(q.why_count, QUALITY_REASONS_MAX);
	assert_null(quality_reason(text("tired")));
	assert_string_equal(assay_quality_name(ASSAY_QUALITY_MISSING), "missing");
	assert_null(assay_quality_name((enum assay_quality_flag)5));
}

static void words_and_values_are_the_same_list(void **state)
{
	assert_int_equal(
		words_find(&words_run_status, text("interrupted")), RUN_STATUS_INTERRUPTED);
	assert_int_equal(
		words_find(&words_device_state, text("maintenance")), DEVICE_STATE_MAINTENANCE);
	assert_int_equal(words_find(&words_auth_way, text("none")), AUTH_NONE);
	assert_int_equal(words_find(&words_sample_type, text("training")), SAMPLE_TRAINING);
	assert_int_equal(words_find(&words_entry_way, text("instrument")), ENTRY_INSTRUMENT);
	assert_int_equal(words_find(&words_ref_kind, text("repeats")), REF_REPEATS);
	assert_int_equal(words_find(&words_run_mode, text("continuous")), RUN_MODE_CONTINUOUS);
	assert_int_equal(words_find(&words_run_mode, text("")), -ENOENT);
	assert_string_equal(assay_record_type_name(ASSAY_RECORD_SEAL), "seal");
	assert_string_equal(assay_frame_kind_name(ASSAY_KIND_TABLE), "table");
	assert_string_equal(assay_role_name(ASSAY_ROLE_FLAGS), "flags");
	assert_string_equal(assay_sync_name(ASSAY_SYNC_NONE), "none");
	assert_null(assay_role_name((enum assay_var_role)0));
	assert_null(assay_role_name((enum assay_var_role)6));
}

static void the_drivers_numbers_are_the_records_numbers(void **state)
{
	assert_int_equal((int)ASSAY_TABULAR, (int)ASSAY_KIND_TABLE);
	assert_int_equal((int)ASSAY_SPECTRUM, (int)ASSAY_KIND_SPECTRUM);
	assert_int_equal((int)ASSAY_DATA, (int)ASSAY_ROLE_DATA);
	assert_int_equal((int)ASSAY_FLAGS, (int)ASSAY_ROLE_FLAGS);
	assert_int_equal((int)ASSAY_U8, (int)ASSAY_ELEMENT_U8);
	assert_int_equal((int)ASSAY_F64, (int)ASSAY_ELEMENT_F64);
	assert_int_equal((int)ASSAY_MISSING, (int)ASSAY_QUALITY_MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_are_sorted_and_found),
		cmocka_unit_test(units_belong_to_techniques),
		cmocka_unit_test(a_text_that_is_no_ucum_unit_is_rejected_with_a_hint),
		cmocka_unit_test(names_are_sorted_and_found),
		cmocka_unit_test(a_name_carries_its_row),
		cmocka_unit_test(units_of_names_are_units_of_their_techniques),
		cmocka_unit_test(a_name_takes_units_of_its_dimensions),
		cmocka_unit_test(names_of_variables_are_near_their_slips_only),
		cmocka_unit_test(units_of_a_name_are_listed),
		cmocka_unit_test(other_units_are_units_of_other_dimensions),
		cmocka_unit_test(names_follow_their_pattern),
		cmocka_unit_test(techniques_are_found_by_token_and_term),
		cmocka_unit_test(quality_only_gets_worse_and_keeps_each_reason_once),
		cmocka_unit_test(words_and_values_are_the_same_list),
		cmocka_unit_test(the_drivers_numbers_are_the_records_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

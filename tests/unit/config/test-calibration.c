/* SPDX-License-Identifier: Apache-2.0 */
/* The settings that a calibration holds for: of instruments, methods and steps. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/errors.h"
#include "config/load.h"
#include "drivers.h"
#include "record/json.h"

#define LAB "laboratory: {site: lab, node: bench}\n"

static struct config *config;
static struct config_errors errors;

static int load(const char *text)
{
	return load_text(text, strlen(text), &test_catalog, &config, &errors);
}

static int finish(void **state)
{
	config_errors_finish(&errors);
	config_destroy(config);
	config = NULL;
	return 0;
}

static void assert_holds(const struct config_calibration *calibration, struct assay_span settings,
	struct assay_span read_back, const char *expected)
{
	struct buffer holds = {0}, json = {0};
	assert_int_equal(config_holds(config->instruments[0].driver, calibration, settings,
				 read_back, &holds),
		0);
	if (holds.len > 0)
		assert_int_equal(json_write(&json, holds.data, holds.len), 0);
	buffer_append(&json, "", 1);
	assert_string_equal((const char *)json.data, expected);
	buffer_finish(&holds);
	buffer_finish(&json);
}

static void it_holds_for_what_is_named_then_sent_then_read_back(void **state)
{
	static const uint8_t gain_7[] = "\xa1\x64gain\xa2\x61v\x07\x61u\x61\x31";
	const struct assay_span none = {0}, back = {gain_7, sizeof gain_7 - 1};
	assert_int_equal(load(LAB "instruments:\n"
				  "  x:\n    driver: amptek-dp5\n    link: usb\n"
				  "    settings: {channels: 512}\n"
				  "    calibration: {id: C, energy: {gain: 10 eV}, holds_for: "
				  "{channels: 2048}}\n"
				  "  y: {driver: amptek-dp5, link: {type: udp, host: a}}\n"),
		0);
	const struct config_instrument *x = config_find(config, "x"), *y = config_find(config, "y");
	assert_holds(&x->calibration, x->settings, none, "{\"channels\":2048}");
	assert_holds(&x->calibration, x->settings, back,
		"{\"channels\":2048,\"gain\":{\"v\":7,\"u\":\"1\"}}");
	assert_holds(&y->calibration, x->settings, none, "{\"channels\":512}");
	assert_holds(&y->calibration, y->settings, back, ""); /* it has no calibration */
	assert_int_equal(config->warnings.count, 1);          /* x itself: 512, not 2048 */
}

static void a_name_that_no_calibration_depends_on_is_an_error(void **state)
{
	assert_int_equal(
		load(LAB "instruments:\n"
			 "  x:\n    driver: amptek-dp5\n    link: usb\n"
			 "    calibration: {energy: {gain: 10 eV}, holds_for: {gian: 16}}\n"),
		-EINVAL);
	assert_int_equal(errors.count, 1);
	assert_int_equal(errors.items[0].mark.line, 6);
	assert_string_equal(errors.items[0].text,
		"no calibration of driver amptek-dp5 depends on 'gian'; did you mean 'gain'?");
}

#define SOIL(light, heavy)                                                   \
	LAB "instruments:\n"                                                 \
	    "  x:\n    driver: amptek-dp5\n    link: usb\n"                  \
	    "    settings: {gain: 16}\n"                                     \
	    "    calibration: {id: C, energy: {zero: 0 keV, gain: 10 eV}}\n" \
	    "methods:\n"                                                     \
	    "  soil:\n    version: 3\n    driver: amptek-dp5\n    steps:\n"  \
	    "      - {name: light, settings: {gain: 40}" light "}\n"         \
	    "      - {name: heavy, settings: {" heavy "}}\n"

static void a_method_outside_the_calibration_is_warned_of(void **state)
{
	assert_int_equal(load(SOIL("", "preset_time: 9 s")), 0);
	assert_int_equal(config->warnings.count, 1);
	const struct config_error *w = &config->warnings.items[0];
	assert_int_equal(w->mark.line, 13);
	assert_string_equal(w->text,
		"warning: step 'light' of method soil sets gain to 40, and the calibration of x "
		"holds for 16: its frames have no calibrated axis and are suspect, cal-settings; "
		"give it a calibration of its own");
	finish(NULL);
	assert_int_equal(load(SOIL("", "gain: 16")), 0);
	assert_int_equal(config->warnings.count, 1);
	finish(NULL);
	assert_int_equal(load(SOIL("", "channels: 512")), 0);
	assert_int_equal(config->warnings.count, 2); /* and channels */
}

static void a_step_with_its_own_calibration_is_not_warned_of(void **state)
{
	assert_int_equal(
		load(SOIL(", calibration: {id: G40, energy: {gain: 4 eV}}", "gain: 16")), 0);
	assert_int_equal(config->warnings.count, 0);
	const struct config_method *m = config_find_method(config, "soil");
	assert_string_equal(m->steps[0].calibration->id, "G40");
	assert_null(m->steps[1].calibration);
	struct buffer own = {0};
	char *why;
	assert_int_equal(config_merge(config->instruments[0].driver,
				 config->instruments[0].settings, m->steps[0].settings, &own, &why),
		0);
	struct assay_span merged = {own.data, own.len};
	assert_holds(m->steps[0].calibration, merged, (struct assay_span){0},
		"{\"channels\":1024,\"gain\":{\"v\":40,\"u\":\"1\"}}");
	buffer_finish(&own);
}

static void it_belongs_to_the_hash_of_a_method(void **state)
{
	uint8_t first[32];
	assert_int_equal(load(SOIL(", calibration: {energy: {gain: 4 eV}}", "gain: 16")), 0);
	memcpy(first, config->methods[0].sha256, sizeof first);
	finish(NULL);
	assert_int_equal(load(SOIL(", calibration: {energy: {gain: 4 eV}, holds_for: {gain: 40}}",
				 "gain: 16")),
		0);
	assert_memory_not_equal(first, config->methods[0].sha256, sizeof first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			it_holds_for_what_is_named_then_sent_then_read_back, finish),
		cmocka_unit_test_teardown(
			a_name_that_no_calibration_depends_on_is_an_error, finish),
		cmocka_unit_test_teardown(a_method_outside_the_calibration_is_warned_of, finish),
		cmocka_unit_test_teardown(a_step_with_its_own_calibration_is_not_warned_of, finish),
		cmocka_unit_test_teardown(it_belongs_to_the_hash_of_a_method, finish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

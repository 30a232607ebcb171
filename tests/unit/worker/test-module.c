/* SPDX-License-Identifier: Apache-2.0 */
/* Modules that were built with another version of <assay/driver.h>. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/module.h"

static void a_module_with_fewer_slots_has_none_of_the_others(void **state)
{
	static const struct {
		const char *name;
		bool has_stop, has_check;
	} rows[] = {{"before-stop", false, false}, {"before-check", true, false},
		{"few-services", true, true}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct module module;
		char why[MODULE_WHY] = "";
		if (module_open(&module, getenv("ASSAY_SIZED_DRIVERS"), rows[i].name, why) < 0)
			fail_msg("%s", why);
		assert_string_equal(module.driver->name, rows[i].name);
		assert_non_null(module.driver->decode);
		assert_int_equal(module.driver->stop != NULL, rows[i].has_stop);
		assert_int_equal(module.driver->check != NULL, rows[i].has_check);
		module_close(&module);
	}
}

static void a_module_that_does_not_fit_is_rejected_in_words(void **state)
{
	static const struct {
		const char *name, *why;
	} rows[] = {
		{"before-decode", "it lacks identify, acquire or decode"},
		{"newer", "a later <assay/driver.h>: its struct assay_driver has"},
		{"newer-host", "a later <assay/driver.h>: its struct assay_host has"},
		{"newer-setting", "a later <assay/driver.h>: its struct assay_setting has"},
		{"newer-link", "a later <assay/driver.h>: its struct assay_link_defaults has"},
		{"other-abi", "it was built for driver interface 1, and this is 2"},
		{"no-head", "it gives 0 bytes for struct assay_setting: its table has to begin"},
		{"half-a-slot", "no whole number of slots"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct module module;
		char why[MODULE_WHY] = "";
		int r = module_open(&module, getenv("ASSAY_SIZED_DRIVERS"), rows[i].name, why);
		if (r != -ELIBBAD || strstr(why, rows[i].why) == NULL)
			fail_msg("%s: %d %s", rows[i].name, r, why);
		assert_null(module.driver);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_module_with_fewer_slots_has_none_of_the_others),
		cmocka_unit_test(a_module_that_does_not_fit_is_rejected_in_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

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

static void a_module_from_before_the_last_slots_has_none_of_them(void **state)
{
	static const char *const names[] = {"before-read-back", "before-check"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct module module;
		char why[MODULE_WHY] = "";
		if (module_open(&module, getenv("ASSAY_SIZED_DRIVERS"), names[i], why) < 0)
			fail_msg("%s", why);
		assert_string_equal(module.driver->name, names[i]);
		assert_int_equal(module.driver->size, sizeof(struct assay_driver));
		assert_non_null(module.driver->decode);
		assert_int_equal(module.driver->read_back != NULL, i == 1);
		assert_null(module.driver->check);
		module_close(&module);
	}
}

static void a_module_of_another_header_is_rejected(void **state)
{
	static const char *const names[] = {"newer", "too-old", "half-a-slot", "other-abi"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct module module;
		char why[MODULE_WHY] = "";
		int r = module_open(&module, getenv("ASSAY_SIZED_DRIVERS"), names[i], why);
		if (r != -ELIBBAD || strstr(why, "another version of <assay/driver.h>") == NULL)
			fail_msg("%s: %d %s", names[i], r, why);
		assert_null(module.driver);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_module_from_before_the_last_slots_has_none_of_them),
		cmocka_unit_test(a_module_of_another_header_is_rejected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

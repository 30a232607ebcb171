/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules built with earlier headers, loaded by the present worker; with NEXT by one whose header has
 * grown by a member in each struct (make-next.py).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/module.h"
#include "worker/value.h"

static int argc_names;
static char **names;

static void check_name(const char *found, const char *expected)
{
	if (expected == NULL)
		assert_null(found);
	else
		assert_string_equal(found, expected);
}

static void check_settings(const struct assay_setting *s)
{
	static const char *const columns[] = {"offset", "label", NULL};
	static const char *const all[] = {"speed", "rows", "gain", NULL};
	for (size_t i = 0; i < 4; i++)
		check_name(s[i].name, all[i]);
	for (size_t i = 0; i < 3; i++)
		check_name(s[1].columns[i].name, columns[i]);
	assert_string_equal(s[0].choices[1], "slow");
	assert_string_equal(s[0].fallback, "slow");
	assert_string_equal(s[1].columns[0].unit, "V");
	assert_string_equal(s[1].columns[1].help, "of the row");
	assert_true(s[2].min == 1 && s[2].max == 8 && s[2].flags == 0);
#ifdef NEXT
	assert_null(s[0].later);
	assert_null(s[1].later);
	assert_null(s[1].columns[0].later);
	assert_null(s[1].columns[1].later);
#endif
}

static void check_links(const struct assay_link_defaults *links)
{
	assert_int_equal(links[0].link, ASSAY_LINK_SERIAL);
	assert_string_equal(links[0].defaults, "baud: 9600");
	assert_int_equal(links[1].link, ASSAY_LINK_TCP);
	assert_string_equal(links[1].defaults, "port: 4000");
	assert_int_equal(links[2].link, 0);
#ifdef NEXT
	assert_null(links[0].later);
	assert_null(links[1].later);
#endif
}

static void modules_of_earlier_headers_are_whole(void **state)
{
	assert_true(argc_names > 0);
	for (int i = 0; i < argc_names; i++) {
		struct module module;
		char why[MODULE_WHY] = "", name[40];
		snprintf(name, sizeof name, "released-%s", names[i]);
		if (module_open(&module, getenv("ASSAY_RELEASED_DRIVERS"), name, why) < 0)
			fail_msg("%s", why);
		const struct assay_driver *driver = module.driver;
		assert_string_equal(driver->name, name);
		assert_int_equal(driver->raw_max, 2);
		assert_true(driver->decode != NULL && driver->configure != NULL);
		assert_true(driver->stop == NULL && driver->make_safe == NULL);
		assert_null(driver->check);
#ifdef NEXT
		assert_null(driver->later);
#endif
		check_settings(driver->settings);
		check_links(driver->link_defaults);
		module_close(&module);
	}
}

/* The bytes behind a shorter variable are not the driver's. */
static void a_shorter_variable_has_nothing_more(void **state)
{
	struct assay_variable v, all;
	memset(&v, 0x5a, sizeof v);
	for (size_t size = 0; size <= sizeof v; size++) {
		static const char zero[sizeof v];
		all = value_adopt(&v, size);
		assert_memory_equal(&all, &v, size);
		assert_memory_equal((const char *)&all + size, zero, sizeof v - size);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modules_of_earlier_headers_are_whole),
		cmocka_unit_test(a_shorter_variable_has_nothing_more),
	};
	argc_names = argc - 1;
	names = argv + 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

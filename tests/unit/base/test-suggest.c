/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/suggest.h"

static void near_names_are_suggested_and_far_ones_are_not(void **state)
{
	char text[400];
	struct suggest s;
	assert_int_equal(suggest_distance("serial", "serail"), 1);
	assert_int_equal(suggest_distance("mass_first", "Mass-First"), 0);
	assert_int_equal(suggest_distance("", "abc"), 3);
	suggest_init(&s, "amptek-dp");
	suggest_offer(&s, "amptek-dp5");
	suggest_offer(&s, "srs-rga");
	assert_string_equal(suggest_text(&s, text, sizeof text), "; did you mean 'amptek-dp5'?");
	suggest_init(&s, "bruker");
	suggest_offer(&s, "amptek-dp5");
	suggest_offer(&s, "srs-rga");
	assert_string_equal(
		suggest_text(&s, text, sizeof text), ", expected one of amptek-dp5, srs-rga");
	suggest_init(&s, "zzzzzzzz");
	for (int i = 0; i < 30; i++)
		suggest_offer(&s, "a-name");
	assert_string_equal(suggest_text(&s, text, sizeof text), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(near_names_are_suggested_and_far_ones_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/list.h"

static void append_grows_and_keeps_bytes(void **state)
{
	struct buffer b = {0};
	for (int i = 0; i < 1000; i++)
		buffer_append(&b, &(uint8_t){(uint8_t)i}, 1);
	assert_int_equal(b.len, 1000);
	assert_int_equal(b.data[999], 999 % 256);
	buffer_consume(&b, 998);
	assert_int_equal(b.len, 2);
	assert_int_equal(b.data[1], 999 % 256);
	buffer_finish(&b);
	assert_null(b.data);
}

static void append_past_limit_fails_and_keeps_the_bytes(void **state)
{
	struct buffer b = {.limit = 4};
	buffer_append(&b, "abc", 3);
	buffer_append(&b, "de", 2);
	assert_true(b.failed);
	buffer_append(&b, "d", 1);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "abc", 3);
	buffer_reset(&b);
	assert_false(b.failed);
	buffer_finish(&b);
}

static void reserve_refuses_a_length_that_wraps(void **state)
{
	struct buffer b = {0};
	buffer_append(&b, "abc", 3);
	assert_null(buffer_reserve(&b, SIZE_MAX - 1));
	assert_true(b.failed);
	buffer_finish(&b);
}

struct item {
	int value;
	struct list link; /* head */
};

static void walking_a_list_survives_removal(void **state)
{
	struct list head;
	list_init(&head);
	struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
	for (int i = 0; i < 3; i++)
		list_append(&head, &items[i].link);
	int sum = 0;
	struct item *item;
	list_for_each(item, &head, link)
	{
		sum += item->value;
		list_remove(&item->link);
	}
	assert_int_equal(sum, 6);
	assert_true(list_is_empty(&head));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(append_grows_and_keeps_bytes),
		cmocka_unit_test(append_past_limit_fails_and_keeps_the_bytes),
		cmocka_unit_test(reserve_refuses_a_length_that_wraps),
		cmocka_unit_test(walking_a_list_survives_removal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

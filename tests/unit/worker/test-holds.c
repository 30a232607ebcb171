/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a calibration holds: every value that was sent or read back against every one held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "record/encode.h"
#include "record/keys.h"
#include "worker/holds.h"

enum kind { ABSENT, INTEGER, NUMBER, TEXT };

struct value {
	enum kind kind;
	double number;
	const char *text;
};

/* Groups of values that are the same; `near`: only for one that was read back. */
static const struct {
	struct value value;
	int group, near;
} values[] = {
	{{ABSENT}, 0, 0},
	{{INTEGER, .number = 2048}, 1, 1},
	{{NUMBER, .number = 2048}, 1, 1},
	{{INTEGER, .number = 1024}, 2, 2},
	{{NUMBER, .number = 16}, 3, 3},
	{{NUMBER, .number = 16.009}, 4, 3},
	{{NUMBER, .number = 16.1}, 5, 5},
	{{NUMBER, .number = 0}, 6, 6},
	{{NUMBER, .number = -16}, 7, 7},
	{{TEXT, .text = "80"}, 8, 8},
	{{TEXT, .text = "auto"}, 9, 9},
};
#define COUNT (sizeof values / sizeof values[0])

static struct assay_span encode(struct buffer *to, const struct value *value)
{
	struct map map;
	buffer_reset(to);
	map_open(&map, to);
	if (value->kind != ABSENT)
		map_key(&map, "gain");
	switch (value->kind) {
	case ABSENT: break;
	case INTEGER: encode_int(to, (int64_t)value->number); break;
	case NUMBER: encode_quantity(to, value->number, "1"); break;
	case TEXT: encode_text(to, value->text); break;
	}
	map_close(&map);
	return (struct assay_span){to->data, to->len};
}

static void only_the_held_value_holds(void **state)
{
	struct buffer held = {0}, sent = {0}, used = {0};
	for (size_t h = 1; h < COUNT; h++) {
		for (size_t s = 0; s < COUNT; s++) {
			for (size_t u = 0; u < COUNT; u++) {
				bool expected = s != 0 ? values[s].group == values[h].group
						       : values[u].near == values[h].near;
				bool is = holds_are_met(encode(&held, &values[h].value),
					encode(&sent, &values[s].value),
					encode(&used, &values[u].value));
				if (is != expected)
					fail_msg("held %zu, sent %zu, used %zu: %d", h, s, u, is);
			}
		}
	}
	assert_true(holds_are_met(encode(&held, &values[0].value), encode(&sent, &values[3].value),
		encode(&used, &values[4].value)));
	buffer_finish(&held);
	buffer_finish(&sent);
	buffer_finish(&used);
}

static void the_calibration_alone_is_left_out(void **state)
{
	static const struct assay_setting table[] = {
		{.name = "gain", .type = ASSAY_NUMBER, .flags = ASSAY_CALIBRATES},
		{.name = "energy_gain", .type = ASSAY_NUMBER, .flags = ASSAY_CALIBRATION},
		{.name = "energy_zero", .type = ASSAY_NUMBER, .flags = ASSAY_CALIBRATION},
		{0},
	};
	struct buffer sent = {0}, bare = {0};
	struct map map;
	map_open(&map, &sent);
	for (size_t i = 0; i < 3; i++) {
		map_key(&map, table[i].name);
		encode_quantity(&sent, 1, "1");
	}
	map_close(&map);
	assert_int_equal(holds_strip((struct assay_span){sent.data, sent.len}, table, &bare), 0);
	struct assay_span left = {bare.data, bare.len};
	assert_true(keys_value(left, string_of("gain")).len > 0);
	assert_int_equal(keys_value(left, string_of("energy_gain")).len, 0);
	assert_int_equal(keys_value(left, string_of("energy_zero")).len, 0);
	assert_int_equal(bare.data[0], 0xa1);
	buffer_finish(&sent);
	buffer_finish(&bare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_held_value_holds),
		cmocka_unit_test(the_calibration_alone_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The page: texts of others in labels, replies that are cut, many instruments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "page.h"
#include "record/encode.h"
#include "record/text.h"

static void labels_are_escaped(void **state)
{
	static const char *const cases[][2] = {{"CAL-1", "CAL-1"}, {"a\"b", "a\\\"b"},
		{"a\\", "a\\\\"}, {"a\nb", "a?b"}, {"\x1b[0m", "?[0m"}, {"", ""}, {"µ", "µ"}};
	char to[100], small[8];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		page_escape(to, sizeof to, string_of(cases[i][0]));
		assert_string_equal(to, cases[i][1]);
	}
	/* It never ends in the middle of an escape. */
	page_escape(small, sizeof small, string_of("\"\"\"\"\"\"\"\"\"\""));
	assert_string_equal(small, "\\\"\\\"\\\"");
}

static void add_reply(struct buffer *to, size_t instruments)
{
	struct map map, inner;
	char key[16];
	map_open(&map, to);
	map_bool(&map, "ok", true);
	map_text(&map, "site", "ccl");
	map_text(&map, "version", "1\"\n2");
	map_key(&map, "journal");
	map_open(&inner, to);
	map_uint(&inner, "free", UINT64_MAX);
	map_close(&inner);
	map_key(&map, "instruments");
	encode_array(to, instruments);
	for (size_t i = 0; i < instruments; i++) {
		snprintf(key, sizeof key, "gas-%zu", i);
		map_open(&inner, to);
		map_text(&inner, "key", key);
		map_text(&inner, "state", i % 2 == 0 ? "busy" : "fault");
		map_uint(&inner, "frames", i);
		map_close(&inner);
	}
	map_close(&map);
}

/* A comment, or NAME, NAME{...}, a blank and a number; all of it printable. */
static void check_line(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_true((unsigned char)line[i] >= ' ');
	if (line[0] != '#') {
		const char *end = memchr(line, '}', len), *blank = memchr(line, ' ', len);
		assert_memory_equal(line, "assay_", 6);
		assert_non_null(blank);
		if (end != NULL)
			assert_int_equal(end[1], ' ');
	}
}

static size_t write_page(struct assay_span reply, bool *up)
{
	struct counts counts = {0};
	struct buffer page = {0};
	size_t lines = 0;
	page_write(&page, reply, &counts);
	assert_false(page.failed);
	buffer_append(&page, "", 1);
	for (char *line = (char *)page.data, *end; *line != '\0'; line = end + 1, lines++) {
		end = strchr(line, '\n');
		assert_non_null(end);
		check_line(line, (size_t)(end - line));
	}
	*up = strstr((char *)page.data, "\nassay_up 1\n") != NULL;
	buffer_finish(&page);
	return lines;
}

static void a_cut_reply_is_no_reply(void **state)
{
	struct buffer reply = {0};
	bool up;
	add_reply(&reply, 3);
	size_t all = write_page((struct assay_span){reply.data, reply.len}, &up);
	assert_true(up);
	assert_true(all > 50);
	for (size_t len = 0; len < reply.len; len++) {
		write_page((struct assay_span){reply.data, len}, &up);
		assert_false(up);
	}
	write_page((struct assay_span){0}, &up);
	assert_false(up);
	buffer_finish(&reply);
}

static void the_number_of_instruments_is_bounded(void **state)
{
	struct buffer reply = {0};
	bool up;
	add_reply(&reply, 1024);
	write_page((struct assay_span){reply.data, reply.len}, &up);
	assert_true(up);
	buffer_reset(&reply);
	add_reply(&reply, 1025);
	write_page((struct assay_span){reply.data, reply.len}, &up);
	assert_false(up);
	buffer_finish(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_escaped),
		cmocka_unit_test(a_cut_reply_is_no_reply),
		cmocka_unit_test(the_number_of_instruments_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

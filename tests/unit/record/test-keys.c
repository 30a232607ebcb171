/* SPDX-License-Identifier: Apache-2.0 */
/* Every type of key against every way in which a map can be wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/keys.h"

#define FILL 0xa5 /* bytes that nothing was stored in */

struct inner {
	uint16_t n;
	char text[4];
};

struct all {
	uint64_t u64;
	uint8_t u8;
	bool flag_as_uint;
	int64_t i64;
	double number;
	bool flag;
	struct assay_string text, short_text;
	char chars[4];
	enum entry_way word;
	struct assay_span bytes, short_bytes, raw, raw_map, raw_list;
	const uint8_t *fixed;
	uint8_t copy[3];
	struct inner inner, list[2];
	size_t list_count;
	char other;
};

/* A text of one byte; "!" returns another errno than the reader. */
static int read_other(struct reader *r, const struct key *key, void *to)
{
	struct assay_string text;
	size_t at = r->at;
	if (read_text(r, &text) < 0)
		return r->error;
	if (text.len != 1)
		return read_fail(r, at, "must be one letter");
	if (text.data[0] == '!')
		return -ENOMEM;
	*(char *)to = text.data[0];
	return 0;
}

static const struct keys inner_keys = {.size = sizeof(struct inner),
	.rows = (const struct key[]){{"n", KEY_UINT, KEY_AT(struct inner, n), .required = true},
		{"text", KEY_CHARS, KEY_AT(struct inner, text)}, {0}}};

struct item {
	const char *bytes;
	size_t len;
};

#define ITEM(literal)                         \
	{                                     \
		literal, sizeof(literal) - 1, \
	}

#define INNER_MAX "\xa2\x61n\x19\xff\xff\x64text\x63"

struct row {
	struct key key;
	struct item good;  /* the largest that fits */
	struct item wrong; /* of another type */
	struct item large; /* of this type, but does not fit; may be none */
	const char *expected;
};

static const struct row rows[] = {
	{{"k", KEY_UINT, KEY_AT(struct all, u64)}, ITEM("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"),
		ITEM("\x20"), {0}, "a whole number"},
	{{"k", KEY_UINT, KEY_AT(struct all, u64), .limit = 7}, ITEM("\x07"), ITEM("\x61x"),
		ITEM("\x08"), "a whole number of at most 7"},
	{{"k", KEY_UINT, KEY_AT(struct all, u8)}, ITEM("\x18\xff"), ITEM("\xf5"),
		ITEM("\x19\x01\x00"), "a whole number of at most 255"},
	{{"k", KEY_UINT, KEY_AT(struct all, u8), .limit = 1000}, ITEM("\x18\xff"), ITEM("\x80"),
		ITEM("\x19\x01\x00"), "a whole number of at most 255"},
	{{"k", KEY_UINT, KEY_AT(struct all, flag_as_uint), .limit = 1}, ITEM("\x01"), ITEM("\xf5"),
		ITEM("\x02"), "a whole number of at most 1"},
	{{"k", KEY_INT, KEY_AT(struct all, i64)}, ITEM("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff"),
		ITEM("\xfa\x3f\x80\x00\x00"), {0}, "an integer"},
	{{"k", KEY_NUMBER, KEY_AT(struct all, number)}, ITEM("\xfa\x3f\x80\x00\x00"), ITEM("\x61x"),
		{0}, "a number"},
	{{"k", KEY_NUMBER, KEY_AT(struct all, number)}, ITEM("\x20"), ITEM("\xf6"), {0},
		"a number"},
	{{"k", KEY_BOOL, KEY_AT(struct all, flag)}, ITEM("\xf5"), ITEM("\x01"), {0},
		"true or false"},
	{{"k", KEY_TEXT, KEY_AT(struct all, text)}, ITEM("\x62xy"), ITEM("\x42xy"), {0}, "a text"},
	{{"k", KEY_TEXT, KEY_AT(struct all, short_text), .limit = 2}, ITEM("\x62xy"), ITEM("\x01"),
		ITEM("\x63xyz"), "a text of at most 2 bytes"},
	{{"k", KEY_CHARS, KEY_AT(struct all, chars)}, ITEM("\x63xyz"), ITEM("\x43xyz"),
		ITEM("\x64wxyz"), "a text of at most 3 bytes"},
	{{"k", KEY_CHARS, KEY_AT(struct all, chars)}, ITEM("\x60"), ITEM("\xf6"), ITEM("\x62x\0"),
		"a text of at most 3 bytes"},
	{{"k", KEY_WORD, KEY_AT(struct all, word), .words = &words_entry_way}, ITEM("\x65typed"),
		ITEM("\x02"), ITEM("\x65TYPED"), "one of scanned, typed, lims, instrument, file"},
	{{"k", KEY_BYTES, KEY_AT(struct all, bytes)}, ITEM("\x42xy"), ITEM("\x62xy"), {0},
		"a byte string"},
	{{"k", KEY_BYTES, KEY_AT(struct all, short_bytes), .limit = 2}, ITEM("\x42xy"),
		ITEM("\x62xy"), ITEM("\x43xyz"), "a byte string of at most 2 bytes"},
	{{"k", KEY_FIXED, KEY_AT(struct all, fixed), .limit = 3}, ITEM("\x43xyz"), ITEM("\x63xyz"),
		ITEM("\x44wxyz"), "3 bytes"},
	{{"k", KEY_COPY, KEY_AT(struct all, copy)}, ITEM("\x43xyz"), ITEM("\xa0"), ITEM("\x42xy"),
		"3 bytes"},
	{{"k", KEY_RAW, KEY_AT(struct all, raw)}, ITEM("\x82\x01\xd8\x40\x41x"), {0}, {0},
		"a value"},
	{{"k", KEY_RAW_MAP, KEY_AT(struct all, raw_map)}, ITEM("\xa1\x61x\x01"), ITEM("\x80"), {0},
		"a map"},
	{{"k", KEY_RAW_LIST, KEY_AT(struct all, raw_list)}, ITEM("\x82\x01\x02"), ITEM("\xa0"), {0},
		"a list"},
	{{"k", KEY_MAP, KEY_AT(struct all, inner), .keys = &inner_keys}, ITEM(INNER_MAX "xyz"),
		ITEM("\x80"), {0}, "a map"},
	{{"k", KEY_LIST, KEY_AT(struct all, list), .keys = &inner_keys,
		 .count_at = offsetof(struct all, list_count)},
		ITEM("\x82" INNER_MAX "xyz" INNER_MAX "xyz"), ITEM("\xa0"), {0},
		"a list of at most 2"},
	{{"k", KEY_OTHER, KEY_AT(struct all, other), .read = read_other}, ITEM("\x61x"), {0}, {0},
		"a value"},
};

#define ROWS (sizeof rows / sizeof rows[0])

/* The map under test: bytes, and the result of the last read. */
struct bench {
	struct reader r;
	uint8_t data[256];
	size_t len;
	struct all all;
	struct keys_found found;
	struct key rows[2];
	struct keys keys;
};

static void set_map(struct bench *b, unsigned pairs)
{
	b->data[0] = (uint8_t)(0xa0 + pairs);
	b->len = 1;
}

static void add_pair(struct bench *b, const char *key, struct item value)
{
	size_t len = strlen(key);
	b->data[b->len++] = (uint8_t)(0x60 + len);
	memcpy(b->data + b->len, key, len);
	memcpy(b->data + b->len + len, value.bytes, value.len);
	b->len += len + value.len;
}

/* Reads the first `len` bytes with a table of `key` alone. */
static int read_part(struct bench *b, size_t len, struct key key)
{
	b->rows[0] = key;
	b->rows[1] = (struct key){0};
	b->keys.rows = b->rows;
	memset(&b->all, FILL, sizeof b->all);
	read_init(&b->r, b->data, len);
	int error = keys_read(&b->r, &b->keys, &b->all, &b->found);
	return error < 0 ? error : read_finish(&b->r);
}

static int read_whole(struct bench *b, struct key key)
{
	return read_part(b, b->len, key);
}

/* True if nothing outside `size` bytes from `at` was stored, except the count of a list. */
static bool kept_to(const struct bench *b, size_t at, size_t size)
{
	const uint8_t *bytes = (const uint8_t *)&b->all;
	size_t count = offsetof(struct all, list_count);
	for (size_t i = 0; i < sizeof b->all; i++) {
		bool allowed = (i >= at && i < at + size) ||
			       (b->rows[0].type == KEY_LIST && size > 0 && i >= count &&
				       i < count + sizeof b->all.list_count);
		if (!allowed && bytes[i] != FILL)
			return false;
	}
	return true;
}

static struct key required(struct key key)
{
	key.required = true;
	return key;
}

static struct key lenient(struct key key)
{
	key.lenient = true;
	return key;
}

static void a_good_value_is_stored_and_nothing_else(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct bench b = {0};
		const struct row *row = &rows[i];
		set_map(&b, 1);
		add_pair(&b, "k", row->good);
		assert_int_equal(read_whole(&b, required(row->key)), 0);
		assert_int_equal(b.found.seen, 1);
		assert_int_equal(b.found.fault, 0);
		assert_true(kept_to(&b, row->key.at, row->key.size));
		assert_false(kept_to(&b, 0, 0));
	}
}

static void the_values_are_those_of_the_map(void **state)
{
	struct bench b = {0};
	for (size_t i = 0; i < ROWS; i++) {
		const uint8_t *good = b.data + 3;
		set_map(&b, 1);
		add_pair(&b, "k", rows[i].good);
		assert_int_equal(read_whole(&b, rows[i].key), 0);
		const struct all *a = &b.all;
		switch (rows[i].key.at) {
		case offsetof(struct all, u64):
			assert_true(a->u64 == (rows[i].key.limit != 0 ? 7 : UINT64_MAX));
			break;
		case offsetof(struct all, u8): assert_int_equal(a->u8, 255); break;
		case offsetof(struct all, flag_as_uint): assert_true(a->flag_as_uint); break;
		case offsetof(struct all, i64): assert_true(a->i64 == INT64_MIN); break;
		case offsetof(struct all, number):
			assert_true(a->number == (rows[i].good.len == 1 ? -1.0 : 1.0));
			break;
		case offsetof(struct all, flag): assert_true(a->flag); break;
		case offsetof(struct all, text): assert_true(assay_string_is(a->text, "xy")); break;
		case offsetof(struct all, short_text):
			assert_true(assay_string_is(a->short_text, "xy"));
			break;
		case offsetof(struct all, chars):
			assert_string_equal(a->chars, rows[i].good.len == 1 ? "" : "xyz");
			break;
		case offsetof(struct all, word): assert_int_equal(a->word, ENTRY_TYPED); break;
		case offsetof(struct all, bytes):
			assert_ptr_equal(a->bytes.data, good + 1);
			assert_int_equal(a->bytes.len, 2);
			break;
		case offsetof(struct all, short_bytes):
			assert_int_equal(a->short_bytes.len, 2);
			break;
		case offsetof(struct all, fixed): assert_ptr_equal(a->fixed, good + 1); break;
		case offsetof(struct all, copy): assert_memory_equal(a->copy, "xyz", 3); break;
		case offsetof(struct all, raw):
			assert_ptr_equal(a->raw.data, good);
			assert_int_equal(a->raw.len, rows[i].good.len);
			break;
		case offsetof(struct all, raw_map):
			assert_int_equal(a->raw_map.len, rows[i].good.len);
			break;
		case offsetof(struct all, raw_list):
			assert_int_equal(a->raw_list.len, rows[i].good.len);
			break;
		case offsetof(struct all, inner):
			assert_int_equal(a->inner.n, 0xffff);
			assert_string_equal(a->inner.text, "xyz");
			break;
		case offsetof(struct all, list):
			assert_int_equal(a->list_count, 2);
			assert_int_equal(a->list[1].n, 0xffff);
			assert_string_equal(a->list[1].text, "xyz");
			break;
		case offsetof(struct all, other): assert_int_equal(a->other, 'x'); break;
		default: fail_msg("row %zu is not looked at", i);
		}
	}
}

static void an_absent_key_leaves_its_member_alone(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct bench b = {0};
		set_map(&b, 0);
		assert_int_equal(read_whole(&b, rows[i].key), 0);
		assert_int_equal(b.found.seen, 0);
		assert_true(kept_to(&b, 0, 0));
		assert_int_equal(read_whole(&b, required(rows[i].key)), -EBADMSG);
		assert_int_equal(b.found.fault, KEYS_MISSING);
		assert_ptr_equal(b.found.key, &b.rows[0]);
		assert_string_equal(b.r.text, "no key \"k\"");
	}
}

static void a_key_comes_once(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct bench b = {0};
		set_map(&b, 2);
		add_pair(&b, "k", rows[i].good);
		add_pair(&b, "k", rows[i].good);
		assert_int_equal(read_whole(&b, rows[i].key), -EBADMSG);
		assert_int_equal(b.found.fault, KEYS_MALFORMED);
		assert_string_equal(b.r.text, "a key that this map already has");
	}
}

/* `value` may be none: then there is nothing to try. */
static void try_misfit(const struct row *row, struct item value)
{
	struct bench b = {0};
	char text[120];
	if (value.bytes == NULL)
		return;
	set_map(&b, 1);
	add_pair(&b, "k", value);
	assert_int_equal(read_whole(&b, row->key), -EBADMSG);
	assert_int_equal(b.found.fault, KEYS_WRONG);
	assert_ptr_equal(b.found.key, &b.rows[0]);
	assert_int_equal(b.r.error_at, 3);
	snprintf(text, sizeof text, "k: must be %s", row->expected);
	assert_string_equal(b.r.text, text);
	assert_int_equal(read_whole(&b, lenient(row->key)), 0);
	assert_int_equal(b.found.seen, 0);
	assert_true(kept_to(&b, 0, 0));
	assert_int_equal(read_whole(&b, required(lenient(row->key))), -EBADMSG);
	assert_int_equal(b.found.fault, KEYS_MISSING);
}

static void a_value_that_does_not_fit_is_rejected_or_skipped(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		char text[100];
		try_misfit(&rows[i], rows[i].wrong);
		try_misfit(&rows[i], rows[i].large);
		assert_string_equal(
			key_expected(&rows[i].key, text, sizeof text), rows[i].expected);
	}
}

static void an_unknown_key_is_rejected_unless_the_table_is_open(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct bench b = {0};
		set_map(&b, 2);
		add_pair(&b, "zz", rows[i].good);
		add_pair(&b, "k", rows[i].good);
		assert_int_equal(read_whole(&b, rows[i].key), -EBADMSG);
		assert_int_equal(b.found.fault, KEYS_UNKNOWN);
		assert_true(assay_string_is(b.found.name, "zz"));
		assert_string_equal(b.r.text, "unknown key \"zz\"");
		b.keys.passed = "z";
		assert_int_equal(read_whole(&b, rows[i].key), -EBADMSG);
		b.keys.passed = "zz";
		assert_int_equal(read_whole(&b, rows[i].key), 0);
		assert_int_equal(b.found.seen, 1);
		b.keys.passed = NULL;
		b.keys.open = true;
		assert_int_equal(read_whole(&b, rows[i].key), 0);
		assert_int_equal(b.found.seen, 1);
		assert_true(kept_to(&b, rows[i].key.at, rows[i].key.size));
	}
}

static void a_map_that_is_cut_off_anywhere_is_rejected(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct bench b = {0};
		set_map(&b, 1);
		add_pair(&b, "k", rows[i].good);
		for (size_t len = 0; len < b.len; len++) {
			assert_int_equal(read_part(&b, len, lenient(rows[i].key)), -EBADMSG);
			assert_true(b.found.fault == KEYS_WRONG || b.found.fault == KEYS_MALFORMED);
		}
	}
}

static const struct keys list_keys = {
	.rows = (const struct key[]){
		{"list", KEY_LIST, KEY_AT(struct all, list), .keys = &inner_keys,
			.count_at = offsetof(struct all, list_count)},
		{"inner", KEY_MAP, KEY_AT(struct all, inner), .keys = &inner_keys},
		{"o", KEY_OTHER, KEY_AT(struct all, other), .read = read_other}, {0}}};

#define assert_error(item, words)                                                    \
	do {                                                                         \
		static const char item_[] = item;                                    \
		struct reader r_;                                                    \
		struct all all_;                                                     \
		read_init(&r_, item_, sizeof item_ - 1);                             \
		assert_int_equal(keys_read(&r_, &list_keys, &all_, NULL), -EBADMSG); \
		assert_string_equal(r_.text, words);                                 \
	} while (0)

static void an_error_names_the_path_to_it(void **state)
{
	assert_error("\xa1\x65inner\xa0", "inner: no key \"n\"");
	assert_error(
		"\xa1\x65inner\xa1\x61n\x20", "inner: n: must be a whole number of at most 65535");
	assert_error("\xa1\x64list\x82\xa1\x61n\x01\xa1\x61m\x01", "list: [1]: unknown key \"m\"");
	assert_error("\xa1\x64list\x83\xa0\xa0\xa0", "list: must be a list of at most 2");
	assert_error("\xa1\x78\x2a"
		     "012345678901234567890123456789012345678\xc3\xa4y\x01",
		"unknown key \"012345678901234567890123456789012345678?\"");
	assert_error("\xa1\x61o\x62xy", "o: must be one letter");
	assert_error("\x80", "an array where a map was expected");
}

static void elements_of_a_list_start_at_zero(void **state)
{
	struct all all;
	memset(&all, FILL, sizeof all);
	assert_int_equal(keys_decode(&list_keys, "\xa1\x64list\x81\xa1\x61n\x01", 11, &all), 0);
	assert_int_equal(all.list_count, 1);
	assert_int_equal(all.list[0].n, 1);
	assert_string_equal(all.list[0].text, "");
}

static void an_errno_of_a_reader_of_its_own_is_returned(void **state)
{
	struct all all = {0};
	assert_int_equal(keys_decode(&list_keys, "\xa1\x61o\x61!", 5, &all), -ENOMEM);
	assert_int_equal(keys_decode(&list_keys, "\xa1\x61o\x61x", 5, &all), 0);
	assert_int_equal(keys_decode(&list_keys, "\xa1\x61o\x61x\x00", 6, &all), -EBADMSG);
}

static void one_value_of_a_map_can_be_picked(void **state)
{
	const uint8_t data[] = "\xa2\x61"
			       "a\x01\x62"
			       "bb\x82\x02\x03";
	struct assay_span map = {data, sizeof data - 1};
	assert_ptr_equal(keys_value(map, (struct assay_string){"bb", 2}).data, data + 7);
	assert_int_equal(keys_value(map, (struct assay_string){"bb", 2}).len, 3);
	assert_int_equal(keys_value(map, (struct assay_string){"a", 1}).len, 1);
	assert_null(keys_value(map, (struct assay_string){"b", 1}).data);
	assert_null(keys_value((struct assay_span){data, 8}, (struct assay_string){"bb", 2}).data);
	assert_null(keys_value((struct assay_span){0}, (struct assay_string){"a", 1}).data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_value_is_stored_and_nothing_else),
		cmocka_unit_test(the_values_are_those_of_the_map),
		cmocka_unit_test(an_absent_key_leaves_its_member_alone),
		cmocka_unit_test(a_key_comes_once),
		cmocka_unit_test(a_value_that_does_not_fit_is_rejected_or_skipped),
		cmocka_unit_test(an_unknown_key_is_rejected_unless_the_table_is_open),
		cmocka_unit_test(a_map_that_is_cut_off_anywhere_is_rejected),
		cmocka_unit_test(an_error_names_the_path_to_it),
		cmocka_unit_test(elements_of_a_list_start_at_zero),
		cmocka_unit_test(an_errno_of_a_reader_of_its_own_is_returned),
		cmocka_unit_test(one_value_of_a_map_can_be_picked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

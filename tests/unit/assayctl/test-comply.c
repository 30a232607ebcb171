/* SPDX-License-Identifier: Apache-2.0 */
/* Private words in recordings, the spread of values, and texts of others on the page. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/file.h"
#include "capture/write.h"
#include "comply.h"
#include "record/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char folder_name[] = "test-comply-XXXXXX";

struct folder {
	char name[40], from[60], to[60];
};

static struct folder make_folder(void)
{
	struct folder folder;
	memcpy(folder.name, folder_name, sizeof folder_name);
	assert_non_null(mkdtemp(folder.name));
	snprintf(folder.from, sizeof folder.from, "%s/from", folder.name);
	snprintf(folder.to, sizeof folder.to, "%s/to", folder.name);
	return folder;
}

static void remove_folder(const struct folder *folder)
{
	unlink(folder->from);
	unlink(folder->to);
	assert_int_equal(rmdir(folder->name), 0);
}

/* --- private words ---------------------------------------------------------------------------- */

static void words_do_not_go_on(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{"LAB-47", "XXX-99"},
		{"<LAB-47>", "<XXX-99>"},
		{"LAB-471", "LAB-471"},
		{"xLAB-47", "xLAB-47"},
		{"LAB-47 LAB-47;LAB-47", "XXX-99 XXX-99;XXX-99"},
		{"lab-47", "lab-47"},
		{"LAB-4", "LAB-4"},
		{"LAB-47A", "XXX-99A"},
		{"\xc3\xa9LAB-47", "\xc3\xa9LAB-47"},
		{"", ""},
	};
	struct private_words words = {0};
	private_add(&words, "sample", "LAB-47");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[40];
		snprintf(text, sizeof text, "%s", rows[i].text);
		private_replace(&words, (uint8_t *)text, strlen(text));
		assert_string_equal(text, rows[i].expected);
	}
	assert_int_equal(words.words[0].places, 6);
}

static void words_without_a_person_stay(void **state)
{
	static const char *const none[] = {"", "ab", "none", "unknown", NULL};
	struct private_words words = {0};
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		private_add(&words, "sample", none[i]);
	private_add(&words, "site", "abc");
	private_add(&words, "node", "abc");
	assert_int_equal(words.count, 1);
	for (size_t i = 0; i < 2 * PRIVATE_WORDS; i++) {
		char text[20];
		snprintf(text, sizeof text, "word%zu", i);
		private_add(&words, "further", text);
	}
	assert_int_equal(words.count, PRIVATE_WORDS);
}

static void the_longer_word_comes_first(void **state)
{
	struct private_words words = {0};
	char text[] = "kim, kim smith";
	private_add(&words, "user", "kim");
	private_add(&words, "operator", "kim smith");
	private_replace(&words, (uint8_t *)text, strlen(text));
	assert_string_equal(text, "xxx, xxx xxxxx");
}

static void put(struct buffer *out, enum capture_kind kind, unsigned channel, const char *text)
{
	capture_write(out, &(struct capture_record){.kind = kind,
				   .channel = channel,
				   .mono = 7,
				   .data = (const uint8_t *)text,
				   .len = strlen(text)});
}

static void write_recording(const char *path)
{
	struct capture_head head = {.site = "tokyo",
		.node = "bench-3",
		.version = "1",
		.link = "serial",
		.utc = 5,
		.mono = 6,
		.unit_count = 1,
		.units[0] = {.key = "xrf-kim",
			.driver = "d",
			.make = "M",
			.serial = "SN-12",
			.fw = "1"}};
	struct buffer out = {0};
	capture_write_head(&out, &head);
	put(&out, CAPTURE_OPENED, 0, "");
	put(&out, CAPTURE_OUT, 2, "sample LA");
	put(&out, CAPTURE_IN, 0x81, "ok SN-");
	put(&out, CAPTURE_OUT, 3, "LAB-47");
	put(&out, CAPTURE_OUT, 2, "B-47\r");
	put(&out, CAPTURE_IN, 0x81, "12 LAB-470");
	capture_write_text(&out, CAPTURE_LOST, 8, "host bench-3 is gone");
	capture_write_text(&out, CAPTURE_END, 9, "stopped");
	FILE *file = fopen(path, "wx");
	assert_non_null(file);
	assert_int_equal(fwrite(out.data, 1, out.len, file), out.len);
	fclose(file);
	buffer_finish(&out);
}

static void expect_record(const struct capture_file *file, size_t i, enum capture_kind kind,
	unsigned channel, const char *text)
{
	assert_int_equal(file->records[i].kind, kind);
	assert_int_equal(file->records[i].channel, channel);
	assert_int_equal(file->records[i].len, strlen(text));
	assert_memory_equal(file->records[i].data, text, strlen(text));
}

/* Whole, with the same records, and no word in it: also none that lies in two records. */
static void a_recording_loses_its_words(void **state)
{
	static struct capture_file file;
	struct folder folder = make_folder();
	struct private_words words = {0};
	char why[CAPTURE_WHY];
	write_recording(folder.from);
	private_add(&words, "sample", "LAB-47");
	private_add(&words, "node", "bench-3");
	private_add(&words, "serial", "SN-12");
	assert_int_equal(private_capture(&words, folder.from, folder.to, why), 0);
	assert_int_equal(capture_file_open(&file, folder.to, why), 0);
	assert_true(file.is_whole);
	assert_int_equal(file.count, 8);
	expect_record(&file, 1, CAPTURE_OUT, 2, "sample XX");
	expect_record(&file, 2, CAPTURE_IN, 0x81, "ok XX-");
	expect_record(&file, 3, CAPTURE_OUT, 3, "XXX-99");
	expect_record(&file, 4, CAPTURE_OUT, 2, "X-99\r");
	expect_record(&file, 5, CAPTURE_IN, 0x81, "99 LAB-470");
	expect_record(&file, 6, CAPTURE_LOST, 0, "host xxxxx-9 is gone");
	assert_string_equal(file.head.site, "site");
	assert_string_equal(file.head.node, "node");
	assert_string_equal(file.head.units[0].key, "unit-1");
	assert_string_equal(file.head.units[0].serial, "XX-99");
	assert_string_equal(file.head.units[0].make, "M");
	capture_file_close(&file);
	/* A file that is there stays. */
	assert_int_equal(private_capture(&words, folder.from, folder.to, why), -EEXIST);
	remove_folder(&folder);
}

/* --- spread ----------------------------------------------------------------------------------- */

static void add_frame(struct spread *spread, double value, const double *array, const char *extra)
{
	struct buffer vars = {0}, record = {0};
	struct map map;
	size_t count = array != NULL ? 3 : 1;
	const double axis[] = {10, 20, 30};
	encode_array(&vars, count + (extra != NULL));
	const struct {
		const char *name, *role, *dim, *unit;
		const double *data;
	} rows[] = {{"mass", "data", NULL, "g", NULL}, {"energy", "axis", "energy", "keV", axis},
		{"counts", "data", "energy", "{count}", array}, {extra, "data", NULL, "1", NULL}};
	for (size_t i = 0; i < 4; i++) {
		if (i < 3 ? i >= count : extra == NULL)
			continue;
		map_open(&map, &vars);
		map_text(&map, "name", rows[i].name);
		map_text(&map, "role", rows[i].role);
		map_key(&map, "dims");
		encode_array(&vars, rows[i].dim != NULL);
		if (rows[i].dim != NULL)
			encode_text(&vars, rows[i].dim);
		map_text(&map, "unit", rows[i].unit);
		map_key(&map, "data");
		if (rows[i].data != NULL)
			encode_typed(&vars, ASSAY_ELEMENT_F64, rows[i].data, 3);
		else
			encode_f64(&vars, value);
		map_close(&map);
	}
	struct assay_frame_view frame = {
		.vars = {vars.data, vars.len}, .vars_count = count + (extra != NULL)};
	spread_add(spread, &frame);
	buffer_finish(&vars);
	buffer_finish(&record);
}

static void the_spread_is_that_of_the_sample(void **state)
{
	static struct spread spread;
	const double low[] = {1, 2, 3}, high[] = {1, 6, 3};
	spread = (struct spread){0};
	add_frame(&spread, 2, low, NULL);
	add_frame(&spread, 4, high, NULL);
	add_frame(&spread, 4, high, NULL);
	add_frame(&spread, 6, low, NULL);
	assert_int_equal(spread.count, 3);
	assert_false(spread.is_other);
	assert_string_equal(spread.rows[0].name, "mass");
	assert_string_equal(spread.rows[0].unit, "g");
	assert_int_equal(spread.rows[0].n, 4);
	assert_true(spread.rows[0].mean == 4);
	assert_true(spread.rows[0].min == 2 && spread.rows[0].max == 6);
	assert_true(fabs(spread_deviation(&spread.rows[0]) - sqrt(8.0 / 3)) < 1e-12);
	assert_true(fabs(spread_relative(&spread.rows[0]) - 25 * sqrt(8.0 / 3)) < 1e-12);
	assert_string_equal(spread.rows[1].name, "counts: sum");
	assert_true(spread.rows[1].mean == 8);
	assert_string_equal(spread.rows[2].name, "counts: maximum at");
	assert_string_equal(spread.rows[2].unit, "keV");
	assert_true(spread.rows[2].is_place);
	assert_true(spread.rows[2].min == 20 && spread.rows[2].max == 30);
}

static void a_frame_with_other_variables_is_seen(void **state)
{
	static struct spread spread;
	const double array[] = {1, 2, 3}, hole[] = {1, NAN, 3};
	spread = (struct spread){0};
	add_frame(&spread, 1, array, NULL);
	add_frame(&spread, 1, array, "extra");
	assert_true(spread.is_other);
	spread = (struct spread){0};
	add_frame(&spread, 1, array, NULL);
	add_frame(&spread, 1, NULL, NULL);
	assert_true(spread.is_other);
	spread = (struct spread){0};
	add_frame(&spread, 1, array, NULL);
	add_frame(&spread, 1, hole, NULL);
	assert_false(spread.is_other);
	assert_int_equal(spread.left_out, 1);
	assert_true(spread_deviation(&spread.rows[0]) == 0);
}

/* --- the page --------------------------------------------------------------------------------- */

/* Each text of a report, also a name of a key, is hostile. */
static void texts_of_others_are_escaped(void **state)
{
	static const char hostile[] = "<script>'\"&</td>\x1b[31m";
	static const char escaped[] = "&lt;script&gt;&#39;&quot;&amp;&lt;/td&gt;";
	struct folder folder = make_folder();
	static char page[20000];
	json_t *report = json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:b}, s:{s:s}, s:{s:[s]}, "
				   "s:[{s:s, s:s, s:s, s:s, s:s, s:[{s:s, s:f, s:s}], "
				   "s:[{s:s, s:s, s:i}]}], s:[{s:s, s:s, s:i}]}",
		"verdict", "passed", "operator", hostile, "instrument", "make", hostile, "model",
		hostile, hostile, "x", "simulated", 1, "software", "site", hostile, "conditions",
		"settings_tried", hostile, "tests", "id", hostile, "verdict", "failed", "assures",
		hostile, "failure", hostile, "text", hostile, "measured", "name", hostile, "value",
		1.5, "unit", hostile, "spread", "name", hostile, "unit", hostile, "n", 2, "runs",
		"number", hostile, "status", hostile, "frames", 3);
	assert_non_null(report);
	assert_int_equal(comply_page(report, folder.to), 0);
	FILE *file = fopen(folder.to, "r");
	assert_non_null(file);
	page[fread(page, 1, sizeof page - 1, file)] = '\0';
	fclose(file);
	assert_null(strstr(page, "<script"));
	assert_null(strchr(page, '\x1b'));
	size_t places = 0;
	for (const char *at = page; (at = strstr(at, escaped)) != NULL; at++)
		places++;
	assert_int_equal(places, 17);
	assert_non_null(strstr(page, "SIMULATED"));
	assert_int_equal(comply_page(report, folder.to), -EEXIST);
	json_decref(report);
	remove_folder(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_do_not_go_on),
		cmocka_unit_test(words_without_a_person_stay),
		cmocka_unit_test(the_longer_word_comes_first),
		cmocka_unit_test(a_recording_loses_its_words),
		cmocka_unit_test(the_spread_is_that_of_the_sample),
		cmocka_unit_test(a_frame_with_other_variables_is_seen),
		cmocka_unit_test(texts_of_others_are_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

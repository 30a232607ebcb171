/* SPDX-License-Identifier: Apache-2.0 */
/* Scans and traces in the formats for them: what is left out, and how texts and numbers are written. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../vectors/parts.h"
#include "examples.h"
#include "mass.h"
#include "record/text.h"

#define ITEMS_MAX 4

static const char *const formats[] = {"mzml", "andi-ms", "andi-chrom", "msp"};

static struct export export;
static struct buffer entries[ITEMS_MAX], out;
static size_t items_count;

static int reset(void **state)
{
	export_finish(&export);
	export = (struct export){0};
	for (size_t i = 0; i < ITEMS_MAX; i++)
		buffer_finish(&entries[i]);
	buffer_finish(&out);
	items_count = 0;
	return 0;
}

/* --- the run ---------------------------------------------------------------------------------- */

static void add_frame(struct buffer *part)
{
	struct buffer record = {0};
	example_frame(&record, part, 2);
	example_entry(&entries[items_count++], EXAMPLE_DATA, &record);
	buffer_finish(&record);
	buffer_finish(part);
}

static void add_scan(const double *mz, const double *intensity, size_t count, const char *unit)
{
	struct buffer part = {0};
	part_begin(&part, "spectrum", 2);
	part_typed(&part, "mz", "axis", "mz", "1", ASSAY_ELEMENT_F64, mz, count);
	part_typed(&part, "intensity", "data", "mz", unit, ASSAY_ELEMENT_F64, intensity, count);
	add_frame(&part);
}

static void add_slice(double first, const double *signal, size_t count)
{
	struct buffer part = {0};
	part_begin(&part, "chromatogram", 2);
	part_axis(&part, "time", "s", first, 0.5, count);
	part_typed(&part, "signal", "data", "time", "V", ASSAY_ELEMENT_F64, signal, count);
	add_frame(&part);
}

static struct export_item item_at(size_t i)
{
	struct export_item item = {.bytes = {entries[i].data, entries[i].len}};
	assert_int_equal(assay_entry_read(item.bytes.data, item.bytes.len, &item.entry), 0);
	item.is_frame = assay_frame_read(item.entry.body.data, item.entry.body.len, &item.frame) ==
			0;
	assert_true(item.is_frame);
	return item;
}

static void survey(const char *format)
{
	export_finish(&export);
	buffer_reset(&out);
	export = (struct export){.format = export_format_find(format)};
	snprintf(export.run.number, sizeof export.run.number, "site/1 <\"&\n>");
	snprintf(export.run.corrected.sample, sizeof export.run.corrected.sample,
		"<a&b>\"\n]]>\r\nName: x");
	export.run.corrected.keys = EXPORT_SAMPLE;
	export.run.sim = true;
	facts_begin(&export.about, &export.run);
	for (size_t i = 0; i < items_count; i++) {
		struct export_item item = item_at(i);
		assert_int_equal(export.format->survey(&export, &item), 0);
	}
}

/* The second pass, over the first `count` entries.  Its bytes are in `out`, terminated. */
static int write_items(size_t count)
{
	int r = export.format->begin != NULL ? export.format->begin(&export) : 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct export_item item = item_at(i);
		r = export.format->entry(&export, &item);
	}
	for (int more = 1; r == 0 && export.format->end != NULL && more == 1;) {
		more = export.format->end(&export);
		r = more < 0 ? more : 0;
	}
	buffer_append(&out, export.to.data, export.to.len);
	buffer_append(&out, "", 1);
	return r;
}

static const char *text_of_run(const char *format)
{
	survey(format);
	assert_int_equal(write_items(items_count), 0);
	return (const char *)out.data;
}

static uint64_t noted(const char *words)
{
	uint64_t count = 0;
	for (const struct export_note *note = export.notes; note->text != NULL; note++)
		count += strstr(note->text, words) != NULL ? note->count : 0;
	return count;
}

static size_t count_words(const char *text, const char *words)
{
	size_t count = 0;
	for (; (text = strstr(text, words)) != NULL; text++)
		count++;
	return count;
}

/* --- tests ------------------------------------------------------------------------------------ */

static const double masses[] = {1, 2, 3, 4}, currents[] = {10, 40, 0, 5};

static void numbers_that_are_not_finite_are_never_written(void **state)
{
	const double bad_mz[] = {1, NAN, 3, 4}, bad_currents[] = {10, 20, INFINITY, -INFINITY};
	const double signal[] = {1, NAN, 3};
	add_scan(bad_mz, bad_currents, 4, "1");
	add_slice(0, signal, 3);
	const char *text = text_of_run("mzml");
	assert_null(strstr(text, "nan"));
	assert_null(strstr(text, "inf\""));
	assert_non_null(
		strstr(text, "<spectrum index=\"0\" id=\"scan=8\" defaultArrayLength=\"1\">"));
	assert_non_null(strstr(text, "id=\"signal\" defaultArrayLength=\"2\">"));
	assert_int_equal(noted("not finite"), 3 + 1);
	text = text_of_run("msp");
	assert_non_null(strstr(text, "Num Peaks: 1\r\n1 999\r\n\r\n"));
	survey("andi-ms");
	assert_int_equal(write_items(items_count), 0);
	const struct mass_run *mass = export.own;
	assert_int_equal(mass->points, 1);
	assert_float_equal(mass_row(mass, 0)->total, 10, 0);
}

static void texts_of_others_are_no_markup_and_no_line(void **state)
{
	add_scan(masses, currents, 4, "1");
	const char *text = text_of_run("mzml");
	assert_non_null(strstr(text, "name=\"&lt;a&amp;b&gt;&quot;\\n]]&gt;\\r\\nName: x\""));
	assert_null(strstr(text, "<a&b>"));
	assert_non_null(strstr(text, " id=\"site_1______\""));
	text = text_of_run("msp");
	assert_int_equal(count_words(text, "\n"), count_words(text, "\r\n"));
	assert_int_equal(count_words(text, "\r\nName: "), 0);
	assert_int_equal(count_words(text, "\r\n"), 3 + 3 + 1); /* three peaks are above 0 */
	assert_true(strncmp(text, "Name: SIMULATED ", 16) == 0);
}

static void scans_in_another_unit_are_left_out_and_counted(void **state)
{
	add_scan(masses, currents, 4, "1");
	add_scan(masses, currents, 4, "A");
	assert_int_equal(count_words(text_of_run("mzml"), "<spectrum index"), 1);
	assert_int_equal(noted("another unit"), 1);
	assert_int_equal(count_words(text_of_run("msp"), "Num Peaks: "), 1);
}

static void frames_of_another_kind_are_left_out_and_counted(void **state)
{
	const double x[] = {1, 2};
	struct buffer part = {0};
	part_begin(&part, "spectrum", 2);
	part_typed(&part, "energy", "axis", "energy", "keV", ASSAY_ELEMENT_F64, x, 2);
	part_typed(&part, "counts", "data", "energy", "{count}", ASSAY_ELEMENT_F64, x, 2);
	add_frame(&part);
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
		assert_string_equal(text_of_run(formats[i]), "");
		assert_int_equal(noted("another kind"), 1);
	}
}

static void a_scan_without_points_is_a_scan(void **state)
{
	add_scan(masses, currents, 0, "1");
	add_scan(masses, currents, 4, "1");
	const char *text = text_of_run("mzml");
	assert_int_equal(count_words(text, "<spectrum index"), 2);
	assert_int_equal(count_words(text, "base peak m/z"), 1);
	survey("andi-ms");
	assert_int_equal(write_items(items_count), 0);
	text_of_run("msp");
	assert_int_equal(noted("without a peak"), 1);
}

static void slices_make_one_trace_until_time_starts_again(void **state)
{
	const double signal[] = {1, 2, 3};
	add_slice(0, signal, 3);
	add_slice(1.5, signal, 3);
	add_slice(0, signal, 2);
	const char *text = text_of_run("mzml");
	assert_non_null(strstr(text, "<chromatogramList count=\"2\""));
	assert_non_null(strstr(text, "id=\"signal\" defaultArrayLength=\"6\">"));
	assert_non_null(strstr(text, "id=\"signal 2\" defaultArrayLength=\"2\">"));
	text_of_run("andi-chrom");
	assert_int_equal(export.tables.count, 2);
}

static void what_the_journal_lost_meanwhile_makes_no_file(void **state)
{
	add_scan(masses, currents, 4, "1");
	add_scan(masses, currents, 4, "1");
	for (size_t i = 0; i < 2; i++) {
		survey(formats[i]);
		assert_int_equal(write_items(1), -EAGAIN);
	}
	/* One that came after the survey is not written. */
	items_count = 1;
	for (size_t i = 0; i < 2; i++) {
		survey(formats[i]);
		assert_int_equal(write_items(2), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reset, reset)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_that_are_not_finite_are_never_written),
		TEST(texts_of_others_are_no_markup_and_no_line),
		TEST(scans_in_another_unit_are_left_out_and_counted),
		TEST(frames_of_another_kind_are_left_out_and_counted),
		TEST(a_scan_without_points_is_a_scan),
		TEST(slices_make_one_trace_until_time_starts_again),
		TEST(what_the_journal_lost_meanwhile_makes_no_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

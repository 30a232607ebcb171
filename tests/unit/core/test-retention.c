/* SPDX-License-Identifier: Apache-2.0 */
/* Removal of due files, and the notes of archived ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/keep/archived.h"
#include "core/keep/retention.h"

#define DAY UINT64_C(86400000000000)
#define NOW (20000 * DAY)
#define MIB (UINT64_C(1) << 20)

/* Segment i of ten: ten entries and 10 MiB each, closed, archived and passed; one a day. */
static struct retention_segment segment(unsigned i)
{
	return (struct retention_segment){
		.journal = {1},
		.first = 1 + 10 * i,
		.last = 10 + 10 * i,
		.first_tc = NOW - (10 - i) * DAY,
		.last_tc = NOW - (9 - i) * DAY,
		.size = 10 * MIB,
		.is_closed = true,
		.is_archived = true,
		.is_passed = true,
	};
}

static void make(struct retention_segment segments[10])
{
	for (unsigned i = 0; i < 10; i++)
		segments[i] = segment(i);
	segments[9].is_closed = false;
	segments[9].last = 0;
	segments[9].last_tc = 0;
}

static void expect(const struct retention_segment segments[10], const char *letters)
{
	static const char names[] = {[RETENTION_WANTED] = '.',
		[RETENTION_OPEN] = 'o',
		[RETENTION_NOT_ARCHIVED] = 'a',
		[RETENTION_NOT_PASSED] = 'c',
		[RETENTION_TOO_OLD] = 'A',
		[RETENTION_TOO_MUCH] = 'S'};
	char found[11] = "";
	for (unsigned i = 0; i < 10; i++)
		found[i] = names[segments[i].why];
	assert_string_equal(found, letters);
}

static void nothing_goes_without_a_reason(void **state)
{
	struct retention_segment s[10];
	struct retention_policy policy = {.now = NOW};
	make(s);
	assert_int_equal(retention_choose(s, 10, &policy), 0);
	expect(s, "..........");
	assert_int_equal(retention_choose(NULL, 0, &policy), 0);
}

static void what_is_older_than_age_goes(void **state)
{
	struct retention_segment s[10];
	struct retention_policy policy = {.now = NOW, .age_ns = 6 * DAY};
	make(s);
	assert_int_equal(retention_choose(s, 10, &policy), 3); /* the last entry counts */
	expect(s, "AAA.......");
	policy.now = NOW - 100 * DAY; /* a clock that stands before them makes nothing old */
	assert_int_equal(retention_choose(s, 10, &policy), 0);
}

static void the_oldest_go_until_the_rest_fits_the_size(void **state)
{
	struct retention_segment s[10];
	struct retention_policy policy = {.now = NOW, .size = 65 * MIB};
	make(s);
	assert_int_equal(retention_choose(s, 10, &policy), 4);
	expect(s, "SSSS......");
	policy.size = 100 * MIB;
	assert_int_equal(retention_choose(s, 10, &policy), 0);
	policy.size = 100 * MIB - 1;
	assert_int_equal(retention_choose(s, 10, &policy), 1);
}

static void either_reason_is_enough(void **state)
{
	struct retention_segment s[10];
	struct retention_policy policy = {.now = NOW, .size = 55 * MIB, .age_ns = 7 * DAY};
	make(s);
	assert_int_equal(retention_choose(s, 10, &policy), 5);
	expect(s, "AASSS.....");
}

static void the_open_file_stays_however_old_and_large_all_is(void **state)
{
	struct retention_segment s[10];
	struct retention_policy policy = {.now = NOW, .size = 1, .age_ns = 1};
	make(s);
	assert_int_equal(retention_choose(s, 10, &policy), 9);
	expect(s, "AAAAAAAAAo");
}

static void what_was_not_archived_or_passed_stays(void **state)
{
	struct retention_segment s[10];
	struct retention_policy policy = {.now = NOW, .age_ns = 5 * DAY};
	make(s);
	s[0].is_archived = false;
	s[2].is_passed = false;
	s[3].is_archived = s[3].is_passed = false;
	assert_int_equal(retention_choose(s, 10, &policy), 1);
	expect(s, "aAca......");
	policy = (struct retention_policy){.now = NOW, .size = 80 * MIB};
	assert_int_equal(retention_choose(s, 10, &policy), 2);
	expect(s,
		"aScaS....."); /* the files that stay count; the next one is removed in its place */
}

static void older_journals_go_first_and_seq_orders_one_journal(void **state)
{
	struct retention_segment s[4] = {segment(5), segment(1), segment(0), segment(6)};
	s[0].journal[0] = s[3].journal[0] = 7;
	s[1].first_tc = 0; /* not known */
	struct retention_policy policy = {.now = NOW, .size = 25 * MIB};
	assert_int_equal(retention_choose(s, 4, &policy), 2);
	assert_int_equal(s[0].first, 1);
	assert_int_equal(s[1].first, 11);
	assert_int_equal(s[2].journal[0], 7);
	assert_int_equal(s[1].why, RETENTION_TOO_MUCH);
	assert_int_equal(s[2].why, RETENTION_WANTED);
}

static void what_has_no_date_is_never_old(void **state)
{
	struct retention_segment s = segment(0);
	struct retention_policy policy = {.now = NOW, .age_ns = 1};
	s.last_tc = 0;
	assert_int_equal(retention_choose(&s, 1, &policy), 0);
}

/* --- notes ----------------------------------------------------------------------------------- */

static char folder[64];

static int make_folder(void **state)
{
	snprintf(folder, sizeof folder, "/tmp/test-archived-XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static const uint8_t journal[JOURNAL_ID_SIZE] = {0xab, 1};

static struct archived *open_notes(void)
{
	struct archived *archived = NULL;
	assert_int_equal(archived_open(&archived, folder), 0);
	return archived;
}

static void note(struct archived *archived, uint64_t first, uint8_t hash)
{
	struct archived_segment segment = {.first = first, .last = first + 9, .sha256 = {hash}};
	memcpy(segment.journal, journal, sizeof journal);
	assert_int_equal(archived_add(archived, &segment, 1, "/mnt/archive", NOW), 0);
}

static void notes_last_and_the_latest_counts(void **state)
{
	struct archived *archived = open_notes();
	assert_null(archived_find(archived, journal, 1));
	note(archived, 1, 7);
	note(archived, 11, 8);
	note(archived, 1, 9);
	archived_close(archived);
	archived = open_notes();
	const struct archived_segment *found = archived_find(archived, journal, 1);
	assert_non_null(found);
	assert_int_equal(found->last, 10);
	assert_int_equal(found->sha256[0], 9);
	assert_non_null(archived_find(archived, journal, 11));
	assert_null(archived_find(archived, journal, 10));
	assert_null(archived_find(archived, (const uint8_t[16]){1}, 1));
	archived_close(archived);
}

static void a_torn_note_is_cut_off(void **state)
{
	struct archived *archived = open_notes();
	char path[128], id[JOURNAL_ID_TEXT];
	note(archived, 1, 7);
	note(archived, 11, 7);
	archived_close(archived);
	journal_id_format(id, journal);
	snprintf(path, sizeof path, "%s/archived/%s", folder, id);
	FILE *file = fopen(path, "r+");
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	long size = ftell(file);
	fclose(file);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(truncate(path, size - 3), 0);
		archived = open_notes();
		assert_non_null(archived_find(archived, journal, 1));
		assert_null(archived_find(archived, journal, 11));
		note(archived, 11, 8);
		archived_close(archived);
		archived = open_notes();
		assert_int_equal(archived_find(archived, journal, 11)->sha256[0], 8);
		archived_close(archived);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_goes_without_a_reason),
		cmocka_unit_test(what_is_older_than_age_goes),
		cmocka_unit_test(the_oldest_go_until_the_rest_fits_the_size),
		cmocka_unit_test(either_reason_is_enough),
		cmocka_unit_test(the_open_file_stays_however_old_and_large_all_is),
		cmocka_unit_test(what_was_not_archived_or_passed_stays),
		cmocka_unit_test(older_journals_go_first_and_seq_orders_one_journal),
		cmocka_unit_test(what_has_no_date_is_never_old),
		cmocka_unit_test_setup(notes_last_and_the_latest_counts, make_folder),
		cmocka_unit_test_setup(a_torn_note_is_cut_off, make_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

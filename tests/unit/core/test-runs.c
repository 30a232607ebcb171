/* SPDX-License-Identifier: Apache-2.0 */
/* The index of runs: numbers, and the rows it keeps over a restart. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/runs/numbers.h"
#include "core/runs/rows.h"
#include "journal/journal.h"
#include "record/encode.h"

#define DAY  UINT64_C(1795305600000000000) /* 2026-11-22 00:00 UTC */
#define HOUR UINT64_C(3600000000000)

static char folder[64];
static const uint8_t first_id[JOURNAL_ID_SIZE] = {1}, second_id[JOURNAL_ID_SIZE] = {2};

static int make_folder(void **state)
{
	snprintf(folder, sizeof folder, "/tmp/test-runs-XXXXXX");
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static struct runs_row row_of(uint8_t id, const char *number, uint64_t first, uint64_t last)
{
	struct runs_row row = {.id = {id}, .start = DAY, .first = first, .last = last};
	snprintf(row.number, sizeof row.number, "%s", number);
	snprintf(row.instrument, sizeof row.instrument, "xrf-1");
	snprintf(row.topic, sizeof row.topic, "a1/data/xrf/s/n/xrf-1/");
	snprintf(row.sample, sizeof row.sample, "S-1");
	snprintf(row.status, sizeof row.status, "%s", last > 0 ? "complete" : "");
	return row;
}

/* Notes up to `head` are taken from the file; there is no journal behind it to be read. */
static struct runs *load(const uint8_t *id, uint64_t head)
{
	struct runs *runs = NULL;
	assert_int_equal(runs_load(&runs, folder, id, head), 0);
	return runs;
}

static void put(struct runs *runs, uint8_t id, const char *number, uint64_t first, uint64_t last)
{
	struct runs_row row = row_of(id, number, first, last);
	assert_int_equal(runs_put(runs, &row), 0);
}

/* The rows of this journal and, after them, of former ones. */
static size_t count_rows(struct runs *runs)
{
	struct runs_search search = {0};
	struct runs_row row;
	size_t count = 0;
	while (runs_search(runs, &search, &row) == 1)
		count++;
	return count;
}

static void numbers_count_up_within_a_day_and_an_instrument(void **state)
{
	char number[RUN_NUMBER_MAX + 1];
	struct runs *runs = load(first_id, 0);
	runs_next_number(runs, "n", "xrf-1", DAY + HOUR, number);
	assert_string_equal(number, "n/xrf-1/20261122-001");
	put(runs, 1, number, 1, 0);
	runs_next_number(runs, "n", "xrf-1", DAY + 23 * HOUR, number);
	assert_string_equal(number, "n/xrf-1/20261122-002");
	runs_next_number(runs, "n", "xrf-11", DAY, number);
	assert_string_equal(number, "n/xrf-11/20261122-001");
	runs_next_number(runs, "n", "xrf-1", DAY + 24 * HOUR, number);
	assert_string_equal(number, "n/xrf-1/20261123-001");
	runs_destroy(runs);
}

/* --- the laboratory's days ------------------------------------------------------------------- */

#define WALKS 30

/* Days with a change of the clock, a day that Samoa left out, and a change of half an hour. */
static const uint64_t hard_days[] = {
	UINT64_C(1774699200000000000), /* 2026-03-28 12:00 UTC: Berlin sets the clock forward */
	UINT64_C(1792843200000000000), /* 2026-10-24 12:00 UTC: and back */
	UINT64_C(1325160000000000000), /* 2011-12-29 12:00 UTC: no 2011-12-30 in Apia */
	UINT64_C(1775304000000000000), /* 2026-04-04 12:00 UTC: Lord Howe */
};

static const char *const zones[] = {"UTC", "Europe/Berlin", "Pacific/Apia", "Australia/Lord_Howe",
	"Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati", "Etc/GMT+12"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void the_day_is_that_of_the_laboratory(void **state)
{
	static const struct {
		const char *zone;
		uint64_t utc;
		const char *day;
	} days[] = {
		{"UTC", DAY - 1, "20261121"},
		{"UTC", DAY, "20261122"},
		{"Asia/Tokyo", DAY - 9 * HOUR - 1, "20261121"},
		{"Asia/Tokyo", DAY - 9 * HOUR, "20261122"},
		{"America/St_Johns", DAY + 7 * HOUR / 2 - 1, "20261121"},
		{"America/St_Johns", DAY + 7 * HOUR / 2, "20261122"},
		/* 2026-10-25 in Berlin has 25 hours, 2026-03-29 has 23. */
		{"Europe/Berlin", UINT64_C(1792879200000000000) - 1, "20261024"},
		{"Europe/Berlin", UINT64_C(1792879200000000000), "20261025"},
		{"Europe/Berlin", UINT64_C(1792879200000000000) + 25 * HOUR - 1, "20261025"},
		{"Europe/Berlin", UINT64_C(1792879200000000000) + 25 * HOUR, "20261026"},
		{"Europe/Berlin", UINT64_C(1774738800000000000), "20260329"},
		{"Europe/Berlin", UINT64_C(1774738800000000000) + 23 * HOUR - 1, "20260329"},
		{"Europe/Berlin", UINT64_C(1774738800000000000) + 23 * HOUR, "20260330"},
	};
	uint8_t id[JOURNAL_ID_SIZE] = {40};
	struct runs *runs = load(id, 0);
	for (size_t i = 0; i < COUNT(days); i++) {
		char number[RUN_NUMBER_MAX + 1], expected[40];
		runs_use_zone(days[i].zone);
		runs_next_number(runs, "z", "xrf-1", days[i].utc, number);
		snprintf(expected, sizeof expected, "z/xrf-1/%s-001", days[i].day);
		assert_string_equal(number, expected);
	}
	runs_use_zone("UTC");
	runs_destroy(runs);
}

static uint64_t dice;

static uint64_t roll(uint64_t bound)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (dice >> 33) % bound;
}

/*
 * Lives of the daemon on two journals, each in a zone of its own and with a clock that was set; of a
 * run that follows, the clock may have stepped too.
 */
static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static void no_number_is_given_twice_in_any_zone(void **state)
{
	snprintf(folder, sizeof folder, "%s/test-runs-XXXXXX", /* in memory: it syncs often */
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(folder));
	enum { LIVES = 8, RUNS = 8 };
	static char given[LIVES * RUNS][RUN_NUMBER_MAX + 1];
	uint8_t next_id = 0;
	for (unsigned walk = 0; walk < WALKS; walk++) {
		size_t count = 0;
		dice = walk;
		uint64_t heads[2] = {0}, now = hard_days[roll(COUNT(hard_days))];
		char known[90], node[16];
		snprintf(known, sizeof known, "%s/known-%u", folder, walk);
		snprintf(node, sizeof node, "walk-%u", walk);
		assert_int_equal(mkdir(known, 0700), 0);
		for (int life = 0; life < LIVES; life++) {
			size_t which = roll(2);
			uint8_t id[JOURNAL_ID_SIZE] = {50, (uint8_t)walk, (uint8_t)which};
			struct numbers numbers;
			struct runs *runs = load(id, heads[which]);
			numbers_open(&numbers, known, id);
			runs_reserve(runs, &numbers);
			runs_use_zone(zones[roll(COUNT(zones))]);
			for (int n = 0; n < RUNS; n++) {
				char *number = given[count];
				now += roll(30 * HOUR);
				now -= roll(3) == 0 ? roll(60 * HOUR) : 0;
				runs_next_number(runs, node, "xrf-1", now, number);
				numbers_sync(&numbers);
				for (size_t i = 0; i < count; i++) {
					if (strcmp(given[i], number) == 0)
						fail_msg("walk %u gives %s again", walk, number);
				}
				count++;
				struct runs_row row = row_of(0, number, ++heads[which], 0);
				row.last = row.first;
				memcpy(row.id, &count, sizeof count);
				row.id[15] = ++next_id;
				memcpy(row.id + 8, &(uint32_t){walk}, 4);
				assert_int_equal(runs_put(runs, &row), 0);
			}
			runs_destroy(runs);
			numbers_close(&numbers);
		}
	}
	runs_use_zone("UTC");
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void rows_are_kept_and_a_later_state_replaces_an_earlier(void **state)
{
	struct runs *runs = load(first_id, 0);
	put(runs, 1, "n/xrf-1/20261122-001", 1, 0);
	put(runs, 1, "n/xrf-1/20261122-001", 1, 9);
	runs_destroy(runs);
	runs = load(first_id, 9);
	assert_int_equal(count_rows(runs), 1);
	struct runs_search search = {.number = "n/xrf-1/20261122-001"};
	struct runs_row row;
	assert_int_equal(runs_search(runs, &search, &row), 1);
	assert_int_equal(row.last, 9);
	assert_string_equal(row.sample, "S-1");
	assert_string_equal(row.status, "complete");
	runs_destroy(runs);
}

static void what_the_journal_did_not_keep_is_forgotten(void **state)
{
	struct runs *runs = load(first_id, 0);
	put(runs, 1, "n/xrf-1/20261122-001", 1, 4);
	put(runs, 2, "n/xrf-1/20261122-002", 5, 0);
	put(runs, 2, "n/xrf-1/20261122-002", 5, 8);
	runs_destroy(runs);
	runs = load(first_id, 4); /* a crash took the rest */
	assert_int_equal(count_rows(runs), 1);
	runs_destroy(runs);
	runs = load(first_id, 4); /* and the next start does not find it again */
	assert_int_equal(count_rows(runs), 1);
	runs_destroy(runs);
}

/* A start with the runs of months: its cost must grow no faster than their number. */
static void many_runs_are_found_one_by_one(void **state)
{
	enum { MANY = 60000 };
	uint8_t id[JOURNAL_ID_SIZE] = {9};
	struct runs *runs = load(id, 0);
	struct runs_row row = row_of(0, "n/xrf-1/20261122-001", 1, 0);
	for (uint32_t i = 1; i <= MANY; i++) {
		memcpy(row.id + 8, &i, sizeof i);
		row.first = i;
		assert_int_equal(runs_put(runs, &row), 0);
	}
	runs_destroy(runs);
	struct timespec begun, ended;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begun);
	runs = load(id, MANY);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
	assert_int_equal(count_rows(runs), MANY);
	for (uint32_t i = 1; i <= MANY; i += 7777) {
		memcpy(row.id + 8, &i, sizeof i);
		struct runs_search search = {.id = row.id};
		struct runs_row found;
		assert_int_equal(runs_search(runs, &search, &found), 1);
		assert_int_equal(found.first, i);
	}
	row.id[0] ^= 1;
	struct runs_search search = {.id = row.id};
	assert_int_equal(runs_search(runs, &search, &row), 0);
	runs_destroy(runs);
	/* comparing each with each takes seconds */
	assert_true(ended.tv_sec - begun.tv_sec < 2);
}

/* Runs are never forgotten: one may cost a few hundred bytes, not the width of all its fields. */
static void a_row_takes_little_memory(void **state)
{
	enum { MANY = 20000 };
	uint8_t id[JOURNAL_ID_SIZE] = {8};
	struct runs *runs = load(id, 0);
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	for (uint32_t i = 1; i <= MANY; i++) {
		char number[RUN_NUMBER_MAX + 1];
		snprintf(number, sizeof number, "n/xrf-1/20261122-%05u", i);
		struct runs_row row = row_of(0, number, i, 0);
		memcpy(row.id + 8, &i, sizeof i);
		assert_int_equal(runs_put(runs, &row), 0);
	}
	assert_in_range((mallinfo2().uordblks + mallinfo2().hblkhd - before) / MANY, 0, 400);
	runs_destroy(runs);
}

static void a_number_is_not_given_again_in_a_new_journal(void **state)
{
	char number[RUN_NUMBER_MAX + 1];
	struct runs *runs = load(first_id, 0);
	put(runs, 1, "n/xrf-1/20261122-007", 1, 4);
	runs_destroy(runs);
	runs = load(second_id, 0);
	assert_int_equal(count_rows(runs), 1); /* the former one */
	runs_next_number(runs, "n", "xrf-1", DAY, number);
	assert_string_equal(number, "n/xrf-1/20261122-008");
	runs_destroy(runs);
}

static void search_finds_the_newest_first_and_former_journals_last(void **state)
{
	struct runs *runs = load(first_id, 0);
	put(runs, 1, "n/xrf-1/20261122-001", 1, 4);
	put(runs, 2, "n/xrf-1/20261122-002", 5, 8);
	runs_destroy(runs);
	runs = load(second_id, 0);
	put(runs, 3, "n/xrf-1/20261122-003", 1, 0);

	struct runs_search search = {.sample = "S-1", .instrument = "xrf-1"};
	struct runs_row row;
	assert_int_equal(runs_search(runs, &search, &row), 1);
	assert_int_equal(row.id[0], 3);
	assert_memory_equal(row.journal, second_id, sizeof second_id);
	assert_int_equal(runs_search(runs, &search, &row), 1);
	assert_memory_equal(row.journal, first_id, sizeof first_id);
	assert_int_equal(runs_search(runs, &search, &row), 1);
	assert_int_equal(runs_search(runs, &search, &row), 0);
	assert_int_equal(runs_search(runs, &search, &row), 0);

	struct runs_search by_number = {.number = "n/xrf-1/20261122-002"};
	assert_int_equal(runs_search(runs, &by_number, &row), 1);
	assert_int_equal(row.id[0], 2);
	struct runs_search too_late = {.since = DAY + 1};
	assert_int_equal(runs_search(runs, &too_late, &row), 0);
	runs_destroy(runs);
}

static void a_run_of_a_former_journal_is_ended_from_here(void **state)
{
	struct runs *runs = load(first_id, 0);
	put(runs, 1, "n/xrf-1/20261122-001", 1, 0);
	put(runs, 2, "n/xrf-1/20261122-002", 5, 0);
	runs_destroy(runs);
	runs = load(second_id, 0);
	runs_end_former(runs, (uint8_t[16]){2}, "interrupted", 7);
	struct runs_search search = {.number = "n/xrf-1/20261122-002"};
	struct runs_row row;
	assert_int_equal(runs_search(runs, &search, &row), 1);
	assert_string_equal(row.status, "interrupted");
	assert_int_equal(row.frames, 7);
	struct runs_search other = {.number = "n/xrf-1/20261122-001"};
	assert_int_equal(runs_search(runs, &other, &row), 1);
	assert_string_equal(row.status, "");
	runs_destroy(runs);
}

/* --- data sets of folders --------------------------------------------------------------------- */

static struct taken_file file_of(const char *path, char content, bool sim)
{
	struct taken_file file;
	struct buffer settings = {0};
	struct map map;
	char sha256[65];
	memset(sha256, content, 64);
	sha256[64] = '\0';
	map_open(&map, &settings);
	map_text(&map, "file", path);
	map_text(&map, "file_sha256", sha256);
	map_close(&map);
	taken_read(&file, "xrf-1", sim, (struct assay_span){settings.data, settings.len});
	assert_true(taken_is_file(&file));
	buffer_finish(&settings);
	return file;
}

/* Starts and ends a run of this file, first 10 * id; status "": it stays open. */
static void put_file(struct runs *runs, uint8_t id, struct taken_file file, const char *status)
{
	struct runs_row row = row_of(id, "n/xrf-1/20261122-001", 10u * id, 0);
	row.start += id;
	row.file = file;
	assert_int_equal(runs_put(runs, &row), 0);
	if (status[0] == '\0')
		return;
	row.last = 10u * id + 1;
	snprintf(row.status, sizeof row.status, "%s", status);
	assert_int_equal(runs_put(runs, &row), 0);
}

/* Which of a ... d, b in two contents, are taken, such as "a2b1" */
static const char *list_taken(struct runs *runs, const char *instrument, bool sim)
{
	static char text[20];
	struct buffer keys = {0};
	text[0] = '\0';
	runs_list_taken(runs, instrument, sim, &keys);
	for (char path = 'a'; path <= 'd'; path++)
		for (char content = '1'; content <= '2'; content++) {
			struct taken_file file = file_of((char[]){path, '\0'}, content, sim);
			for (size_t i = 0; i < keys.len; i += WIRE_TAKEN_BYTES)
				if (memcmp(keys.data + i, file.key, WIRE_TAKEN_BYTES) == 0)
					snprintf(text + strlen(text), 3, "%c%c", path, content);
		}
	assert_int_equal(keys.len / WIRE_TAKEN_BYTES, strlen(text) / 2);
	buffer_finish(&keys);
	return text;
}

static void check_taken(struct runs *runs)
{
	struct runs_row former;
	struct taken_file file = file_of("b", '2', false);
	assert_string_equal(list_taken(runs, "xrf-1", false), "a1b1b2");
	assert_string_equal(list_taken(runs, "xrf-1", true), "");
	assert_string_equal(list_taken(runs, "xrf-2", false), "");
	assert_false(runs_find_superseded(runs, &file, &former)); /* it is the last content */
	file = file_of("b", '3', false);
	assert_true(runs_find_superseded(runs, &file, &former));
	assert_int_equal(former.id[0], 3);
	file = file_of("a", '3', true); /* simulated runs supersede none of real files */
	assert_false(runs_find_superseded(runs, &file, &former));
	file = file_of("c", '3', false); /* its run failed */
	assert_false(runs_find_superseded(runs, &file, &former));
}

static void only_complete_runs_take_a_file_in_all_journals(void **state)
{
	struct runs *runs = load(first_id, 0);
	put_file(runs, 1, file_of("a", '1', false), "complete");
	put_file(runs, 2, file_of("b", '1', false), "complete");
	put_file(runs, 3, file_of("b", '2', false), "complete");
	put_file(runs, 4, file_of("c", '1', false), "failed");
	put_file(runs, 5, file_of("d", '1', false), "");
	check_taken(runs);
	runs_destroy(runs);
	runs = load(first_id, 50);
	check_taken(runs);
	runs_destroy(runs);
	runs = load(second_id, 0);
	check_taken(runs);
	put_file(runs, 6, file_of("d", '1', false), "complete");
	assert_string_equal(list_taken(runs, "xrf-1", false), "a1b1b2d1");
	runs_destroy(runs);
}

static void amends_are_kept_also_of_runs_in_former_journals(void **state)
{
	const uint8_t run[16] = {1};
	struct runs_amend amends[4];
	struct runs *runs = load(first_id, 0);
	put(runs, 1, "n/xrf-1/20261122-001", 1, 4);
	assert_int_equal(runs_put_amend(runs, run, 5), 0);
	runs_destroy(runs);
	runs = load(second_id, 0);
	assert_int_equal(runs_put_amend(runs, run, 2), 0);
	runs_destroy(runs);
	runs = load(second_id, 2);
	assert_int_equal(runs_amends(runs, run, amends, 4), 2);
	assert_int_equal(amends[0].seq, 5);
	assert_memory_equal(amends[0].journal, first_id, sizeof first_id);
	assert_int_equal(amends[1].seq, 2);
	assert_memory_equal(amends[1].journal, second_id, sizeof second_id);
	runs_destroy(runs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			numbers_count_up_within_a_day_and_an_instrument, make_folder),
		cmocka_unit_test_setup(
			search_finds_the_newest_first_and_former_journals_last, make_folder),
		cmocka_unit_test_setup(a_run_of_a_former_journal_is_ended_from_here, make_folder),
		cmocka_unit_test_setup(
			amends_are_kept_also_of_runs_in_former_journals, make_folder),
		cmocka_unit_test_setup(only_complete_runs_take_a_file_in_all_journals, make_folder),
		cmocka_unit_test_setup(
			rows_are_kept_and_a_later_state_replaces_an_earlier, make_folder),
		cmocka_unit_test_setup(the_day_is_that_of_the_laboratory, make_folder),
		cmocka_unit_test(no_number_is_given_twice_in_any_zone),
		cmocka_unit_test_setup(what_the_journal_did_not_keep_is_forgotten, make_folder),
		cmocka_unit_test_setup(many_runs_are_found_one_by_one, make_folder),
		cmocka_unit_test_setup(a_row_takes_little_memory, make_folder),
		cmocka_unit_test_setup(a_number_is_not_given_again_in_a_new_journal, make_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

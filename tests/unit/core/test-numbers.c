/* SPDX-License-Identifier: Apache-2.0 */
/* No run number is given twice, whichever of several journals is in use. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "base/log.h"
#include "core/runs/numbers.h"

#define SEEDS       500
#define JOURNALS    3
#define INSTRUMENTS 2
#define DAYS        4
#define NUMBERS_MAX 20000

static uint64_t dice;
static unsigned seed;

static unsigned roll(unsigned bound)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)((dice >> 33) % bound);
}

static char folder[64];
static bool given[INSTRUMENTS][DAYS][NUMBERS_MAX];
static unsigned last[JOURNALS][INSTRUMENTS][DAYS]; /* as each journal's own list has it */

static void id_of(unsigned journal, uint8_t id[JOURNAL_ID_SIZE])
{
	memset(id, (int)journal + 1, JOURNAL_ID_SIZE);
}

/* A life of the daemon on one journal: the file is written before a number is told. */
static void live(unsigned journal)
{
	struct numbers numbers;
	uint8_t id[JOURNAL_ID_SIZE];
	id_of(journal, id);
	numbers_open(&numbers, folder, id);
	for (unsigned runs = roll(150); runs > 0; runs--) {
		unsigned instrument = roll(INSTRUMENTS), day = roll(DAYS);
		unsigned number = numbers_give(
			&numbers, 20261101 + day, last[journal][instrument][day] + 1);
		numbers_sync(&numbers);
		assert_true(number < NUMBERS_MAX);
		if (given[instrument][day][number])
			fail_msg("ASSAY_TEST_SEED=%u: journal %u gives number %u again", seed,
				journal, number);
		given[instrument][day][number] = true;
		last[journal][instrument][day] = number;
	}
	numbers_close(&numbers);
}

static void no_number_is_given_twice(void **state)
{
	char file[80];
	const char *only = getenv("ASSAY_TEST_SEED");
	unsigned count = 0;
	snprintf(file, sizeof file, "%s/numbers", folder);
	for (seed = 1; seed <= SEEDS; seed++) {
		if (only != NULL && strtoul(only, NULL, 10) != seed)
			continue;
		count++;
		dice = seed;
		memset(given, 0, sizeof given);
		memset(last, 0, sizeof last);
		unlink(file);
		for (int lives = 0; lives < 12; lives++)
			live(roll(JOURNALS));
	}
	print_message("%u seeds\n", count);
}

static void one_journal_leaves_no_number_out(void **state)
{
	char file[80];
	struct numbers numbers;
	uint8_t id[JOURNAL_ID_SIZE];
	snprintf(file, sizeof file, "%s/numbers", folder);
	unlink(file);
	id_of(0, id);
	for (unsigned next = 1; next < 1000; next++) {
		numbers_open(&numbers, folder, id);
		assert_int_equal(numbers_give(&numbers, 20261101, next), next);
		if (next % 7 != 0)
			numbers_sync(&numbers);
		numbers_close(&numbers);
	}
	numbers_open(&numbers, "", id); /* no folder */
	assert_int_equal(numbers_give(&numbers, 20261101, 5), 5);
	numbers_sync(&numbers);
	numbers_close(&numbers);
}

/* Writes the file of journal 0 with these days, and a checksum that is right or not. */
static void write_days(const char *days, bool is_sound)
{
	char file[80], text[200];
	snprintf(file, sizeof file, "%s/numbers", folder);
	int len = snprintf(text, sizeof text, "01010101-0101-0101-0101-010101010101\n%s", days);
	FILE *to = fopen(file, "w");
	assert_non_null(to);
	fprintf(to, "%s%08x\n", text, (unsigned)crc32c(0, text, (size_t)len) ^ (is_sound ? 0 : 1));
	fclose(to);
}

static void a_damaged_file_counts_as_none(void **state)
{
	static const struct {
		const char *days;
		bool is_sound;
		unsigned given; /* on another journal, when 5 is the next */
	} files[] = {
		{"20261101 9 9\n", true, 10},
		{"20261101 9 9\n", false, 5},
		{"20261101 9 4294967295\n", true, 5}, /* no number is left */
		{"20261101 9 8\n", true, 5},
		{"20261102 9 9\n20261101 9 9\n", true, 5},
		{"20261101 9\n", true, 5},
	};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct numbers numbers;
		uint8_t id[JOURNAL_ID_SIZE];
		id_of(1, id);
		write_days(files[i].days, files[i].is_sound);
		numbers_open(&numbers, folder, id);
		assert_int_equal(numbers_give(&numbers, 20261101, 5), files[i].given);
		numbers_close(&numbers);
	}
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_number_is_given_twice),
		cmocka_unit_test(one_journal_leaves_no_number_out),
		cmocka_unit_test(a_damaged_file_counts_as_none),
	};
	log_init(0, true);
	snprintf(folder, sizeof folder, "%s/assay-numbers-XXXXXX", /* in memory: it syncs often */
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(folder) == NULL)
		return 1;
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return r;
}

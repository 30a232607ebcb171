/* SPDX-License-Identifier: Apache-2.0 */
/* The journal on a real file system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/clock.h"
#include "entry.h"
#include "journal/reader.h"
#include "journal/writer.h"

#define NOW UINT64_C(1800000000000000000)

static char path[64];

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *at)
{
	return remove(name);
}

static int make_folder(void **state)
{
	snprintf(path, sizeof path, "/tmp/assay-journal-XXXXXX");
	return mkdtemp(path) == NULL;
}

static int remove_folder(void **state)
{
	return nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static int open_journal(struct journal **journal, struct journal_report *report)
{
	struct journal_options options = {.path = path, .entry = entry_describe, .now = NOW};
	return journal_open(journal, &io_posix, &options, report);
}

static void append(struct journal *journal, const char *topic, size_t len)
{
	struct journal_item item = entry_make(topic, journal_head(journal) + 1, NOW, len);
	assert_int_equal(journal_append(journal, &item, 1), 0);
	assert_int_equal(journal_sync(journal), 0);
	entry_free(&item);
}

static void a_reopened_journal_goes_on_where_it_ended(void **state)
{
	struct journal *journal;
	struct journal_report report;
	assert_int_equal(open_journal(&journal, &report), 0);
	assert_int_equal(report.why, JOURNAL_NEW_FIRST);
	append(journal, "a1/x/", 100);
	append(journal, "a1/y/", 100000);
	append(journal, "a1/x/", 17);
	uint8_t id[JOURNAL_ID_SIZE];
	memcpy(id, journal_id(journal), sizeof id);
	assert_int_equal(journal_close(journal), 0);

	assert_int_equal(open_journal(&journal, &report), 0);
	assert_int_equal(report.why, JOURNAL_CONTINUED);
	assert_false(report.unclean);
	assert_false(report.has_old);
	assert_int_equal(report.head, 3);
	assert_int_equal(report.last_tc, NOW);
	assert_memory_equal(report.id, id, sizeof id);
	assert_int_equal(entry_last(journal, "a1/x/"), 3);
	assert_int_equal(entry_last(journal, "a1/y/"), 2);
	assert_int_equal(entry_last(journal, "a1/z/"), 0);
	append(journal, "a1/y/", 8);
	assert_int_equal(journal->durable, 4);
	assert_int_equal(journal_close(journal), 0);
}

static void a_second_core_is_rejected(void **state)
{
	struct journal *first, *second;
	struct journal_report report;
	assert_int_equal(open_journal(&first, &report), 0);
	assert_int_equal(open_journal(&second, &report), -EBUSY);
	assert_int_equal(journal_close(first), 0);
	assert_int_equal(open_journal(&second, &report), 0);
	assert_int_equal(journal_close(second), 0);
}

static void folders_and_files_are_private(void **state)
{
	struct journal *journal;
	struct journal_report report;
	assert_int_equal(open_journal(&journal, &report), 0);
	append(journal, "a1/x/", 100);
	char text[JOURNAL_ID_TEXT], name[256];
	journal_id_format(text, journal_id(journal));
	struct stat st;
	snprintf(name, sizeof name, "%s/journal/%s", path, text);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(name, sizeof name, "%s/journal/%s/%020d.seg", path, text, 1);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	uint64_t bytes;
	assert_int_equal(journal_free(journal, &bytes), 0);
	assert_true(bytes > 0);
	assert_int_equal(journal_close(journal), 0);
}

#define FOLLOWED 3000

static void *write_many(void *arg)
{
	struct journal *journal = arg;
	uint64_t seq = 0;
	while (seq < FOLLOWED) {
		struct journal_item items[7];
		for (int i = 0; i < 7; i++, seq++)
			items[i] = entry_make("a1/x/", seq + 1, NOW, 20 + seq % 3000);
		int r = journal_append(journal, items, 7);
		if (r == 0)
			r = journal_sync(journal);
		for (int i = 0; i < 7; i++)
			entry_free(&items[i]);
		if (r < 0)
			break;
	}
	return NULL;
}

/* Reads to the last entry while they are being written; false when it is not as written. */
static bool follow(struct journal *journal, struct journal_reader *reader)
{
	uint64_t seq = 0, deadline = clock_boot() + 60 * NS_PER_S;
	while (seq < FOLLOWED && clock_boot() < deadline) {
		struct journal_found found;
		int r = journal_reader_next(reader, journal->durable, &found);
		if (r == 0)
			continue;
		if (r < 0 || found.kind != JOURNAL_ENTRY || found.seq != ++seq)
			return false;
		struct journal_item item = entry_make("a1/x/", seq, NOW, 20 + (seq - 1) % 3000);
		bool is_same = found.len == item.len &&
			       memcmp(found.bytes, item.bytes, found.len) == 0;
		entry_free(&item);
		if (!is_same)
			return false;
	}
	return seq == FOLLOWED;
}

static void a_reader_keeps_up_with_a_writing_thread(void **state)
{
	struct journal *journal;
	struct journal_report report;
	struct journal_options options = {
		.path = path, .entry = entry_describe, .now = NOW, .segment_size = 100000};
	assert_int_equal(journal_open(&journal, &io_posix, &options, &report), 0);
	struct journal_reader *reader;
	assert_int_equal(
		journal_reader_open(&reader, &io_posix, path, journal_id(journal), entry_describe),
		0);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, write_many, journal), 0);
	bool is_right = follow(journal, reader);
	pthread_join(thread, NULL);
	assert_true(is_right);
	journal_reader_close(reader);
	assert_int_equal(journal_close(journal), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_reopened_journal_goes_on_where_it_ended, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			a_second_core_is_rejected, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			folders_and_files_are_private, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(
			a_reader_keeps_up_with_a_writing_thread, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "core.h"
#include "journal/segment.h"

#define ENTRY  200
#define RECORD (RECORD_HEADER_SIZE + ENTRY)

static struct core core;
static struct journal_reader *reader;

/* Three segments: 1 to 3, 4 to 7, and 8 to 9, which is open; topics in turn. */
static int set_up(void **state)
{
	core_init(&core, 1);
	if (core_open(&core) != 0)
		return -1;
	core_accept(&core);
	for (uint32_t i = 0; i < 9; i++) {
		if (i == 3 || i == 7)
			journal_roll(core.journal);
		core_commit(&core, core_topic(i), ENTRY);
	}
	return journal_reader_open(&reader, disk_io(core.disk), CORE_PATH, core.id, entry_describe);
}

static int tear_down(void **state)
{
	journal_reader_close(reader);
	core_finish(&core);
	return 0;
}

static void expect_entry(uint64_t seq, uint64_t upto)
{
	struct journal_found found;
	const struct journal_item *item = &core.items[seq - 1];
	assert_int_equal(journal_reader_next(reader, upto, &found), 1);
	assert_int_equal(found.kind, JOURNAL_ENTRY);
	assert_int_equal(found.seq, seq);
	assert_int_equal(found.len, item->len);
	assert_memory_equal(found.bytes, item->bytes, item->len);
}

static void expect_gap(enum journal_found_kind kind, uint64_t from, uint64_t to, uint64_t upto)
{
	struct journal_found found;
	assert_int_equal(journal_reader_next(reader, upto, &found), 1);
	assert_int_equal(found.kind, kind);
	assert_int_equal(found.seq, from);
	assert_int_equal(found.to, to);
}

static void expect_end(uint64_t upto)
{
	struct journal_found found;
	assert_int_equal(journal_reader_next(reader, upto, &found), 0);
}

static uint64_t body_of(uint64_t seq, uint64_t first_seq)
{
	return SEGMENT_HEADER_SIZE + (seq - first_seq) * RECORD + RECORD_HEADER_SIZE + ENTRY / 2;
}

static bool wants_topic(void *arg, const char *topic, size_t topic_len)
{
	const char *wanted = arg;
	return topic_len == strlen(wanted) && memcmp(topic, wanted, topic_len) == 0;
}

static void a_reader_gives_everything_in_order(void **state)
{
	for (uint64_t seq = 1; seq <= 9; seq++)
		expect_entry(seq, 9);
	expect_end(9);
}

static void a_reader_stops_at_a_limit_and_continues(void **state)
{
	expect_end(0);
	expect_entry(1, 1);
	expect_end(1);
	expect_entry(2, 5);
	expect_entry(3, 3);
	expect_end(3);
	expect_entry(4, 9);
}

static void a_reader_goes_anywhere(void **state)
{
	static const uint64_t seqs[] = {9, 8, 2, 1, 7, 4, 5, 3, 9, 6};
	for (size_t i = 0; i < sizeof seqs / sizeof seqs[0]; i++) {
		journal_reader_seek(reader, seqs[i]);
		expect_entry(seqs[i], 9);
	}
	journal_reader_seek(reader, 0);
	expect_entry(1, 9);
	journal_reader_seek(reader, 10);
	expect_end(9);
}

static void a_reader_follows_the_writer_over_segments(void **state)
{
	journal_reader_seek(reader, 9);
	expect_entry(9, 9);
	for (uint32_t i = 0; i < 10; i++) {
		if (i % 3 == 0)
			assert_int_equal(journal_roll(core.journal), 0);
		core_commit(&core, core_topic(i), ENTRY);
		expect_end(9 + i);
		expect_entry(10 + i, 10 + i);
	}
}

/* An entry stands in both files when the sync of the first one failed. */
static void a_reader_follows_the_writer_to_another_file(void **state)
{
	journal_reader_seek(reader, 9);
	expect_entry(9, 9);
	disk_fail(core.disk, DISK_SYNC, 1, 1, EIO);
	core_commit(&core, core_topic(0), ENTRY);
	core_commit(&core, core_topic(1), ENTRY);
	expect_entry(10, 11);
	expect_entry(11, 11);
	expect_end(11);
}

static void a_filter_gives_one_topic_with_and_without_an_index(void **state)
{
	journal_reader_filter(reader, wants_topic, (void *)(uintptr_t)core_topic(2));
	expect_entry(3, 9);
	expect_entry(8, 9);
	expect_end(9);
	disk_remove(core.disk, core_file(&core, 1, ".idx"));
	disk_damage(core.disk, core_file(&core, 4, ".idx"), 120);
	journal_reader_filter(reader, wants_topic, (void *)(uintptr_t)core_topic(1));
	journal_reader_seek(reader, 1);
	expect_entry(2, 9);
	expect_entry(7, 9);
	expect_end(9);
	journal_reader_filter(reader, NULL, NULL);
	journal_reader_seek(reader, 6);
	expect_entry(6, 9);
}

static void damage_is_a_gap_with_and_without_an_index(void **state)
{
	disk_damage(core.disk, core_file(&core, 4, ".seg"), body_of(5, 4));
	expect_entry(1, 9);
	journal_reader_seek(reader, 4);
	expect_entry(4, 9);
	expect_gap(JOURNAL_GAP_DAMAGED, 5, 5, 9);
	expect_entry(6, 9);
	disk_remove(core.disk, core_file(&core, 4, ".idx"));
	journal_reader_seek(reader, 1);
	expect_entry(1, 9);
	journal_reader_seek(reader, 4);
	expect_entry(4, 9);
	expect_gap(JOURNAL_GAP_DAMAGED, 5, 5, 9);
	expect_entry(6, 9);
	expect_entry(7, 9);
	expect_entry(8, 9);
}

static void damage_to_the_last_entries_of_a_segment_is_a_gap_up_to_the_next(void **state)
{
	disk_remove(core.disk, core_file(&core, 4, ".idx"));
	disk_damage(core.disk, core_file(&core, 4, ".seg"), body_of(6, 4));
	disk_damage(core.disk, core_file(&core, 4, ".seg"), body_of(7, 4));
	journal_reader_seek(reader, 5);
	expect_entry(5, 9);
	expect_gap(JOURNAL_GAP_DAMAGED, 6, 7, 9);
	expect_entry(8, 9);
}

static void damage_to_the_open_segment_is_a_gap(void **state)
{
	disk_damage(core.disk, core_file(&core, 8, ".seg"), body_of(8, 8));
	journal_reader_seek(reader, 7);
	expect_entry(7, 9);
	expect_gap(JOURNAL_GAP_DAMAGED, 8, 8, 9);
	expect_entry(9, 9);
	disk_damage(core.disk, core_file(&core, 8, ".seg"), body_of(9, 8));
	journal_reader_seek(reader, 8);
	expect_gap(JOURNAL_GAP_DAMAGED, 8, 9, 9);
	core_commit(&core, core_topic(0), ENTRY);
	expect_entry(10, 10);
}

static void a_damaged_header_is_a_gap_of_a_whole_segment(void **state)
{
	disk_damage(core.disk, core_file(&core, 4, ".seg"), 30);
	journal_reader_seek(reader, 3);
	expect_entry(3, 9);
	expect_gap(JOURNAL_GAP_DAMAGED, 4, 7, 9);
	expect_entry(8, 9);
}

static void bytes_that_the_disk_cannot_read_are_a_gap(void **state)
{
	expect_entry(1, 9);
	journal_reader_seek(reader, 4);
	expect_entry(4, 9);
	journal_reader_seek(reader, 9);
	disk_fail(core.disk, DISK_READ, 1, 1000, EIO);
	struct journal_found found;
	int r = journal_reader_next(reader, 9, &found);
	assert_true(r == -EIO || (r == 1 && found.kind == JOURNAL_GAP_DAMAGED));
	disk_fail(core.disk, 0, 0, 0, 0);
	journal_reader_seek(reader, 9);
	expect_entry(9, 9);
}

/* A reader looks only if there is a note. */
static void remove_with_note(uint64_t first_seq)
{
	disk_write(core.disk, core_file(&core, first_seq, SEGMENT_REMOVED), "", 0);
	disk_remove(core.disk, core_file(&core, first_seq, SEGMENT_FILE));
}

static void a_removed_segment_is_pruned_where_its_note_was_kept(void **state)
{
	remove_with_note(1);
	remove_with_note(4);
	expect_gap(JOURNAL_GAP_PRUNED, 1, 3, 9);
	expect_gap(JOURNAL_GAP_PRUNED, 4, 7, 9);
	expect_entry(8, 9);
	disk_remove(core.disk, core_file(&core, 1, SEGMENT_REMOVED));
	journal_reader_seek(reader, 2);
	expect_gap(JOURNAL_GAP_DAMAGED, 2, 3, 9);
	expect_gap(JOURNAL_GAP_PRUNED, 4, 5, 5);
}

static void a_segment_removed_under_a_reader_is_a_gap(void **state)
{
	expect_entry(1, 9);
	remove_with_note(4);
	expect_entry(2, 9);
	expect_entry(3, 9);
	expect_gap(JOURNAL_GAP_PRUNED, 4, 7, 9);
	expect_entry(8, 9);
}

static void the_range_of_a_journal_is_found(void **state)
{
	uint64_t first, last;
	const struct io *io = disk_io(core.disk);
	assert_int_equal(journal_range(io, CORE_PATH, core.id, &first, &last), 0);
	assert_int_equal(first, 1);
	assert_int_equal(last, 9);
	disk_remove(core.disk, core_file(&core, 1, ".seg"));
	assert_int_equal(core_close(&core), 0);
	assert_int_equal(journal_range(io, CORE_PATH, core.id, &first, &last), 0);
	assert_int_equal(first, 4);
	assert_int_equal(last, 9);
	uint8_t other[JOURNAL_ID_SIZE] = {0};
	assert_int_equal(journal_range(io, CORE_PATH, other, &first, &last), -ENOENT);
}

static int count_journal(void *arg, const uint8_t id[JOURNAL_ID_SIZE])
{
	(*(int *)arg)++;
	return 0;
}

static void older_journals_stay_readable(void **state)
{
	assert_int_equal(core_close(&core), 0);
	core.options.now = 1; /* hours behind: a new journal starts */
	assert_int_equal(core_open(&core), 0);
	assert_int_equal(core.report.why, JOURNAL_NEW_CLOCK);
	int count = 0;
	assert_int_equal(journal_each(disk_io(core.disk), CORE_PATH, count_journal, &count), 0);
	assert_int_equal(count, 2);
	uint64_t first, last;
	const uint8_t *id = journal_id(core.journal);
	assert_int_equal(journal_range(disk_io(core.disk), CORE_PATH, id, &first, &last), 0);
	assert_true(first > last);
	for (uint64_t seq = 1; seq <= 9; seq++)
		expect_entry(seq, 9);
	expect_end(9);
}

static void a_reader_of_nothing_fails(void **state)
{
	struct journal_reader *none;
	uint8_t other[JOURNAL_ID_SIZE] = {0};
	assert_int_equal(
		journal_reader_open(&none, disk_io(core.disk), CORE_PATH, other, entry_describe),
		-ENOENT);
	journal_reader_close(NULL);
}

#define reader_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		reader_test(a_reader_gives_everything_in_order),
		reader_test(a_reader_stops_at_a_limit_and_continues),
		reader_test(a_reader_goes_anywhere),
		reader_test(a_reader_follows_the_writer_over_segments),
		reader_test(a_reader_follows_the_writer_to_another_file),
		reader_test(a_filter_gives_one_topic_with_and_without_an_index),
		reader_test(damage_is_a_gap_with_and_without_an_index),
		reader_test(damage_to_the_last_entries_of_a_segment_is_a_gap_up_to_the_next),
		reader_test(damage_to_the_open_segment_is_a_gap),
		reader_test(a_damaged_header_is_a_gap_of_a_whole_segment),
		reader_test(bytes_that_the_disk_cannot_read_are_a_gap),
		reader_test(a_removed_segment_is_pruned_where_its_note_was_kept),
		reader_test(a_segment_removed_under_a_reader_is_a_gap),
		reader_test(the_range_of_a_journal_is_found),
		reader_test(older_journals_stay_readable),
		reader_test(a_reader_of_nothing_fails),
	};
	log_init(0, true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

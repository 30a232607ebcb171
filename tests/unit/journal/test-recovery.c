/* SPDX-License-Identifier: Apache-2.0 */
/* Starts with torn, damaged, missing and doubtful files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "fixture.h"
#include "journal/index.h"

#define RECORD (RECORD_HEADER_SIZE + ENTRY)
#define HOUR   (3600 * NS_PER_S)

static void commit(size_t count)
{
	for (size_t i = 0; i < count; i++)
		core_commit(&core, core_topic((uint32_t)i), ENTRY);
}

/* Ends without a clean end, as after a power cut that lost nothing. */
static void cut_power(void)
{
	disk_stop_at(core.disk, 0);
	core_close(&core);
	disk_reboot(core.disk);
}

static void kill_core(void)
{
	disk_stop_at(core.disk, 0);
	core_close(&core);
	disk_kill(core.disk);
}

static void close_core(void)
{
	assert_int_equal(core_close(&core), 0);
	disk_reboot(core.disk);
}

static void reopen(enum journal_why why)
{
	assert_int_equal(core_open(&core), 0);
	assert_int_equal(core.report.why, why);
}

static void assert_sound(void)
{
	const char *wrong = core_check(&core);
	if (wrong != NULL)
		fail_msg("%s", wrong);
}

static void assert_gap(size_t i, uint64_t from, uint64_t to)
{
	assert_true(i < core.report.gap_count);
	assert_int_equal(core.report.gaps[i].from, from);
	assert_int_equal(core.report.gaps[i].to, to);
}

static size_t file_size(const char *path)
{
	size_t len;
	uint8_t *data = disk_read(core.disk, path, &len);
	assert_non_null(data);
	free(data);
	return len;
}

static void append_bytes(const char *path, const void *more, size_t more_len)
{
	size_t len;
	uint8_t *data = disk_read(core.disk, path, &len);
	data = realloc(data, len + more_len);
	assert_non_null(data);
	memcpy(data + len, more, more_len);
	disk_write(core.disk, path, data, len + more_len);
	free(data);
}

static uint64_t body_of(uint64_t seq, uint64_t first_seq)
{
	return SEGMENT_HEADER_SIZE + (seq - first_seq) * RECORD + RECORD_HEADER_SIZE + ENTRY / 2;
}

static int take_name(void *arg, const char *name)
{
	snprintf(arg, 160, CORE_PATH "/quarantine/%s", name);
	return 0;
}

/* --- torn writes */

static void a_torn_tail_goes_to_the_quarantine(void **state)
{
	commit(5);
	cut_power();
	append_bytes(core_file(&core, 1, ".seg"), "AER1 and so on", 14);
	reopen(JOURNAL_CONTINUED);
	assert_sound();
	assert_true(core.report.unclean);
	assert_int_equal(core.report.torn_bytes, 14);
	assert_int_equal(core.report.torn_seq, 6);
	assert_int_equal(file_size(core_file(&core, 1, ".seg")), SEGMENT_HEADER_SIZE + 5 * RECORD);

	char path[160] = "";
	disk_list(core.disk, CORE_PATH "/quarantine", take_name, path);
	size_t len;
	uint8_t *torn = disk_read(core.disk, path, &len);
	assert_non_null(torn);
	assert_int_equal(len, 14);
	assert_memory_equal(torn, "AER1 and so on", 14);
	free(torn);
}

static void a_segment_without_an_entry_is_begun_again(void **state)
{
	commit(3);
	assert_int_equal(journal_roll(core.journal), 0);
	disk_fail(core.disk, DISK_WRITE, 2, 100, EIO);
	assert_int_equal(core_append(&core, core_topic(0), ENTRY), -EIO);
	cut_power();
	assert_true(disk_exists(core.disk, core_file(&core, 4, ".seg")));
	reopen(JOURNAL_CONTINUED);
	assert_sound();
	assert_int_equal(core.report.head, 3);
	assert_false(disk_exists(core.disk, core_file(&core, 4, ".seg")));
	core_accept(&core);
	commit(1);
	assert_null(core_read(&core, 1, 4));
}

/* On the same boot the bytes may lie in pages that no later sync will write. */
static void entries_that_a_dead_core_did_not_sync_are_written_again(void **state)
{
	commit(3);
	assert_int_equal(core_append_many(&core, 4, ENTRY), 0);
	kill_core();
	reopen(JOURNAL_CONTINUED);
	assert_sound();
	assert_int_equal(core.report.head, 7);
	assert_int_equal(core.report.rewritten, 4);
	core_accept(&core);
	disk_stop_at(core.disk, 0);
	core_close(&core);
	disk_crash(core.disk);
	reopen(JOURNAL_CONTINUED);
	assert_sound();
	assert_int_equal(core.report.head, 7);
}

/* --- damage */

static void damage_to_committed_data_is_a_gap_and_never_cut_off(void **state)
{
	commit(10);
	cut_power();
	disk_damage(core.disk, core_file(&core, 1, ".seg"), body_of(3, 1));
	disk_damage(core.disk, core_file(&core, 1, ".seg"), body_of(6, 1));
	disk_damage(core.disk, core_file(&core, 1, ".seg"), body_of(7, 1) - ENTRY / 2 - 20);
	size_t size = file_size(core_file(&core, 1, ".seg"));
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core.report.gap_count, 2);
	assert_gap(0, 3, 3);
	assert_gap(1, 6, 7);
	assert_int_equal(core.report.head, 10);
	assert_int_equal(core.report.torn_bytes, 0);
	assert_int_equal(file_size(core_file(&core, 1, ".seg")), size);

	core_accept(&core);
	commit(1);
	assert_int_equal(file_size(core_file(&core, 1, ".seg")), size);
	assert_true(disk_exists(core.disk, core_file(&core, 11, ".seg")));
	assert_null(core_read(&core, 8, 11));
	close_core();
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core.report.gap_count, 0); /* reported once */
	assert_int_equal(core.report.head, 11);
}

static void a_marker_distinguishes_damage_from_a_torn_write(void **state)
{
	commit(4);
	assert_int_equal(journal_idle(core.journal, core.tc), 0);
	cut_power();
	disk_damage(core.disk, core_file(&core, 1, ".seg"), body_of(4, 1));
	reopen(JOURNAL_CONTINUED);
	assert_gap(0, 4, 4);
	assert_int_equal(core.report.head, 4);
	assert_int_equal(core.report.torn_bytes, 0);
}

static void an_index_shows_that_a_cut_off_entry_was_durable(void **state)
{
	commit(4);
	assert_int_equal(journal_roll(core.journal), 0);
	cut_power();
	size_t len;
	uint8_t *data = disk_read(core.disk, core_file(&core, 1, ".seg"), &len);
	disk_write(core.disk, core_file(&core, 1, ".seg"), data, len - RECORD);
	free(data);
	reopen(JOURNAL_CONTINUED);
	assert_gap(0, 4, 4);
	assert_int_equal(core.report.head, 4);
	core_accept(&core);
	commit(1);
	close_core();
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core.report.gap_count, 0);
}

static void a_damaged_header_starts_a_new_journal(void **state)
{
	commit(4);
	cut_power();
	disk_damage(core.disk, core_file(&core, 1, ".seg"), 49);
	size_t size = file_size(core_file(&core, 1, ".seg"));
	reopen(JOURNAL_NEW_END_UNKNOWN);
	assert_true(core.report.has_old);
	assert_memory_equal(core.report.old_id, core.id, JOURNAL_ID_SIZE);
	assert_memory_not_equal(core.report.id, core.id, JOURNAL_ID_SIZE);
	assert_int_equal(journal_head(core.journal), 0);
	assert_int_equal(entry_last(core.journal, core_topic(0)), 0);
	assert_int_equal(file_size(core_file(&core, 1, ".seg")), size);
}

/* Whichever read fails: nothing is cut off, and nothing published is taken for missing. */
static void a_disk_that_cannot_be_read_starts_a_new_journal(void **state)
{
	bool has_begun = false;
	for (uint64_t nth = 1; nth <= 40; nth++) {
		tear_down(NULL);
		assert_int_equal(set_up(NULL), 0);
		commit(4);
		cut_power();
		size_t size = file_size(core_file(&core, 1, ".seg"));
		disk_fail(core.disk, DISK_READ, nth, 1, EIO);
		int r = core_open(&core);
		assert_int_equal(file_size(core_file(&core, 1, ".seg")), size);
		assert_int_equal(core.report.torn_bytes, 0);
		disk_fail(core.disk, 0, 0, 0, 0);
		if (r < 0)
			assert_int_equal(r, -EIO);
		else if (core.report.why == JOURNAL_NEW_END_UNKNOWN)
			has_begun = true;
		else
			assert_sound();
	}
	assert_true(has_begun);
}

static void make_three_segments(void)
{
	commit(3);
	assert_int_equal(journal_roll(core.journal), 0);
	commit(4);
	assert_int_equal(journal_roll(core.journal), 0);
	commit(2);
}

static void a_missing_file_is_a_gap(void **state)
{
	make_three_segments();
	close_core();
	disk_remove(core.disk, core_file(&core, 4, ".seg"));
	disk_remove(core.disk, core_file(&core, 4, ".idx"));
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core.report.gap_count, 1);
	assert_gap(0, 4, 7);
	assert_int_equal(core.report.head, 9);
}

/* --- index files */

static void a_start_reads_the_last_segment_and_an_index_only(void **state)
{
	make_three_segments();
	close_core();
	disk_damage(core.disk, core_file(&core, 1, ".seg"), body_of(2, 1));
	disk_damage(core.disk, core_file(&core, 4, ".seg"), body_of(5, 4));
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core.report.gap_count, 0);
	assert_int_equal(core.report.reindexed, 0);
	assert_int_equal(core.report.head, 9);
	assert_int_equal(entry_last(core.journal, core_topic(2)), 6);
}

static void lost_index_files_are_rebuilt(void **state)
{
	make_three_segments();
	close_core();
	disk_remove(core.disk, core_file(&core, 1, ".idx"));
	disk_damage(core.disk, core_file(&core, 4, ".idx"), 130);
	disk_remove(core.disk, core_file(&core, 8, ".idx"));
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core.report.reindexed, 3);
	assert_sound();
	core_accept(&core);
	close_core();
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core.report.reindexed, 0);
	assert_sound();
}

static void damage_found_while_making_an_index_is_a_gap(void **state)
{
	make_three_segments();
	close_core();
	disk_damage(core.disk, core_file(&core, 4, ".seg"), body_of(5, 4));
	disk_damage(core.disk, core_file(&core, 4, ".idx"), 100);
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core.report.gap_count, 1);
	assert_gap(0, 5, 5);
	assert_int_equal(core.report.head, 9);
}

static void bytes_that_are_no_entry_are_kept(void **state)
{
	commit(1);
	struct journal_item item = {.seq = 2,
		.tc = core.tc,
		.topic = core_topic(1),
		.topic_len = strlen(core_topic(1)),
		.bytes = "not an entry",
		.len = 12};
	assert_int_equal(journal_append(core.journal, &item, 1), 0);
	assert_int_equal(journal_sync(core.journal), 0);
	cut_power();
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core.report.odd_entries, 1);
	assert_int_equal(core.report.head, 2);
	assert_int_equal(core.report.torn_bytes, 0);

	struct journal_reader *reader;
	struct journal_found found;
	assert_int_equal(journal_reader_open(
				 &reader, disk_io(core.disk), CORE_PATH, core.id, entry_describe),
		0);
	journal_reader_seek(reader, 2);
	assert_int_equal(journal_reader_next(reader, 2, &found), 1);
	assert_memory_equal(found.bytes, "not an entry", 12);
	journal_reader_close(reader);
}

/* --- reasons for a new journal */

static void published_before_the_sync_survives_the_program_only(void **state)
{
	core_close(&core);
	core.options.sync_ms = 1000;
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core_append_many(&core, 5, ENTRY), 0);
	kill_core();
	reopen(JOURNAL_CONTINUED);
	assert_sound();
	core_accept(&core);
	assert_int_equal(core_append_many(&core, 2, ENTRY), 0);
	cut_power();
	reopen(JOURNAL_NEW_UNCLEAN);
	assert_int_equal(core.report.old_head, 7);
	assert_int_equal(core.report.head, 0);
	core_accept(&core);
	assert_int_equal(core_append_many(&core, 2, ENTRY), 0);
	close_core();
	reopen(JOURNAL_CONTINUED);
	assert_sound();
}

static void a_segment_header_has_its_origin(void **state)
{
	core_close(&core);
	core.options.sync_ms = 250;
	reopen(JOURNAL_CONTINUED);
	commit(1);
	size_t len;
	uint8_t *data = disk_read(core.disk, core_file(&core, 1, ".seg"), &len);
	struct segment_header header;
	uint8_t boot[IO_BOOT_SIZE];
	assert_true(segment_header_decode(&header, data));
	disk_io(core.disk)->boot_id(core.disk, boot);
	assert_int_equal(header.sync_ms, 250);
	assert_memory_equal(header.boot, boot, sizeof boot);
	assert_memory_equal(header.journal, core.id, JOURNAL_ID_SIZE);
	assert_int_equal(header.created, core.tc);
	free(data);
}

static void a_clock_an_hour_behind_starts_a_new_journal(void **state)
{
	commit(3);
	close_core();
	core.options.now = core.tc - HOUR;
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core.report.clock_back, HOUR);
	assert_int_equal(core.report.last_tc, core.tc);
	close_core();
	core.options.now = core.tc - HOUR - 1;
	reopen(JOURNAL_NEW_CLOCK);
	assert_int_equal(core.report.old_head, 3);
	assert_int_equal(core.report.last_tc, 0);
	assert_int_equal(journal_head(core.journal), 0);
}

static void a_journal_that_ends_before_the_known_seq_is_left(void **state)
{
	commit(3);
	cut_power();
	append_bytes(core_file(&core, 1, ".seg"), "torn", 4);
	uint8_t id[JOURNAL_ID_SIZE];
	memcpy(id, core.id, sizeof id);
	core.options.known_id = id;
	core.options.known_seq = 4;
	reopen(JOURNAL_NEW_BEHIND);
	assert_int_equal(core.report.old_head, 3);
	assert_int_equal(core.report.torn_bytes, 0);
	assert_int_equal(
		file_size(core_file(&core, 1, ".seg")), SEGMENT_HEADER_SIZE + 3 * RECORD + 4);
}

/* The rest of four entries whose file was cut after the third. */
static void cut_after_third(void)
{
	size_t len;
	uint8_t *data = disk_read(core.disk, core_file(&core, 1, ".seg"), &len);
	assert_non_null(data);
	disk_write(core.disk, core_file(&core, 1, ".seg"), data, SEGMENT_HEADER_SIZE + 3 * RECORD);
	free(data);
}

static void a_journal_that_ends_before_it_was_durable_is_left(void **state)
{
	commit(4);
	assert_int_equal(journal_idle(core.journal, core.tc), 0);
	cut_power();
	cut_after_third();
	reopen(JOURNAL_NEW_BEHIND);
	assert_int_equal(core.report.old_head, 3);
	core_accept(&core);
	commit(1);
	close_core();
	reopen(JOURNAL_CONTINUED); /* the new one is not measured by the old one's end */
}

static void a_damaged_file_durable_is_ignored(void **state)
{
	commit(4);
	assert_int_equal(journal_idle(core.journal, core.tc), 0);
	cut_power();
	cut_after_third();
	disk_damage(core.disk, CORE_PATH "/durable", 50);
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core.report.head, 3);
}

/* Without a marker, and all of one group: the records alone would look torn. */
static void damage_below_the_file_durable_is_no_torn_write(void **state)
{
	commit(1);
	core.tc += 60 * NS_PER_S;
	assert_int_equal(core_append_many(&core, 3, 1), 0);
	assert_int_equal(core_sync(&core), 0);
	cut_power();
	disk_damage(core.disk, core_file(&core, 1, ".seg"), SEGMENT_HEADER_SIZE + RECORD + 9);
	reopen(JOURNAL_CONTINUED);
	assert_int_equal(core.report.gap_count, 1);
	assert_gap(0, 2, 2);
	assert_int_equal(core.report.head, 4);
	assert_int_equal(core.report.torn_bytes, 0);
}

static void an_index_of_another_journal_is_ignored(void **state)
{
	size_t len;
	commit(3);
	assert_int_equal(journal_roll(core.journal), 0);
	uint8_t *other = disk_read(core.disk, core_file(&core, 1, ".idx"), &len);
	assert_int_equal(core_renew(&core), 0);
	commit(4);
	assert_int_equal(journal_roll(core.journal), 0);
	commit(1);
	close_core();
	disk_write(core.disk, core_file(&core, 1, ".idx"), other, len);
	free(other);
	reopen(JOURNAL_CONTINUED);
	assert_sound();
}

static void a_journal_that_has_the_known_seq_continues(void **state)
{
	commit(3);
	cut_power();
	uint8_t id[JOURNAL_ID_SIZE];
	memcpy(id, core.id, sizeof id);
	core.options.known_id = id;
	core.options.known_seq = 3;
	reopen(JOURNAL_CONTINUED);
	assert_sound();
	close_core();
	id[0] ^= 1; /* some other journal */
	core.options.known_seq = 1000;
	reopen(JOURNAL_CONTINUED);
}

static void a_lost_pointer_to_the_journal_is_noticed(void **state)
{
	commit(1);
	close_core();
	disk_remove(core.disk, CORE_PATH "/current");
	reopen(JOURNAL_NEW_LOST);
	core_accept(&core);
	close_core();
	disk_write(core.disk, CORE_PATH "/current", "../../etc", 9);
	reopen(JOURNAL_NEW_LOST);
	core_accept(&core);
	close_core();
	disk_write(core.disk, CORE_PATH "/current", "00112233-4455-6677-8899-aabbccddeeff\n", 37);
	reopen(JOURNAL_NEW_LOST);
	assert_int_equal(core.report.old_id[15], 0xff);
}

/* A file with entries, and one that ended before its first entry, which would be begun again. */
static void a_later_format_is_refused_and_left_as_it_is(void **state)
{
	commit(2);
	close_core();
	const char *path = core_file(&core, 1, ".seg");
	size_t len, len_after;
	uint8_t *data = disk_read(core.disk, path, &len);
	put_le32(data + 8, 2);
	put_le32(data + 76, crc32c(0, data, 76));
	for (size_t size = len; size > 0;
		size = size > SEGMENT_HEADER_SIZE ? SEGMENT_HEADER_SIZE : 0) {
		disk_write(core.disk, path, data, size);
		assert_int_equal(core_open(&core), -EPROTONOSUPPORT);
		uint8_t *after = disk_read(core.disk, path, &len_after);
		assert_non_null(after);
		assert_int_equal(len_after, size);
		assert_memory_equal(after, data, size);
		free(after);
	}
	assert_non_null(strstr(journal_error(-EPROTONOSUPPORT), "a later version of assayd"));
	free(data);
}

static void unfinished_files_are_removed(void **state)
{
	commit(2);
	close_core();
	disk_write(core.disk, core_file(&core, 3, ".new"), "half", 4);
	reopen(JOURNAL_CONTINUED);
	assert_false(disk_exists(core.disk, core_file(&core, 3, ".new")));
	assert_sound();
}

#define recovery_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		recovery_test(a_torn_tail_goes_to_the_quarantine),
		recovery_test(a_segment_without_an_entry_is_begun_again),
		recovery_test(entries_that_a_dead_core_did_not_sync_are_written_again),
		recovery_test(damage_to_committed_data_is_a_gap_and_never_cut_off),
		recovery_test(a_marker_distinguishes_damage_from_a_torn_write),
		recovery_test(an_index_shows_that_a_cut_off_entry_was_durable),
		recovery_test(a_damaged_header_starts_a_new_journal),
		recovery_test(a_disk_that_cannot_be_read_starts_a_new_journal),
		recovery_test(a_missing_file_is_a_gap),
		recovery_test(a_start_reads_the_last_segment_and_an_index_only),
		recovery_test(lost_index_files_are_rebuilt),
		recovery_test(damage_found_while_making_an_index_is_a_gap),
		recovery_test(bytes_that_are_no_entry_are_kept),
		recovery_test(published_before_the_sync_survives_the_program_only),
		recovery_test(a_segment_header_has_its_origin),
		recovery_test(a_clock_an_hour_behind_starts_a_new_journal),
		recovery_test(a_journal_that_ends_before_the_known_seq_is_left),
		recovery_test(a_journal_that_ends_before_it_was_durable_is_left),
		recovery_test(a_damaged_file_durable_is_ignored),
		recovery_test(damage_below_the_file_durable_is_no_torn_write),
		recovery_test(an_index_of_another_journal_is_ignored),
		recovery_test(a_journal_that_has_the_known_seq_continues),
		recovery_test(a_lost_pointer_to_the_journal_is_noticed),
		recovery_test(a_later_format_is_refused_and_left_as_it_is),
		recovery_test(unfinished_files_are_removed),
	};
	log_init(0, true); /* faults are expected here */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The writing end: groups, segments, idling, and disks that fail. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "fixture.h"
#include "journal/writer.h"

#define STALL_MS  10000
#define EVERY_TRY 1000000

/* Everything handed over must come back after a power cut. */
static void assert_all_survives(void)
{
	disk_stop_at(core.disk, 0);
	core_close(&core);
	disk_crash(core.disk);
	core.options.now = core.tc;
	assert_int_equal(core_open(&core), 0);
	const char *wrong = core_check(&core);
	if (wrong != NULL)
		fail_msg("%s", wrong);
	assert_int_equal(core.report.head, core.count);
}

static bool has_segment(uint64_t first_seq)
{
	return disk_exists(core.disk, core_file(&core, first_seq, ".seg"));
}

static void a_group_costs_one_write_and_one_sync(void **state)
{
	core_commit(&core, core_topic(0), ENTRY);
	uint64_t before = disk_calls(core.disk);
	assert_int_equal(core_append_many(&core, 200, ENTRY), 0);
	assert_int_equal(disk_calls(core.disk) - before, 1);
	assert_int_equal(core_sync(&core), 0);
	assert_int_equal(disk_calls(core.disk) - before, 2);
	assert_int_equal(core_sync(&core), 0); /* nothing to do */
	assert_int_equal(disk_calls(core.disk) - before, 2);
	assert_all_survives();
}

static void durable_follows_the_sync(void **state)
{
	assert_int_equal(core_append_many(&core, 3, ENTRY), 0);
	assert_int_equal(journal_head(core.journal), 3);
	assert_int_equal(core.journal->durable, 0);
	assert_int_equal(core_sync(&core), 0);
	assert_int_equal(core.journal->durable, 3);
}

static void entries_of_every_length_come_back(void **state)
{
	for (size_t len = 1; len < 300; len++)
		assert_int_equal(core_append(&core, "t", len), 0);
	assert_int_equal(core_append(&core, core_topic(0), JOURNAL_ENTRY_MAX), 0);
	assert_int_equal(core_append(&core, core_topic(0), 1), 0);
	assert_int_equal(core_sync(&core), 0);
	const char *wrong = core_read(&core, 1, core.count);
	if (wrong != NULL)
		fail_msg("%s", wrong);
}

static void short_writes_are_gone_on_with(void **state)
{
	disk_shorten_writes(core.disk, 50);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(core_append_many(&core, 5, 400), 0);
		assert_int_equal(core_sync(&core), 0);
	}
	assert_all_survives();
}

static int count_topic(void *arg, const char *topic, size_t topic_len, uint64_t last)
{
	uint64_t *sum = arg;
	*sum += last;
	return 0;
}

static void each_topic_has_its_last_seq(void **state)
{
	core_commit(&core, core_topic(0), ENTRY);
	core_commit(&core, core_topic(1), ENTRY);
	core_commit(&core, core_topic(0), ENTRY);
	assert_int_equal(entry_last(core.journal, core_topic(0)), 3);
	assert_int_equal(entry_last(core.journal, core_topic(1)), 2);
	assert_int_equal(entry_last(core.journal, core_topic(2)), 0);
	assert_int_equal(entry_last(core.journal, "a1/"), 0);
	uint64_t sum = 0;
	assert_int_equal(journal_topics(core.journal, count_topic, &sum), 0);
	assert_int_equal(sum, 5);
}

/* --- segments */

static void a_segment_never_passes_its_size(void **state)
{
	core_close(&core);
	core.options.segment_size = 4000;
	assert_int_equal(core_open(&core), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(core_append_many(&core, 10, 1000), 0);
	assert_int_equal(core_append(&core, core_topic(0), 9000), 0); /* alone in its file */
	assert_int_equal(core_append(&core, core_topic(0), 10), 0);
	assert_int_equal(core_sync(&core), 0);
	size_t files = 0;
	for (uint64_t seq = 1; seq <= core.count; seq++) {
		if (!has_segment(seq))
			continue;
		size_t len;
		free(disk_read(core.disk, core_file(&core, seq, ".seg"), &len));
		files++;
		assert_true(len <= 4000 || seq == core.count - 1);
	}
	assert_true(files > 10);
	assert_true(has_segment(core.count - 1));
	assert_true(has_segment(core.count));
	assert_all_survives();
}

static void a_segment_that_is_a_day_old_is_closed(void **state)
{
	core_commit(&core, core_topic(0), ENTRY);
	uint64_t first = core.tc;
	core.tc = first + 24 * 3600 * NS_PER_S - 2000;
	core_commit(&core, core_topic(0), ENTRY);
	assert_false(has_segment(2));
	core_commit(&core, core_topic(0), ENTRY);
	assert_true(has_segment(3));

	assert_int_equal(journal_idle(core.journal, core.tc + 23 * 3600 * NS_PER_S), 0);
	assert_false(disk_exists(core.disk, core_file(&core, 3, ".idx")));
	assert_int_equal(journal_idle(core.journal, core.tc + 24 * 3600 * NS_PER_S), 0);
	assert_true(disk_exists(core.disk, core_file(&core, 3, ".idx")));
	core_commit(&core, core_topic(0), ENTRY);
	assert_true(has_segment(4));
	assert_all_survives();
}

static void rolling_closes_the_segment_once(void **state)
{
	assert_int_equal(journal_roll(core.journal), 0);
	core_commit(&core, core_topic(0), ENTRY);
	assert_int_equal(core_append(&core, core_topic(0), ENTRY), 0);
	assert_int_equal(journal_roll(core.journal), 0);
	assert_int_equal(core.journal->durable, 2);
	uint64_t calls = disk_calls(core.disk);
	assert_int_equal(journal_roll(core.journal), 0);
	assert_int_equal(disk_calls(core.disk), calls);
	core_commit(&core, core_topic(0), ENTRY);
	assert_true(has_segment(3));
	assert_all_survives();
}

static void idling_writes_one_marker(void **state)
{
	assert_int_equal(journal_idle(core.journal, core.tc), 0);
	core_commit(&core, core_topic(0), ENTRY);
	uint64_t calls = disk_calls(core.disk);
	assert_int_equal(journal_idle(core.journal, core.tc), 0);
	assert_int_equal(disk_calls(core.disk), calls + 2);
	assert_int_equal(journal_idle(core.journal, core.tc), 0);
	assert_int_equal(disk_calls(core.disk), calls + 2);
	core_commit(&core, core_topic(0), ENTRY);
	assert_all_survives();
}

/* --- disks that fail */

static void a_failed_sync_moves_to_a_new_file(void **state)
{
	core_commit(&core, core_topic(0), ENTRY);
	assert_int_equal(core_append_many(&core, 3, ENTRY), 0);
	disk_fail(core.disk, DISK_SYNC, 1, 1, EIO);
	assert_int_equal(core_sync(&core), 0);
	assert_int_equal(core.journal->durable, 4);
	assert_true(has_segment(2));
	int error;
	assert_int_equal(journal_rescues(core.journal, &error), 1);
	assert_int_equal(error, -EIO);
	core_commit(&core, core_topic(0), ENTRY);
	assert_all_survives();
}

/* The first file has the name that the second needs. */
static void a_failed_sync_of_a_first_group_replaces_the_file(void **state)
{
	assert_int_equal(core_append_many(&core, 3, ENTRY), 0);
	disk_fail(core.disk, DISK_SYNC, 1, 1, EIO);
	assert_int_equal(core_sync(&core), 0);
	core_commit(&core, core_topic(0), ENTRY);
	assert_all_survives();
}

static void a_failed_write_moves_to_a_new_file(void **state)
{
	core_commit(&core, core_topic(0), ENTRY);
	disk_fail(core.disk, DISK_WRITE, 1, 1, EIO);
	assert_int_equal(core_append_many(&core, 3, ENTRY), 0);
	assert_int_equal(core_sync(&core), 0);
	assert_true(has_segment(2));
	assert_all_survives();
}

static void a_second_failure_is_returned_and_retried_by_the_next_sync(void **state)
{
	core_commit(&core, core_topic(0), ENTRY);
	assert_int_equal(core_append_many(&core, 3, ENTRY), 0);
	disk_fail(core.disk, DISK_SYNC, 1, EVERY_TRY, EIO);
	assert_int_equal(core_sync(&core), -EIO);
	assert_int_equal(core_sync(&core), -EIO);
	assert_int_equal(core_append_many(&core, 2, ENTRY), -EIO);
	assert_int_equal(core.journal->durable, 1);
	disk_fail(core.disk, 0, 0, 0, 0);
	assert_int_equal(core_sync(&core), 0);
	assert_int_equal(core.journal->durable, 6);
	assert_all_survives();
}

static void a_full_disk_is_returned_and_writing_continues_with_room(void **state)
{
	core_commit(&core, core_topic(0), ENTRY);
	disk_set_capacity(core.disk, 2000);
	assert_int_equal(core_append_many(&core, 20, ENTRY), -ENOSPC);
	assert_int_equal(core_sync(&core), -ENOSPC);
	assert_int_equal(core.journal->durable, 1);
	uint64_t bytes;
	assert_int_equal(journal_free(core.journal, &bytes), 0);
	assert_true(bytes < 2000);
	disk_set_capacity(core.disk, UINT64_MAX);
	assert_int_equal(core_sync(&core), 0);
	assert_int_equal(core.journal->durable, 21);
	assert_all_survives();
}

/* A caller appends again after -ENOMEM: it must mean that nothing was taken. */
static void no_memory_after_queueing_is_another_error(void **state)
{
	disk_fail(core.disk, DISK_CREATE, 1, EVERY_TRY, ENOMEM);
	assert_int_equal(core_append_many(&core, 3, ENTRY), -EAGAIN);
	assert_int_equal(journal_head(core.journal), 3);
	assert_int_equal(core_sync(&core), -EAGAIN);
	disk_fail(core.disk, 0, 0, 0, 0);
	assert_int_equal(core_sync(&core), 0);
	assert_int_equal(core.journal->durable, 3);
	assert_all_survives();
}

static void closing_on_a_dead_disk_fails(void **state)
{
	core_commit(&core, core_topic(0), ENTRY);
	assert_int_equal(core_append_many(&core, 2, ENTRY), 0);
	disk_fail(core.disk, DISK_CHANGES, 1, EVERY_TRY, EIO);
	assert_int_equal(core_close(&core), -EIO);
	disk_crash(core.disk);
	assert_int_equal(core_open(&core), 0);
	assert_true(core.report.unclean);
	assert_true(core.report.head >= 1);
}

static void *sync_elsewhere(void *arg)
{
	struct core *other = arg;
	return (void *)(intptr_t)journal_sync(other->journal);
}

static void a_stalled_disk_publishes_nothing(void **state)
{
	core_commit(&core, core_topic(0), ENTRY);
	assert_int_equal(core_append_many(&core, 3, ENTRY), 0);
	disk_stall(core.disk);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, sync_elsewhere, &core), 0);
	assert_true(disk_wait_stalled(core.disk, STALL_MS));
	assert_int_equal(core.journal->durable, 1);
	assert_null(core_read(&core, 1, 1)); /* readers do not wait */
	disk_release(core.disk);
	void *result;
	pthread_join(thread, &result);
	assert_int_equal((intptr_t)result, 0);
	assert_int_equal(core.journal->durable, 4);
}

#define write_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		write_test(a_group_costs_one_write_and_one_sync),
		write_test(durable_follows_the_sync),
		write_test(entries_of_every_length_come_back),
		write_test(short_writes_are_gone_on_with),
		write_test(each_topic_has_its_last_seq),
		write_test(a_segment_never_passes_its_size),
		write_test(a_segment_that_is_a_day_old_is_closed),
		write_test(rolling_closes_the_segment_once),
		write_test(idling_writes_one_marker),
		write_test(a_failed_sync_moves_to_a_new_file),
		write_test(a_failed_sync_of_a_first_group_replaces_the_file),
		write_test(a_failed_write_moves_to_a_new_file),
		write_test(a_second_failure_is_returned_and_retried_by_the_next_sync),
		write_test(a_full_disk_is_returned_and_writing_continues_with_room),
		write_test(no_memory_after_queueing_is_another_error),
		write_test(closing_on_a_dead_disk_fails),
		write_test(a_stalled_disk_publishes_nothing),
	};
	log_init(0, true); /* faults are expected here */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

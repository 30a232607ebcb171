/* SPDX-License-Identifier: Apache-2.0 */
/* Closed segments are listed as they are, and their removal leaves a trace. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fixture.h"
#include "journal/retain.h"

#define LIST_MAX 16

struct list {
	struct journal_segment items[LIST_MAX];
	size_t count;
};

static int take(void *arg, const struct journal_segment *segment)
{
	struct list *list = arg;
	assert_true(list->count < LIST_MAX);
	list->items[list->count++] = *segment;
	return 0;
}

static struct list look(void)
{
	struct list list = {0};
	assert_int_equal(journal_segments(disk_io(core.disk), CORE_PATH, core.id, take, &list), 0);
	return list;
}

/* Any: test-missing.c has records that must fit. */
static const struct journal_place record = {.seq = 1};

static int prune(uint64_t first_seq)
{
	return journal_prune(
		disk_io(core.disk), CORE_PATH, core.id, first_seq, &record, entry_describe);
}

static void reopen(void)
{
	assert_int_equal(core_close(&core), 0);
	disk_reboot(core.disk);
	assert_int_equal(core_open(&core), 0);
	assert_int_equal(core.report.why, JOURNAL_CONTINUED);
	assert_int_equal(core.report.gap_count, 0);
	core_accept(&core);
}

/* The first `removed` segments are reported as one gap each, and all after them is there. */
static void assert_pruned(size_t removed, uint64_t head)
{
	struct journal_reader *reader;
	struct journal_found found;
	assert_int_equal(journal_reader_open(
				 &reader, disk_io(core.disk), CORE_PATH, core.id, entry_describe),
		0);
	for (size_t i = 0; i < removed; i++) {
		assert_int_equal(journal_reader_next(reader, head, &found), 1);
		assert_int_equal(found.kind, JOURNAL_GAP_PRUNED);
		assert_int_equal(found.seq, i * PER_SEGMENT + 1);
		assert_int_equal(found.to, (i + 1) * PER_SEGMENT);
	}
	journal_reader_close(reader);
	assert_null(core_read(&core, removed * PER_SEGMENT + 1, head));
}

static void segments_are_listed_as_they_are(void **state)
{
	fill(2);
	core_commit(&core, core_topic(0), ENTRY);
	struct list list = look();
	assert_int_equal(list.count, 3);
	for (size_t i = 0; i < 2; i++) {
		const struct journal_segment *segment = &list.items[i];
		assert_true(segment->is_closed && segment->is_readable && !segment->is_removed);
		assert_int_equal(segment->first_seq, i * PER_SEGMENT + 1);
		assert_int_equal(segment->last_seq, (i + 1) * PER_SEGMENT);
		assert_int_equal(segment->first_tc, core.items[i * PER_SEGMENT].tc);
		assert_int_equal(segment->last_tc, core.items[(i + 1) * PER_SEGMENT - 1].tc);
		size_t len;
		char path[160];
		snprintf(path, sizeof path, CORE_PATH "/%s", segment->path);
		uint8_t *data = disk_read(core.disk, path, &len);
		assert_non_null(data);
		free(data);
		assert_int_equal(segment->size, len);
	}
	assert_false(list.items[2].is_closed);
	assert_int_equal(list.items[2].first_seq, 9);
	assert_int_equal(list.items[2].last_seq, 0);
}

static void a_segment_without_an_index_is_listed_by_its_neighbour(void **state)
{
	fill(2);
	core_commit(&core, core_topic(0), ENTRY);
	disk_remove(core.disk, core_file(&core, 1, ".idx"));
	struct list list = look();
	assert_true(list.items[0].is_closed);
	assert_int_equal(list.items[0].last_seq, PER_SEGMENT);
	assert_int_equal(list.items[0].last_tc, core.items[PER_SEGMENT].tc);
}

static void a_removed_segment_is_a_pruned_gap_and_its_topics_stay(void **state)
{
	fill(3);
	core_commit(&core, core_topic(0), ENTRY);
	assert_int_equal(prune(1), 0);
	assert_int_equal(prune(5), 0);
	assert_int_equal(prune(5), 0); /* again */
	assert_false(disk_exists(core.disk, core_file(&core, 5, ".seg")));
	assert_true(disk_exists(core.disk, core_file(&core, 5, ".idx")));
	assert_pruned(2, 13);
	struct list list = look();
	assert_int_equal(list.count, 4);
	assert_true(list.items[1].is_removed && list.items[1].is_closed);
	assert_int_equal(list.items[1].size, 0);
	assert_int_equal(list.items[1].last_seq, 8);
	assert_int_equal(list.items[1].first_tc, core.items[4].tc);
	assert_int_equal(list.items[1].last_tc, core.items[7].tc);

	uint64_t last = entry_last(core.journal, core_topic(1));
	reopen();
	assert_int_equal(entry_last(core.journal, core_topic(1)), last);
	assert_pruned(2, 13);
}

static void the_segment_being_written_is_not_removed(void **state)
{
	fill(1);
	core_commit(&core, core_topic(0), ENTRY);
	assert_int_equal(prune(5), -EBUSY);
	assert_int_equal(prune(1), 0);
	assert_int_equal(prune(3), -ENOENT);
	assert_int_equal(prune(77), -ENOENT);
	core_commit(&core, core_topic(1), ENTRY);
	assert_pruned(1, 6);
}

static void all_of_an_older_journal_may_be_removed(void **state)
{
	fill(2);
	assert_int_equal(prune(5), -EBUSY);
	uint64_t first, last;
	assert_int_equal(core_close(&core), 0);
	core.options.now = 1; /* hours behind: a new journal starts */
	assert_int_equal(core_open(&core), 0);
	assert_int_equal(core.report.why, JOURNAL_NEW_CLOCK);
	assert_int_equal(prune(1), 0);
	assert_int_equal(prune(5), 0);
	assert_pruned(2, 8);
	assert_int_equal(journal_range(disk_io(core.disk), CORE_PATH, core.id, &first, &last), 0);
	assert_int_equal(first, 9);
	assert_int_equal(last, 8);
}

/* No other file has the topics and the end of the segment. */
static void an_index_is_made_before_its_segment_goes(void **state)
{
	fill(3);
	disk_remove(core.disk, core_file(&core, 1, ".idx"));
	disk_damage(core.disk, core_file(&core, 5, ".idx"), 100);
	assert_int_equal(prune(5), 0);
	assert_int_equal(prune(1), 0);
	assert_pruned(2, 12);
	reopen();
	assert_pruned(2, 12);
}

/* The folder could not be synced when the index was written, so a power cut may take its name. */
static void an_index_is_durable_before_its_segment_goes(void **state)
{
	const struct io *io = disk_io(core.disk);
	for (uint32_t seed = 1; seed <= 30; seed++) {
		uint8_t old[JOURNAL_ID_SIZE];
		struct list list = {0};
		memcpy(old, core.id, sizeof old);
		core_commit(&core, core_topic(0), ENTRY);
		disk_fail(core.disk, DISK_SYNC_DIR, 1, 1, EIO);
		assert_int_equal(core_renew(&core), 0);
		disk_stop_at(core.disk, 2 + seed % 7); /* at most the segment's name is removed */
		journal_prune(io, CORE_PATH, old, 1, &record, entry_describe);
		disk_crash(core.disk);
		assert_int_equal(journal_segments(io, CORE_PATH, old, take, &list), 0);
		assert_int_equal(list.count, 1);
		tear_down(NULL);
		core_init(&core, seed);
		io = disk_io(core.disk);
		assert_int_equal(core_open(&core), 0);
		core_accept(&core);
	}
}

static void a_segment_that_cannot_be_read_stays(void **state)
{
	fill(2);
	disk_damage(core.disk, core_file(&core, 1, ".seg"), 3);
	assert_int_equal(prune(1), -EBADMSG);
	assert_true(disk_exists(core.disk, core_file(&core, 1, ".seg")));
}

/* Power may fail at every call: the segment is there or it is a pruned gap, nothing else. */
static void removing_may_be_cut_short_at_every_call(void **state)
{
	for (uint64_t k = 1;; k++) {
		fill(2);
		core_commit(&core, core_topic(2), ENTRY);
		if (k % 2 == 0)
			disk_remove(core.disk, core_file(&core, 1, ".idx"));
		disk_stop_at(core.disk, k);
		int r = prune(1);
		bool is_done = !disk_is_stopped(core.disk);
		disk_stop_at(core.disk, 0);
		core_close(&core);
		disk_crash(core.disk);
		assert_int_equal(core_open(&core), 0);
		assert_int_equal(core.report.why, JOURNAL_CONTINUED);
		assert_int_equal(core.report.head, 9);
		assert_int_equal(core.report.gap_count, 0);
		core_accept(&core);
		assert_pruned(disk_exists(core.disk, core_file(&core, 1, ".seg")) ? 0 : 1, 9);
		assert_int_equal(prune(1), 0);
		assert_pruned(1, 9);
		if (is_done && k % 2 == 0) {
			assert_int_equal(r, 0);
			break;
		}
		tear_down(NULL);
		core_init(&core, (uint32_t)k);
		assert_int_equal(core_open(&core), 0);
		core_accept(&core);
	}
}

int main(void)
{
	log_init(0, true); /* faults are expected here */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(segments_are_listed_as_they_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_segment_without_an_index_is_listed_by_its_neighbour, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_removed_segment_is_a_pruned_gap_and_its_topics_stay, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_segment_being_written_is_not_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			all_of_an_older_journal_may_be_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_index_is_made_before_its_segment_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_index_is_durable_before_its_segment_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_segment_that_cannot_be_read_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			removing_may_be_cut_short_at_every_call, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A whole journal is inspected: each fault is reported with its place, and nothing else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fixture.h"
#include "journal/inspect.h"
#include "journal/segment.h"

#define RECORD       (RECORD_HEADER_SIZE + ENTRY + (8 - ENTRY % 8) % 8)
#define FINDINGS_MAX 8

static uint64_t broken_chain; /* the entry that names a wrong prev */

struct seen {
	struct finding list[FINDINGS_MAX];
	size_t count;
	uint64_t done, total;
};

static int set_up_chain(void **state)
{
	broken_chain = 0;
	return set_up(state);
}

static int describe(const uint8_t *bytes, size_t len, struct inspect_entry *entry)
{
	int r = entry_describe(
		bytes, len, &entry->topic, &entry->topic_len, &entry->seq, &entry->tc);
	entry->journal = core.id;
	for (uint64_t seq = 1; r == 0 && seq < entry->seq; seq++) {
		const struct journal_item *item = &core.items[seq - 1];
		if (item->topic_len == entry->topic_len &&
			memcmp(item->topic, entry->topic, entry->topic_len) == 0)
			entry->prev = seq;
	}
	if (entry->seq == broken_chain)
		entry->prev--;
	return r;
}

static void found(void *arg, const struct finding *finding)
{
	struct seen *seen = arg;
	assert_true(seen->count < FINDINGS_MAX);
	seen->list[seen->count++] = *finding;
}

static void progress(void *arg, uint64_t done, uint64_t total)
{
	struct seen *seen = arg;
	assert_true(done >= seen->done && done <= total);
	seen->done = done;
	seen->total = total;
}

static struct inspection look(struct seen *seen)
{
	*seen = (struct seen){0};
	struct inspection in = {.io = disk_io(core.disk),
		.path = CORE_PATH,
		.id = core.id,
		.entry = describe,
		.removal = entry_removal,
		.found = found,
		.progress = progress,
		.arg = seen};
	assert_int_equal(journal_inspect(&in), 0);
	return in;
}

static void assert_finding(
	const struct seen *seen, size_t i, enum finding_kind kind, uint64_t from, uint64_t to)
{
	assert_true(i < seen->count);
	assert_int_equal(seen->list[i].kind, kind);
	assert_int_equal(seen->list[i].from, from);
	assert_int_equal(seen->list[i].to, to);
}

static void a_sound_journal_has_no_findings(void **state)
{
	struct seen seen;
	fill(3);
	core_commit(&core, core_topic(3), ENTRY);
	struct inspection in = look(&seen); /* while it is open */
	assert_int_equal(seen.count, 0);
	assert_int_equal(in.segments, 4);
	assert_int_equal(in.entries, 13);
	assert_int_equal(in.first_seq, 1);
	assert_int_equal(in.last_seq, 13);
	assert_int_equal(seen.done, seen.total);
	assert_int_equal(in.bytes, seen.total);
	assert_int_equal(core_close(&core), 0);
	in = look(&seen);
	assert_int_equal(seen.count, 0);
	assert_int_equal(in.entries, 13);
}

static void a_flipped_bit_is_reported_with_its_place(void **state)
{
	struct seen seen;
	fill(2);
	uint64_t at = SEGMENT_HEADER_SIZE + RECORD; /* of seq 6, the second of its file */
	disk_damage(core.disk, core_file(&core, 5, ".seg"), at + RECORD_HEADER_SIZE + 50);
	struct inspection in = look(&seen);
	assert_int_equal(seen.count, 1);
	assert_finding(&seen, 0, FINDING_DAMAGED, 6, 6);
	assert_int_equal(seen.list[0].from_byte, at);
	assert_int_equal(seen.list[0].to_byte, at + RECORD);
	assert_non_null(strstr(seen.list[0].file, "/00000000000000000005.seg"));
	assert_int_equal(in.entries, 7);
	assert_int_equal(in.last_seq, 8);
}

static void a_missing_file_is_reported(void **state)
{
	struct seen seen;
	fill(3);
	disk_remove(core.disk, core_file(&core, 5, ".seg"));
	disk_remove(core.disk, core_file(&core, 5, ".idx"));
	look(&seen);
	assert_int_equal(seen.count, 1);
	assert_finding(&seen, 0, FINDING_MISSING, 5, 8);
}

static void a_file_that_was_removed_on_purpose_is_not_missing(void **state)
{
	struct seen seen;
	fill(3);
	assert_int_equal(core_prune(&core), 0);
	struct inspection in = look(&seen);
	assert_int_equal(seen.count, 0);
	assert_int_equal(in.removed, 1);
	assert_int_equal(in.first_seq, 5);
	disk_damage(core.disk, core_file(&core, 1, ".idx"), 120);
	look(&seen);
	assert_int_equal(seen.count, 1);
	assert_finding(&seen, 0, FINDING_INDEX, 1, 4);
}

static void a_shortened_file_is_reported(void **state)
{
	struct seen seen;
	size_t len;
	fill(2);
	core_commit(&core, core_topic(0), ENTRY);
	uint8_t *data = disk_read(core.disk, core_file(&core, 5, ".seg"), &len);
	disk_write(core.disk, core_file(&core, 5, ".seg"), data, len - RECORD - 4);
	look(&seen);
	assert_int_equal(seen.count, 1);
	assert_finding(&seen, 0, FINDING_DAMAGED, 7, 8);
	disk_write(core.disk, core_file(&core, 5, ".seg"), data, len - RECORD);
	look(&seen);
	assert_int_equal(seen.count, 1);
	assert_finding(&seen, 0, FINDING_MISSING, 8, 8);
	free(data);
}

static void a_damaged_header_costs_its_file(void **state)
{
	struct seen seen;
	fill(3);
	disk_damage(core.disk, core_file(&core, 5, ".seg"), 20);
	look(&seen);
	assert_int_equal(seen.count, 1);
	assert_finding(&seen, 0, FINDING_DAMAGED, 5, 8);
}

static void a_torn_tail_is_no_damage(void **state)
{
	struct seen seen;
	size_t len;
	fill(1);
	core_commit(&core, core_topic(0), ENTRY);
	uint8_t *data = disk_read(core.disk, core_file(&core, 5, ".seg"), &len);
	data = realloc(data, len + 10);
	assert_non_null(data);
	memcpy(data + len, "AER1 torn!", 10);
	disk_write(core.disk, core_file(&core, 5, ".seg"), data, len + 10);
	free(data);
	struct inspection in = look(&seen);
	assert_int_equal(seen.count, 1);
	assert_finding(&seen, 0, FINDING_TAIL, 0, 0);
	assert_int_equal(seen.list[0].to_byte - seen.list[0].from_byte, 10);
	assert_int_equal(in.last_seq, 5);
}

static void an_index_that_contradicts_is_reported(void **state)
{
	struct seen seen;
	size_t len;
	fill(2);
	core_commit(&core, core_topic(0), ENTRY);
	disk_damage(core.disk, core_file(&core, 1, ".idx"), 100);
	disk_remove(core.disk, core_file(&core, 5, ".idx"));
	look(&seen);
	assert_int_equal(seen.count, 2);
	assert_finding(&seen, 0, FINDING_INDEX, 0, 0);
	assert_finding(&seen, 1, FINDING_NO_INDEX, 0, 0);
	/* sound in itself, and it knows more than there is */
	assert_int_equal(core_close(&core), 0);
	uint8_t *data = disk_read(core.disk, core_file(&core, 9, ".seg"), &len);
	disk_write(core.disk, core_file(&core, 9, ".seg"), data, SEGMENT_HEADER_SIZE);
	free(data);
	look(&seen);
	assert_int_equal(seen.count, 3);
	assert_finding(&seen, 2, FINDING_MISSING, 9, 9);
}

static void a_chain_that_does_not_fit_is_reported(void **state)
{
	struct seen seen;
	fill(3);
	broken_chain = 10;
	look(&seen);
	assert_int_equal(seen.count, 1);
	assert_finding(&seen, 0, FINDING_WRONG, 10, 10);
}

static void the_range_of_durable_seqs_is_known(void **state)
{
	uint64_t first, last;
	const struct io *io = disk_io(core.disk);
	assert_int_equal(journal_committed(io, CORE_PATH, core.id, &first, &last), 0);
	assert_int_equal(last, 0);
	fill(1);
	assert_int_equal(journal_committed(io, CORE_PATH, core.id, &first, &last), 0);
	assert_int_equal(last, 4);
	core_commit(&core, core_topic(0), ENTRY);
	core_commit(&core, core_topic(0), ENTRY);
	assert_int_equal(journal_committed(io, CORE_PATH, core.id, &first, &last), 0);
	assert_int_equal(last, 5);
	assert_int_equal(journal_idle(core.journal, core.tc), 0);
	assert_int_equal(journal_committed(io, CORE_PATH, core.id, &first, &last), 0);
	assert_int_equal(first, 1);
	assert_int_equal(last, 6);
}

#define inspect_test(name) cmocka_unit_test_setup_teardown(name, set_up_chain, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		inspect_test(a_sound_journal_has_no_findings),
		inspect_test(a_flipped_bit_is_reported_with_its_place),
		inspect_test(a_missing_file_is_reported),
		inspect_test(a_file_that_was_removed_on_purpose_is_not_missing),
		inspect_test(a_shortened_file_is_reported),
		inspect_test(a_damaged_header_costs_its_file),
		inspect_test(a_torn_tail_is_no_damage),
		inspect_test(an_index_that_contradicts_is_reported),
		inspect_test(a_chain_that_does_not_fit_is_reported),
		inspect_test(the_range_of_durable_seqs_is_known),
	};
	log_init(0, true);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

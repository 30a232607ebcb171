/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is gone is missed, by an inspection and by the next start, unless its removal is recorded. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fixture.h"
#include "journal/inspect.h"
#include "journal/removal.h"
#include "journal/retain.h"

/* Three segments of four entries, whose removal is recorded or not, and a last one. */
#define LAST_FIRST (3 * PER_SEGMENT + 1)

enum which { OLDEST, MIDDLE, BEFORE_LAST, NEWEST, ALL, WHICH };
enum proof { NO_PROOF, PROOF, WRONG_PROOF, PROOFS };

struct seen {
	uint64_t missing, indexes; /* entries in findings of that kind; findings */
	uint64_t others;
};

static void found(void *arg, const struct finding *finding)
{
	struct seen *seen = arg;
	if (finding->kind == FINDING_MISSING)
		seen->missing += finding->to - finding->from + 1;
	else if (finding->kind == FINDING_INDEX)
		seen->indexes++;
	else
		seen->others++;
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
	return r;
}

static struct seen inspect(uint64_t known)
{
	struct seen seen = {0};
	struct inspection in = {.io = disk_io(core.disk),
		.path = CORE_PATH,
		.id = core.id,
		.entry = describe,
		.removal = entry_removal,
		.known = known,
		.found = found,
		.arg = &seen};
	assert_int_equal(journal_inspect(&in), 0);
	return seen;
}

static bool goes(enum which which, unsigned segment)
{
	return which == ALL || segment == (unsigned)which;
}

static uint64_t first_of(unsigned segment)
{
	return segment * PER_SEGMENT + 1;
}

/* A journal whose segments 0 to 2 may be gone with proof; it is closed. */
static uint64_t make(enum which which, enum proof proof)
{
	fill(3);
	for (unsigned i = 0; i < 3; i++)
		core_commit(&core,
			entry_gone(core.id, first_of(i), first_of(i) + PER_SEGMENT - 1,
				LAST_FIRST + i),
			1);
	for (unsigned i = 0; i < 3 && proof != NO_PROOF; i++) {
		struct journal_place record = {.seq = LAST_FIRST + i};
		if (proof == WRONG_PROOF)
			record.seq = LAST_FIRST + (i + 1) % 3;
		memcpy(record.journal, core.id, sizeof record.journal);
		if (goes(which, i))
			assert_int_equal(journal_prune(disk_io(core.disk), CORE_PATH, core.id,
						 first_of(i), &record, entry_describe),
				0);
	}
	uint64_t head = core.count;
	assert_int_equal(core_close(&core), 0);
	return head;
}

static void try(enum which which, enum proof proof, bool keeps_index)
{
	uint64_t head = make(which, proof), gone = 0;
	for (unsigned i = 0; i < 4; i++) {
		if (!goes(which, i))
			continue;
		gone += i < 3 ? PER_SEGMENT : head - LAST_FIRST + 1;
		disk_remove(core.disk, core_file(&core, first_of(i), ".seg"));
		if (!keeps_index)
			disk_remove(core.disk, core_file(&core, first_of(i), ".idx"));
	}
	bool ends = which == NEWEST || which == ALL; /* the records are gone, too */
	bool is_proved = proof == PROOF && !ends;
	struct seen seen = inspect(0);
	assert_int_equal(seen.others, 0);
	if (is_proved && keeps_index)
		assert_int_equal(seen.missing + seen.indexes, 0);
	else if (is_proved)
		assert_int_equal(seen.indexes, 1);
	else
		assert_true(seen.missing + seen.indexes > 0 &&
			    (seen.indexes > 0 || seen.missing == gone));

	assert_int_equal(core_open(&core), 0);
	bool is_new = core.report.why != JOURNAL_CONTINUED;
	assert_int_equal(is_new, ends);
	if (proof == NO_PROOF && !is_new)
		assert_int_equal(core.report.gap_count, 1);
	if (is_proved && keeps_index)
		assert_int_equal(core.report.gap_count, 0);
	if (is_new) /* the journal that ended there is still short of entries */
		assert_true(inspect(0).missing + inspect(0).indexes > 0);
}

static void what_is_gone_is_missed_unless_that_is_recorded(void **state)
{
	for (unsigned i = 0; i < WHICH * PROOFS * 2; i++) {
		enum which which = i / 2 % WHICH;
		enum proof proof = i / 2 / WHICH;
		try(which, proof, i % 2 == 0);
		tear_down(NULL);
		assert_int_equal(set_up(NULL), 0);
	}
}

/* A consumer knows of entries that no file knows of. */
static void entries_that_a_cursor_knows_are_missed(void **state)
{
	fill(2);
	assert_int_equal(inspect(2 * PER_SEGMENT).missing, 0);
	assert_int_equal(inspect(2 * PER_SEGMENT + 3).missing, 3);
}

int main(void)
{
	log_init(0, true);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_is_gone_is_missed_unless_that_is_recorded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			entries_that_a_cursor_knows_are_missed, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

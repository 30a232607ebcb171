/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "examples.h"
#include "marks.h"
#include "record/entry.h"
#include "runs.h"

#define TOPIC "a1/data/xrf/site/node/xrf-1/"

static const uint8_t journal[ASSAY_UUID_SIZE] = {7};
static struct runs runs;
static struct run out;
static struct buffer bytes;
static uint64_t seq;

/* The record of an example, as the next entry of our topic. */
static int feed(const char *name)
{
	struct assay_entry_view entry;
	for (size_t i = 0; i < examples_count; i++) {
		if (strcmp(examples[i].name, name) != 0)
			continue;
		buffer_reset(&bytes);
		examples[i].build(&bytes);
		assert_int_equal(assay_entry_read(bytes.data, bytes.len, &entry), 0);
		entry.journal = journal;
		entry.seq = ++seq;
		entry.topic = (struct assay_string){TOPIC, strlen(TOPIC)};
		struct assay_span all = {bytes.data, bytes.len};
		return runs_entry(&runs, all, &entry, &out);
	}
	fail_msg("no example %s", name);
	return -ENOENT;
}

static int begin(void **state)
{
	runs_finish(&runs);
	seq = 0;
	return 0;
}

static int finish(void **state)
{
	runs_finish(&runs);
	buffer_finish(&bytes);
	return 0;
}

static void a_run_is_given_at_its_end(void **state)
{
	assert_int_equal(feed("run-start"), RUNS_TAKEN);
	assert_int_equal(feed("frame-scalar"), RUNS_TAKEN);
	assert_int_equal(feed("run-end-complete"), RUNS_RUN);
	assert_int_equal(out.first, 1);
	assert_int_equal(out.cursor.seq, 3);
	assert_string_equal(out.cursor.topic, TOPIC);
	assert_int_equal(out.frames, 1);
	assert_int_equal(out.entries, 3);
	assert_true(out.has_start && out.number[0] != '\0');
	assert_string_equal(out.status, "complete");
	assert_false(out.is_whole); /* these examples were not hashed together */
	assert_int_equal(runs.count, 0);
}

static void partial_frames_are_not_final(void **state)
{
	feed("run-start");
	feed("frame-spectrum-linear"); /* is partial */
	feed("frame-scalar");
	assert_int_equal(feed("run-end-complete"), RUNS_RUN);
	assert_int_equal(out.frames, 2);
	assert_int_equal(out.final_frames, 1);
}

static void an_amend_between_runs_stands_alone(void **state)
{
	assert_int_equal(feed("amend"), RUNS_ENTRY);
	assert_int_equal(feed("run-start"), RUNS_TAKEN);
	runs.items[0].id[0] ^= 1; /* another run than that of the amend */
	assert_int_equal(feed("amend"), RUNS_ENTRY);
	runs.items[0].id[0] ^= 1;
	assert_int_equal(feed("run-end-aborted"), RUNS_RUN);
	assert_int_equal(out.first, 2);
	assert_int_equal(out.entries, 2);
}

static void an_amend_of_the_open_run_corrects_it(void **state)
{
	feed("run-start");
	assert_true(runs.items[0].corrected.valid && runs.items[0].corrected.sample[0] != '\0');
	assert_int_equal(feed("amend"), RUNS_TAKEN);
	assert_int_equal(feed("run-end-aborted"), RUNS_RUN);
	assert_int_equal(out.entries, 3);
	assert_string_equal(out.corrected.sample, "CCL-2026-00452");
}

static void a_run_without_end_is_given_by_the_next_one(void **state)
{
	assert_int_equal(feed("run-start"), RUNS_TAKEN);
	assert_int_equal(feed("frame-scalar"), RUNS_TAKEN);
	assert_int_equal(feed("run-start"), RUNS_RUN);
	assert_int_equal(out.cursor.seq, 2);
	assert_false(out.is_whole);
	assert_string_equal(out.status, "");
	assert_int_equal(runs.count, 1);
}

static void a_gap_belongs_to_the_run_that_it_cuts(void **state)
{
	struct assay_client_cursor lost = mark_of(journal, TOPIC, 9);
	assert_false(runs_gap(&runs, &lost, 1, ASSAY_GAP_PRUNED));
	seq = 9;
	assert_int_equal(feed("run-start"), RUNS_TAKEN);
	lost = mark_of(journal, "a1/data/", 15);
	assert_true(runs_gap(&runs, &lost, 11, ASSAY_GAP_DAMAGED));
	seq = 15;
	assert_int_equal(feed("run-end-complete"), RUNS_RUN);
	assert_false(out.is_whole);
	assert_int_equal(out.gaps_count, 1);
	assert_int_equal(out.gaps[0].first, 11);
	assert_int_equal(out.gaps[0].last, 15);
	assert_int_equal(out.gaps[0].why, ASSAY_GAP_DAMAGED);
}

static void the_end_of_a_journal_gives_what_is_open(void **state)
{
	assert_int_equal(feed("run-start"), RUNS_TAKEN);
	assert_int_equal(runs_cut(&runs, journal, "a1/state/", &out), 0);
	assert_int_equal(runs_cut(&runs, journal, "a1/data/", &out), 1);
	assert_int_equal(out.cursor.seq, 1);
	assert_int_equal(runs_cut(&runs, journal, "a1/data/", &out), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_run_is_given_at_its_end, begin),
		cmocka_unit_test_setup(partial_frames_are_not_final, begin),
		cmocka_unit_test_setup(an_amend_between_runs_stands_alone, begin),
		cmocka_unit_test_setup(an_amend_of_the_open_run_corrects_it, begin),
		cmocka_unit_test_setup(a_run_without_end_is_given_by_the_next_one, begin),
		cmocka_unit_test_setup(a_gap_belongs_to_the_run_that_it_cuts, begin),
		cmocka_unit_test_setup(the_end_of_a_journal_gives_what_is_open, begin),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}

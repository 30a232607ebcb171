/* SPDX-License-Identifier: Apache-2.0 */
/* A journal is bound to its place: a copy, an empty folder and an older state are recognised. */
#include <string.h>

#include "base/log.h"
#include "fixture.h"
#include "journal/place.h"

#define KNOWN "/known"

static int set_up_known(void **state)
{
	core_init(&core, 1);
	const struct io *io = disk_io(core.disk);
	if (io->mkdirat(io->ctx, IO_CWD, KNOWN) != 0)
		return -1;
	core.options.known = KNOWN;
	if (core_open(&core) != 0 || core.report.why != JOURNAL_NEW_FIRST)
		return -1;
	core_accept(&core);
	fill(2);
	return core_close(&core);
}

static void start(const char *path, enum journal_why why)
{
	core.options.path = path;
	assert_int_equal(core_close(&core), 0);
	assert_int_equal(core_open(&core), 0);
	assert_int_equal(core.report.why, why);
}

static void a_journal_that_stays_goes_on(void **state)
{
	for (int i = 0; i < 3; i++) {
		start(CORE_PATH, JOURNAL_CONTINUED);
		assert_false(core.report.has_other);
	}
}

/* As when its disk is not mounted, and then again. */
static void an_empty_folder_is_reported_and_so_is_the_way_back(void **state)
{
	uint8_t first[JOURNAL_ID_SIZE], second[JOURNAL_ID_SIZE];
	memcpy(first, core.id, sizeof first);
	start("/j2", JOURNAL_NEW_GONE);
	assert_true(core.report.has_other && !core.report.has_old);
	assert_memory_equal(core.report.other.journal, first, sizeof first);
	assert_int_equal(core.report.other.seq, 2 * PER_SEGMENT);
	memcpy(second, core.report.id, sizeof second);
	start("/j2", JOURNAL_CONTINUED);
	assert_false(core.report.has_other);
	start(CORE_PATH, JOURNAL_CONTINUED);
	assert_true(core.report.has_other);
	assert_memory_equal(core.report.other.journal, second, sizeof second);
	start(CORE_PATH, JOURNAL_CONTINUED);
	assert_false(core.report.has_other);
}

static void a_copy_elsewhere_begins_a_new_journal(void **state)
{
	const struct io_identity places[] = {{.machine = {9}}, {.file_system = 9}, {.folder = 9}};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		uint8_t old[JOURNAL_ID_SIZE];
		memcpy(old, core.report.id, sizeof old);
		disk_identify(core.disk, &places[i]);
		start(CORE_PATH, JOURNAL_NEW_COPIED);
		assert_true(core.report.has_old);
		assert_memory_equal(core.report.old_id, old, sizeof old);
		assert_memory_not_equal(core.report.id, old, sizeof old);
		start(CORE_PATH, JOURNAL_CONTINUED);
	}
}

/* The files of an earlier day, put back in the same place. */
static void an_older_state_begins_a_new_journal(void **state)
{
	char text[PLACE_TEXT + 1];
	struct journal_place later = {.seq = 2 * PER_SEGMENT + 1};
	memcpy(later.journal, core.id, sizeof later.journal);
	place_format(text, &later);
	disk_write(core.disk, KNOWN "/durable", text, PLACE_TEXT);
	start(CORE_PATH, JOURNAL_NEW_BEHIND);
}

/* The second folder is an aid: without it, or with damage in it, the journal goes on. */
static void without_the_second_folder_all_goes_on(void **state)
{
	disk_write(core.disk, KNOWN "/current", "nonsense", 8);
	disk_write(core.disk, KNOWN "/durable", "nonsense", 8);
	disk_write(core.disk, CORE_PATH "/binding", "nonsense", 8);
	start(CORE_PATH, JOURNAL_CONTINUED);
	core.options.known = "/nowhere";
	start(CORE_PATH, JOURNAL_CONTINUED);
	core.options.known = NULL;
	start(CORE_PATH, JOURNAL_CONTINUED);
}

#define binding_test(name) cmocka_unit_test_setup_teardown(name, set_up_known, tear_down)

int main(void)
{
	log_init(0, true);
	const struct CMUnitTest tests[] = {
		binding_test(a_journal_that_stays_goes_on),
		binding_test(an_empty_folder_is_reported_and_so_is_the_way_back),
		binding_test(a_copy_elsewhere_begins_a_new_journal),
		binding_test(an_older_state_begins_a_new_journal),
		binding_test(without_the_second_folder_all_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

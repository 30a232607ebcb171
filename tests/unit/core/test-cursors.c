/* SPDX-License-Identifier: Apache-2.0 */
/* Durable cursors: their files, refused moves, and the entries that they hold back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../apart.h"
#include "journals.h"

#define ALL "a1/data/"

static struct assay_string text(const char *t)
{
	return (struct assay_string){t, strlen(t)};
}

static int move(struct journals *journals, const char *name, const uint8_t *id, const char *topic,
	uint64_t seq)
{
	return cursors_move(journals->cursors, text(name), id, text(topic), seq);
}

static void set(struct journals *journals, const char *name, const uint8_t *id, const char *topic,
	uint64_t seq)
{
	assert_int_equal(move(journals, name, id, topic, seq), 0);
	assert_int_equal(cursors_flush(journals->cursors), 0);
}

static uint64_t floor_of(struct journals *journals, const uint8_t *id)
{
	uint64_t seq;
	assert_int_equal(cursors_floor(journals->cursors, id, &seq), 0);
	return seq;
}

static void reopen(struct journals *journals)
{
	cursors_close(journals->cursors);
	assert_int_equal(cursors_open(&journals->cursors, journals->path, journals->published), 0);
	journals->replay.cursors = journals->cursors;
}

static char *file_of(const struct journals *journals, const char *name)
{
	static char path[128];
	snprintf(path, sizeof path, "%s/cursors/%s", journals->path, name);
	return path;
}

static struct journals begin(size_t xrf, size_t ms)
{
	struct journals journals = {0};
	journals_create(&journals);
	for (size_t i = 0; i < xrf; i++)
		journals_put(&journals, JOURNALS_XRF, 100);
	for (size_t i = 0; i < ms; i++)
		journals_put(&journals, JOURNALS_MS, 100);
	journals_open(&journals);
	return journals;
}

static size_t count_of(struct cursors *cursors)
{
	struct cursor_view view;
	size_t count = 0;
	for (; cursors_view(cursors, count, &view) == 0; count++)
		free(view.marks);
	return count;
}

static void a_flushed_cursor_is_there_after_a_restart(void **state)
{
	struct journals journals = begin(9, 0);
	struct cursor_view view;
	set(&journals, "lims", journals.id, JOURNALS_XRF, 4);
	set(&journals, "lims", journals.id, JOURNALS_XRF, 7);
	assert_int_equal(
		move(&journals, "lims", journals.id, JOURNALS_XRF, 9), 0); /* not flushed */
	reopen(&journals);
	assert_int_equal(count_of(journals.cursors), 1);
	assert_int_equal(cursors_find(journals.cursors, text("lims"), &view), 0);
	assert_int_equal(view.count, 1);
	assert_int_equal(view.marks[0].seq, 7);
	assert_string_equal(view.marks[0].topic, JOURNALS_XRF);
	assert_memory_equal(view.marks[0].journal, journals.id, JOURNAL_ID_SIZE);
	free(view.marks);
	journals_close(&journals);
}

static void a_cursor_never_goes_back_nor_past_the_head(void **state)
{
	struct journals journals = begin(9, 0);
	uint8_t other[JOURNAL_ID_SIZE] = {7};
	set(&journals, "lims", journals.id, JOURNALS_XRF, 5);
	assert_int_equal(move(&journals, "lims", journals.id, JOURNALS_XRF, 4), -ERANGE);
	assert_int_equal(move(&journals, "lims", journals.id, JOURNALS_XRF, 5), 0);
	assert_int_equal(move(&journals, "lims", journals.id, JOURNALS_XRF, 10), -EDOM);
	assert_int_equal(move(&journals, "lims", other, JOURNALS_XRF, 1), -ENOENT);
	assert_int_equal(move(&journals, "lims", journals.id, JOURNALS_XRF, 9), 0);
	assert_int_equal(move(&journals, "lims", journals.id, JOURNALS_XRF, 8),
		-ERANGE); /* not flushed yet */
	assert_int_equal(cursors_flush(journals.cursors), 0);
	journals_close(&journals);
}

static void names_cannot_leave_the_folder(void **state)
{
	struct journals journals = begin(1, 0);
	static const char *const names[] = {"", ".", "..", "../current", "a/b", "lims.new", "Lims",
		"a234567890123456789012345678901234"};
	static const char *const topics[] = {"", "a1/data", "a1/data/\n/", "A1/", "*"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(move(&journals, names[i], journals.id, ALL, 1), -EINVAL);
	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
		assert_int_equal(move(&journals, "lims", journals.id, topics[i], 1), -EINVAL);
	assert_int_equal(count_of(journals.cursors), 0);
	journals_close(&journals);
}

static void cursors_and_marks_are_limited(void **state)
{
	struct journals journals = begin(1, 0);
	char name[32];
	for (int i = 0; i < CURSORS_MAX; i++) {
		snprintf(name, sizeof name, "c-%d", i);
		assert_int_equal(move(&journals, name, journals.id, ALL, 0), 0);
	}
	assert_int_equal(move(&journals, "one-more", journals.id, ALL, 0), -ENOSPC);
	for (int i = 1; i < CURSOR_MARKS_MAX; i++) {
		snprintf(name, sizeof name, "a1/data/x-%d/", i);
		assert_int_equal(move(&journals, "c-0", journals.id, name, 0), 0);
	}
	assert_int_equal(move(&journals, "c-0", journals.id, "a1/data/y/", 0), -ENOSPC);
	assert_int_equal(move(&journals, "c-0", journals.id, ALL, 1), 0);
	assert_int_equal(cursors_flush(journals.cursors), 0);
	reopen(&journals);
	assert_int_equal(count_of(journals.cursors), CURSORS_MAX);
	journals_close(&journals);
}

static void a_failed_write_undoes_the_move(void **state)
{
	struct journals journals = begin(9, 0);
	struct cursor_view view;
	set(&journals, "lims", journals.id, JOURNALS_XRF, 3);
	/* A folder where the temporary file belongs. */
	assert_int_equal(mkdir(file_of(&journals, "lims.new"), 0700), 0);
	assert_int_equal(move(&journals, "lims", journals.id, JOURNALS_XRF, 5), 0);
	assert_int_equal(move(&journals, "new-one", journals.id, JOURNALS_XRF, 5), 0);
	assert_true(cursors_flush(journals.cursors) < 0);
	assert_int_equal(cursors_find(journals.cursors, text("lims"), &view), 0);
	assert_int_equal(view.marks[0].seq, 3);
	free(view.marks);
	assert_int_equal(
		cursors_find(journals.cursors, text("new-one"), &view), 0); /* its own file */
	free(view.marks);
	assert_int_equal(rmdir(file_of(&journals, "lims.new")), 0);
	set(&journals, "lims", journals.id, JOURNALS_XRF, 4);
	journals_close(&journals);
}

static void damage(const struct journals *journals, const char *name, long at)
{
	FILE *file = fopen(file_of(journals, name), "r+");
	assert_non_null(file);
	assert_int_equal(fseek(file, at, at < 0 ? SEEK_END : SEEK_SET), 0);
	int c = fgetc(file);
	fseek(file, -1, SEEK_CUR);
	fputc(c ^ 0x10, file);
	fclose(file);
}

static void a_damaged_cursor_holds_everything_back(void **state)
{
	for (int how = 0; how < 3; how++) {
		struct journals journals = begin(9, 0);
		struct cursor_view view;
		set(&journals, "lims", journals.id, JOURNALS_XRF, 9);
		assert_int_equal(floor_of(&journals, journals.id), 9);
		if (how == 0)
			damage(&journals, "lims", 5);
		else if (how == 1)
			damage(&journals, "lims", -2);
		else
			assert_int_equal(truncate(file_of(&journals, "lims"), 0), 0);
		reopen(&journals);
		assert_int_equal(floor_of(&journals, journals.id), 0);
		assert_int_equal(move(&journals, "lims", journals.id, JOURNALS_XRF, 9), -EBADMSG);
		assert_int_equal(cursors_find(journals.cursors, text("lims"), &view), 0);
		assert_true(view.is_damaged);
		free(view.marks);
		assert_int_equal(cursors_forget(journals.cursors, text("lims")), 0);
		assert_int_equal(floor_of(&journals, journals.id), UINT64_MAX);
		journals_close(&journals);
	}
}

static void a_topic_is_held_back_from_its_next_entry_on(void **state)
{
	struct journals journals = begin(3, 3); /* xrf 1 2 3, ms 4 5 6 */
	assert_int_equal(floor_of(&journals, journals.id), UINT64_MAX);
	set(&journals, "lims", journals.id, JOURNALS_MS, 4);
	assert_int_equal(floor_of(&journals, journals.id), 4); /* 5 is next; xrf is not followed */
	set(&journals, "lims", journals.id, JOURNALS_XRF, 1);
	assert_int_equal(floor_of(&journals, journals.id), 1);
	set(&journals, "lims", journals.id, JOURNALS_XRF, 3);
	assert_int_equal(floor_of(&journals, journals.id), 4);
	set(&journals, "lims", journals.id, JOURNALS_MS, 6);
	assert_int_equal(floor_of(&journals, journals.id), 6);
	journals_put(&journals, JOURNALS_AUDIT, 10);
	assert_int_equal(floor_of(&journals, journals.id), 7); /* passed everything it follows */
	uint64_t seq = journals_put(&journals, JOURNALS_XRF, 10);
	assert_int_equal(floor_of(&journals, journals.id), seq - 1);
	journals_close(&journals);
}

static void a_prefix_follows_topics_that_are_not_there_yet(void **state)
{
	struct journals journals = begin(3, 0);
	set(&journals, "lims", journals.id, ALL, 0);
	assert_int_equal(floor_of(&journals, journals.id), 0);
	set(&journals, "lims", journals.id, JOURNALS_XRF, 3); /* the furthest mark counts */
	assert_int_equal(floor_of(&journals, journals.id), 3);
	uint64_t seq = journals_put(&journals, JOURNALS_MS, 10);
	journals_put(&journals, JOURNALS_XRF, 10);
	assert_int_equal(floor_of(&journals, journals.id), seq - 1);
	set(&journals, "lims", journals.id, ALL, seq);
	assert_int_equal(floor_of(&journals, journals.id), seq);
	journals_close(&journals);
}

static void the_slowest_cursor_counts(void **state)
{
	struct journals journals = begin(9, 0);
	char name[CURSOR_NAME_MAX + 1];
	uint64_t seq;
	set(&journals, "fast", journals.id, JOURNALS_XRF, 8);
	set(&journals, "slow", journals.id, JOURNALS_XRF, 2);
	assert_int_equal(floor_of(&journals, journals.id), 2);
	assert_int_equal(cursors_floor_of(journals.cursors, 1, journals.id, name, &seq), 0);
	assert_string_equal(name, "slow");
	assert_int_equal(seq, 2);
	assert_int_equal(cursors_forget(journals.cursors, text("slow")), 0);
	assert_int_equal(floor_of(&journals, journals.id), 8);
	assert_int_equal(cursors_forget(journals.cursors, text("slow")), -ENOENT);
	reopen(&journals);
	assert_int_equal(floor_of(&journals, journals.id), 8);
	journals_close(&journals);
}

/* Journals: first (xrf 1 2, ms 3), second (xrf 1 2), third (ms 1, xrf 2). */
static struct journals three_journals(uint8_t ids[3][JOURNAL_ID_SIZE])
{
	struct journals journals = {0};
	journals_create(&journals);
	journals_put(&journals, JOURNALS_XRF, 10);
	journals_put(&journals, JOURNALS_XRF, 10);
	journals_put(&journals, JOURNALS_MS, 10);
	memcpy(ids[0], journals.id, JOURNAL_ID_SIZE);
	journals_renew(&journals);
	journals_put(&journals, JOURNALS_XRF, 10);
	journals_put(&journals, JOURNALS_XRF, 10);
	memcpy(ids[1], journals.id, JOURNAL_ID_SIZE);
	journals_renew(&journals);
	journals_put(&journals, JOURNALS_MS, 10);
	journals_put(&journals, JOURNALS_XRF, 10);
	memcpy(ids[2], journals.id, JOURNAL_ID_SIZE);
	journals_open(&journals);
	return journals;
}

static void a_cursor_in_an_older_journal_holds_the_younger_ones_back(void **state)
{
	uint8_t ids[3][JOURNAL_ID_SIZE];
	struct journals journals = three_journals(ids);
	set(&journals, "lims", ids[0], JOURNALS_XRF, 1);
	assert_int_equal(floor_of(&journals, ids[0]), 1);
	assert_int_equal(floor_of(&journals, ids[1]), 0);
	assert_int_equal(floor_of(&journals, ids[2]), 1); /* it does not follow ms-1 */
	set(&journals, "lims", ids[0], JOURNALS_XRF, 2);
	assert_int_equal(floor_of(&journals, ids[0]), 3);
	assert_int_equal(floor_of(&journals, ids[1]), 0); /* it has passed nothing of it */
	set(&journals, "lims", ids[1], JOURNALS_XRF, 2);
	assert_int_equal(floor_of(&journals, ids[1]), 2);
	assert_int_equal(floor_of(&journals, ids[2]), 1);
	journals_close(&journals);
}

static void a_cursor_that_skipped_a_journal_still_needs_it(void **state)
{
	uint8_t ids[3][JOURNAL_ID_SIZE];
	struct journals journals = three_journals(ids);
	set(&journals, "lims", ids[0], JOURNALS_XRF, 2);
	set(&journals, "lims", ids[2], JOURNALS_XRF, 2);
	assert_int_equal(floor_of(&journals, ids[1]), 0);
	set(&journals, "gas", ids[0], JOURNALS_MS, 3);
	assert_int_equal(cursors_forget(journals.cursors, text("lims")), 0);
	assert_int_equal(floor_of(&journals, ids[1]), 2); /* the second has nothing of ms-1 */
	assert_int_equal(floor_of(&journals, ids[2]), 0);
	journals_close(&journals);
}

static void a_cursor_that_started_later_needs_no_older_journals(void **state)
{
	uint8_t ids[3][JOURNAL_ID_SIZE];
	struct journals journals = three_journals(ids);
	set(&journals, "lims", ids[1], ALL, 1);
	assert_int_equal(floor_of(&journals, ids[0]), UINT64_MAX);
	assert_int_equal(floor_of(&journals, ids[1]), 1);
	assert_int_equal(floor_of(&journals, ids[2]), 0);
	journals_close(&journals);
}

/* A journal started because the clock went back has earlier commit times. */
static void journals_are_in_the_order_of_their_start(void **state)
{
	uint8_t ids[3][JOURNAL_ID_SIZE];
	struct published_journal journal;
	struct journals journals = {0};
	journals_create(&journals);
	for (size_t i = 0; i < 3; i++) {
		if (i > 0) {
			journals_renew(&journals);
			journals.clock_back += UINT64_C(7200000000000);
			journals_put_beginning(&journals, ids[i - 1]);
		}
		journals_put(&journals, JOURNALS_XRF, 10);
		memcpy(ids[i], journals.id, JOURNAL_ID_SIZE);
	}
	journals_open(&journals);
	assert_int_equal(published_count(journals.published), 3);
	for (size_t i = 0; i < 3; i++) {
		published_at(journals.published, i, &journal);
		assert_memory_equal(journal.id, ids[i], JOURNAL_ID_SIZE);
		assert_int_equal(journal.last, i > 0 ? 2 : 1);
	}
	journals_close(&journals);
}

static void positions_are_known_before_the_journal_is_opened(void **state)
{
	uint8_t ids[3][JOURNAL_ID_SIZE], id[JOURNAL_ID_SIZE];
	struct journals journals = three_journals(ids);
	assert_int_equal(cursors_known(journals.path, id), 0);
	assert_int_equal(cursors_known("/nonexistent", id), 0);
	set(&journals, "lims", ids[0], JOURNALS_XRF, 3);
	set(&journals, "lims", ids[2], JOURNALS_MS, 1);
	set(&journals, "gas", ids[2], ALL, 2);
	assert_int_equal(cursors_known(journals.path, id), 2);
	assert_memory_equal(id, ids[2], sizeof id);
	journals_close(&journals);
}

/* Something else than a file in its place is damage, and does not stop the start. */
static void a_pipe_or_link_in_its_place_is_damage(void **state)
{
	struct cursor_view view;
	struct journals journals = begin(3, 0);
	assert_int_equal(mkfifo(file_of(&journals, "pipe"), 0600), 0);
	assert_int_equal(symlink("/etc/passwd", file_of(&journals, "link")), 0);
	reopen(&journals);
	assert_int_equal(cursors_find(journals.cursors, text("pipe"), &view), 0);
	assert_true(view.is_damaged);
	free(view.marks);
	assert_int_equal(cursors_find(journals.cursors, text("link"), &view), 0);
	assert_true(view.is_damaged);
	free(view.marks);
	journals_close(&journals);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flushed_cursor_is_there_after_a_restart),
		cmocka_unit_test(a_cursor_never_goes_back_nor_past_the_head),
		cmocka_unit_test(names_cannot_leave_the_folder),
		cmocka_unit_test(a_pipe_or_link_in_its_place_is_damage),
		cmocka_unit_test(cursors_and_marks_are_limited),
		cmocka_unit_test(a_failed_write_undoes_the_move),
		cmocka_unit_test(a_damaged_cursor_holds_everything_back),
		cmocka_unit_test(a_topic_is_held_back_from_its_next_entry_on),
		cmocka_unit_test(a_prefix_follows_topics_that_are_not_there_yet),
		cmocka_unit_test(the_slowest_cursor_counts),
		cmocka_unit_test(a_cursor_in_an_older_journal_holds_the_younger_ones_back),
		cmocka_unit_test(a_cursor_that_skipped_a_journal_still_needs_it),
		cmocka_unit_test(a_cursor_that_started_later_needs_no_older_journals),
		cmocka_unit_test(journals_are_in_the_order_of_their_start),
		cmocka_unit_test(positions_are_known_before_the_journal_is_opened),
	};
	return RUN_APART(tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Space on the disk, confirmed archives and the removal of files, with a real journal. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/commit/commit.h"
#include "core/commit/ledger.h"
#include "core/commit/published.h"
#include "core/keep/confirm.h"
#include "core/keep/disk.h"
#include "core/keep/retention.h"
#include "core/replay/cursors.h"
#include "journal/retain.h"
#include "record/digest.h"
#include "record/text.h"
#include "roof.h"
#include "virtual-loop.h"

#define MIB   (UINT64_C(1) << 20)
#define FILES 12 /* closed ones, of 3 entries each */
#define TOPIC "a1/data/xrf/site/node/xrf-1/"
#define NEVER UINT64_MAX

static struct roof roof;

/* The system's files, except the space, new files and one sync. */
static struct io io;
static uint64_t free_space;
static bool has_inodes;
static int syncs_to_fail;

static int free_bytes(void *ctx, int fd, uint64_t *bytes)
{
	*bytes = free_space;
	return 0;
}

static int sync_file(void *ctx, int fd)
{
	if (syncs_to_fail > 0 && syncs_to_fail-- > 0)
		return -EIO;
	return io_posix.fdatasync(io_posix.ctx, fd);
}

static int open_file(void *ctx, int dir, const char *name, int flags)
{
	if (!has_inodes && (flags & O_CREAT) != 0)
		return -ENOSPC;
	return io_posix.openat(io_posix.ctx, dir, name, flags);
}

static int open_roof(void **state)
{
	io = io_posix;
	io.openat = open_file;
	has_inodes = true;
	io.free_bytes = free_bytes;
	io.fdatasync = sync_file;
	free_space = 5000 * MIB;
	syncs_to_fail = 0;
	roof_open_as(&roof, &(struct roof_plan){.io = &io});
	return 0;
}

static int close_roof(void **state)
{
	roof_close(&roof);
	return 0;
}

static size_t count_in(const char *records, const char *text)
{
	size_t found = 0;
	for (; (records = strstr(records, text)) != NULL; records++)
		found++;
	return found;
}

/* How many audit records have this text. */
static size_t count(const char *text)
{
	return count_in(roof_records(&roof, "-"), text);
}

/* --- space ----------------------------------------------------------------------------------- */

static struct disk_watch watch_disk(void)
{
	return (struct disk_watch){.journal = roof.core.journal,
		.commit = roof.core.commit,
		.audit = &roof.core.audit,
		.reserve = 1024 * MIB,
		.segment_size = 64 * MIB};
}

static void every_change_of_level_is_recorded_once(void **state)
{
	static const struct {
		uint64_t free;
		enum disk_level level;
		const char *event;
		bool starts; /* a run may start */
	} looks[] = {
		{5000 * MIB, DISK_OK, "", true},
		{1000 * MIB, DISK_LOW, "disk-low", false},
		{900 * MIB, DISK_LOW, "", false},
		{100 * MIB, DISK_FULL, "disk-full", false},
		{0, DISK_FULL, "", false},
		{1100 * MIB, DISK_LOW, "disk-low", false}, /* not yet 12.5 % more */
		{2000 * MIB, DISK_OK, "disk-ok", true},
		{10 * MIB, DISK_FULL, "disk-full", false},
		{2000 * MIB, DISK_OK, "disk-ok", true},
	};
	struct disk_watch disk = watch_disk();
	char text[200];
	size_t low = 0, full = 0, ok = 0;
	for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
		free_space = looks[i].free;
		assert_int_equal(disk_look(&disk), looks[i].event[0] != '\0');
		assert_int_equal(disk.level, looks[i].level);
		assert_int_equal(disk_check(&disk, 0, text, sizeof text) == 0, looks[i].starts);
		assert_int_equal(disk_notice(&disk) == NULL, looks[i].starts);
		assert_int_equal(strcmp(disk_level_name(disk.level), "ok") == 0, looks[i].starts);
		low += strcmp(looks[i].event, "disk-low") == 0;
		full += strcmp(looks[i].event, "disk-full") == 0;
		ok += strcmp(looks[i].event, "disk-ok") == 0;
		assert_int_equal(count("\"event\":\"disk-low\""), low);
		assert_int_equal(count("\"event\":\"disk-full\""), full);
		assert_int_equal(count("\"event\":\"disk-ok\""), ok);
	}
}

/* Makes the commit thread write, and looks at the disk until it has this level. */
static void write_until(struct disk_watch *disk, enum disk_level level)
{
	audit_put(&roof.core.audit, "maintenance-on", NULL, NULL, NULL, NULL);
	for (int turns = 0; disk->level != level && turns < 1000000; turns++) {
		sched_yield();
		assert_int_equal(virtual_loop_run_for(roof.core.loop, 100 * NS_PER_MS), 0);
		disk_look(disk);
	}
	assert_int_equal(disk->level, level);
}

static void without_inodes_the_reason_is_not_the_space(void **state)
{
	struct disk_watch disk = watch_disk();
	char text[200];
	roof_commit(&roof);
	has_inodes = false;
	syncs_to_fail = 1; /* so that the journal needs a new file */
	write_until(&disk, DISK_FULL);
	assert_int_equal(disk_check(&disk, 0, text, sizeof text), -ENOSPC);
	assert_non_null(strstr(text, "inodes are used up"));
	assert_null(strstr(text, "MiB"));
	assert_string_equal(disk_notice(&disk), "no file can be created: no run is started");
	free_space = 10 * MIB; /* now it is that, too */
	assert_int_equal(disk_check(&disk, 0, text, sizeof text), -ENOSPC);
	free_space = 5000 * MIB;
	has_inodes = true;
	write_until(&disk, DISK_OK);
	assert_int_equal(disk_check(&disk, 0, text, sizeof text), 0);
	assert_null(disk_notice(&disk));
	assert_int_equal(count("\"event\":\"disk-full\""), 1);
	assert_int_equal(count("\"event\":\"maintenance-on\""), 2); /* nothing is lost */
}

static void a_run_starts_only_if_it_fits(void **state)
{
	struct disk_watch disk = watch_disk();
	char text[200];
	free_space = 2000 * MIB; /* 128 are for the runs that are open */
	assert_int_equal(disk_check(&disk, 1872 * MIB, text, sizeof text), 0);
	assert_int_equal(disk_check(&disk, 1873 * MIB, text, sizeof text), -ENOSPC);
	assert_string_equal(text, "the run would not fit the disk: one of this instrument took "
				  "1873 MiB, 2000 MiB are left: make room, or add space");
	free_space = 1000 * MIB; /* before the next look */
	assert_int_equal(disk_check(&disk, 0, text, sizeof text), -ENOSPC);
	assert_non_null(strstr(text, "1000 MiB left, 1024 MiB are the reserve"));
	disk.level = DISK_FAILED;
	assert_int_equal(disk_check(&disk, 0, text, sizeof text), -EIO);
	assert_non_null(strstr(disk_notice(&disk), "cannot be written"));
}

/* A write that was saved is no failure, but it is recorded. */
static void a_rescue_of_the_journal_is_recorded(void **state)
{
	struct disk_watch disk = watch_disk();
	roof_commit(&roof);
	syncs_to_fail = 1;
	roof_commit(&roof); /* committed nevertheless */
	assert_false(disk_look(&disk));
	disk_look(&disk);
	assert_int_equal(disk.level, DISK_OK);
	assert_int_equal(count("\"event\":\"journal-rescued\""), 1);
	assert_int_equal(count("\"error\":\"Input/output error\""), 1);
}

/* --- files of a journal ---------------------------------------------------------------------- */

struct file {
	uint64_t first, last;
	bool is_closed, is_removed, is_archived;
};

static struct file files[FILES + 1];
static size_t file_count;

static int take_file(void *arg, const struct journal_segment *segment)
{
	assert_true(file_count <= FILES);
	struct file *file = &files[file_count++];
	file->first = segment->first_seq;
	file->last = segment->last_seq;
	file->is_closed = segment->is_closed;
	file->is_removed = segment->is_removed;
	return 0;
}

static void list_files(void)
{
	file_count = 0;
	assert_int_equal(journal_segments(&io_posix, roof.folder, journal_id(roof.core.journal),
				 take_file, NULL),
		0);
}

static void fill_journal(void)
{
	struct ledger_record record = {.topic = ledger_topic(roof.core.ledger, TOPIC),
		.head = (const uint8_t *)"\xa0",
		.head_len = 1};
	memset(files, 0, sizeof files);
	for (int i = 0; i < FILES * 3; i++) {
		record.roll = i % 3 == 2;
		assert_int_equal(ledger_put(roof.core.ledger, &record, NULL), 0);
		if (record.roll)
			roof_commit(&roof);
	}
	roof_commit(&roof); /* the first entry of the open file, if there is none yet */
	list_files();
	assert_int_equal(file_count, FILES + 1);
	assert_false(files[FILES].is_closed);
}

/* --- retention ------------------------------------------------------------------------------- */

static size_t due; /* how often a look was due */

static void on_due(void *arg)
{
	due++;
}

static struct retention *start_retention(void)
{
	const struct retention_options options = {.loop = roof.core.loop,
		.path = roof.folder,
		.journal = journal_id(roof.core.journal),
		.audit = &roof.core.audit,
		.published = roof.core.published,
		.cursors = roof.core.cursors,
		.due = on_due};
	assert_int_equal(retention_start(&roof.core.retention, &options), 0);
	return roof.core.retention;
}

/* Lets the jobs' thread and the commit thread work, and handles their results once. */
static void turn(void)
{
	virtual_loop_run_for(roof.core.loop, NS_PER_MS);
	commit_collect(roof.core.commit);
}

/* Looks, and waits for the result. */
static struct retention_summary survey(const struct retention_policy *policy, uint64_t open_from)
{
	const struct retention_summary *sum;
	retention_look(roof.core.retention, policy, open_from);
	do {
		size_t looks = due;
		turn();
		if (due != looks) /* the former look was not over yet */
			retention_look(roof.core.retention, policy, open_from);
		sum = retention_summary(roof.core.retention);
	} while (sum == NULL || sum->looked != policy->now);
	return *sum;
}

/* Looks, and waits until all that goes is removed: the next look begins only then. */
static struct retention_summary look(const struct retention_policy *policy, uint64_t open_from)
{
	struct retention_policy next = *policy;
	struct retention_summary sum = survey(policy, open_from);
	next.now++;
	survey(&next, open_from);
	return sum;
}

static struct confirm_request request_of(const struct file *file)
{
	struct confirm_request request = {.actor = {.id = "kim", .auth = AUTH_OS, .via = "test"},
		.count = 1,
		.to = "/mnt/archive"};
	struct archived_segment *segment = request.segments;
	char path[200], id[JOURNAL_ID_TEXT], bytes[4096];
	struct digest digest = {0};
	memcpy(segment->journal, journal_id(roof.core.journal), JOURNAL_ID_SIZE);
	segment->first = file->first;
	segment->last = file->last;
	journal_id_format(id, segment->journal);
	snprintf(path, sizeof path, "%s/journal/%s/%020" PRIu64 ".seg", roof.folder, id,
		file->first);
	FILE *from = fopen(path, "r");
	assert_non_null(from);
	assert_int_equal(digest_init(&digest), 0);
	for (size_t n; (n = fread(bytes, 1, sizeof bytes, from)) > 0;)
		digest_update(&digest, bytes, n);
	digest_final(&digest, segment->sha256);
	digest_finish(&digest);
	fclose(from);
	return request;
}

struct answer {
	bool is_there;
	char refused[200]; /* "": it was not */
	size_t noted, known;
};

static void on_confirmed(void *arg, const struct confirm_result *result)
{
	struct answer *answer = arg;
	assert_false(answer->is_there); /* once */
	*answer = (struct answer){true, "", result->noted, result->known};
	snprintf(answer->refused, sizeof answer->refused, "%s",
		result->refused != NULL ? result->refused : "");
}

static struct answer confirm(const struct confirm_request *request)
{
	struct answer answer = {0};
	assert_int_equal(confirm_start(roof.core.retention, request, on_confirmed, &answer), 0);
	assert_int_equal(
		confirm_start(roof.core.retention, request, on_confirmed, &answer), -EBUSY);
	while (!answer.is_there)
		turn();
	return answer;
}

static void archive(struct file *file)
{
	struct confirm_request request = request_of(file);
	struct answer answer = confirm(&request);
	assert_string_equal(answer.refused, "");
	file->is_archived = true;
}

/* --- confirmations --------------------------------------------------------------------------- */

static void only_what_the_journal_has_is_confirmed(void **state)
{
	fill_journal();
	start_retention();
	struct confirm_request right = request_of(&files[2]), wrong = right;
	wrong.segments[0].sha256[5] ^= 1;
	assert_non_null(strstr(confirm(&wrong).refused, "has another SHA-256"));
	wrong = right;
	wrong.segments[0].last++;
	assert_non_null(strstr(confirm(&wrong).refused, "there is no such closed file"));
	wrong = right;
	wrong.segments[0].first++;
	assert_non_null(strstr(confirm(&wrong).refused, "there is no such closed file"));
	wrong = right;
	wrong.segments[0].journal[0] ^= 1;
	assert_string_not_equal(confirm(&wrong).refused, "");
	wrong = request_of(&files[FILES]); /* it is still written */
	assert_non_null(strstr(confirm(&wrong).refused, "there is no such closed file"));
	wrong = right; /* one is wrong, one is right: none is noted */
	wrong.segments[1] = request_of(&files[3]).segments[0];
	wrong.segments[0].sha256[0] ^= 1;
	wrong.count = 2;
	assert_non_null(strstr(confirm(&wrong).refused, "has another SHA-256"));
	assert_int_equal(count("\"event\":\"archived\""), 0);

	struct answer answer = confirm(&right);
	assert_string_equal(answer.refused, "");
	assert_int_equal(answer.noted, 1);
	assert_int_equal(answer.known, 0);
	assert_int_equal(count("\"event\":\"archived\",\"actor\":{\"id\":\"kim\""), 1);
	answer = confirm(&right); /* again: nothing new */
	assert_int_equal(answer.noted, 0);
	assert_int_equal(answer.known, 1);
	assert_int_equal(count("\"event\":\"archived\""), 1);
	struct archived *notes;
	assert_int_equal(archived_open(&notes, roof.folder), 0);
	assert_non_null(archived_find(notes, right.segments[0].journal, files[2].first));
	assert_null(archived_find(notes, right.segments[0].journal, files[3].first));
	archived_close(notes);
}

/* --- removal --------------------------------------------------------------------------------- */

/* Closed, archived, passed by the cursor and before the open run: exactly those go. */
static void expect_removed(uint64_t passed, uint64_t open_from)
{
	size_t removed = 0;
	char text[60];
	const char *audit = roof_records(&roof, "-");
	list_files();
	for (size_t i = 0; i < file_count; i++) {
		const struct file *f = &files[i];
		bool goes = f->is_closed && f->is_archived && f->last <= passed &&
			    f->last < open_from;
		if (goes != f->is_removed)
			fail_msg("entries %d to %d: %s removed", (int)f->first, (int)f->last,
				goes ? "not" : "wrongly");
		snprintf(text, sizeof text, "\"first\":%d,\"last\":%d,\"bytes\"", (int)f->first,
			(int)f->last);
		assert_int_equal(count_in(audit, text), goes); /* recorded once */
		removed += goes;
	}
	assert_int_equal(count_in(audit, "\"event\":\"segment-removed\""), removed);
}

/* Consumers learn the first entry that is still there. */
static void expect_first(void)
{
	struct published_journal journal;
	size_t i = 0;
	published_at(roof.core.published, 0, &journal);
	while (files[i].is_removed)
		i++;
	assert_int_equal(journal.first, files[i].first);
}

static void pass(const char *name, uint64_t seq)
{
	assert_int_equal(cursors_move(roof.core.cursors, string_of(name),
				 journal_id(roof.core.journal), string_of("a1/data/"), seq),
		0);
	assert_int_equal(cursors_flush(roof.core.cursors), 0);
}

static void only_files_that_are_not_needed_go(void **state)
{
	for (unsigned seed = 1; seed <= 6; seed++) {
		unsigned dice = seed;
		struct retention_policy policy = {
			.now = clock_utc() + 1000 * NS_PER_S, .age_ns = 1};
		fill_journal();
		start_retention();
		for (size_t i = 0; i < FILES; i++) {
			if (rand_r(&dice) % 4 != 0)
				archive(&files[i]);
		}
		uint64_t passed = files[rand_r(&dice) % FILES].last;
		uint64_t open_from = seed % 2 == 0
					     ? NEVER
					     : 1 + (uint64_t)rand_r(&dice) % files[FILES].first;
		pass("slow", passed);
		pass("fast", files[FILES - 1].last);
		struct retention_summary sum = look(&policy, open_from);
		assert_int_equal(sum.files, FILES + 1);
		if (passed < files[FILES - 1].last && sum.not_passed > 0 && open_from == NEVER)
			assert_string_equal(sum.held_by, "slow");
		expect_removed(passed, open_from);
		/* The rest follows when the cursor and the run are over. */
		policy.now += 2;
		pass("slow", files[FILES - 1].last);
		look(&policy, NEVER);
		expect_removed(files[FILES - 1].last, NEVER);
		expect_first();
		for (size_t i = 0; i < FILES; i++) {
			if (!files[i].is_archived)
				archive(&files[i]);
		}
		policy.now += 2;
		look(&policy, NEVER);
		expect_removed(files[FILES - 1].last, NEVER);
		expect_first();
		policy.now += 2;
		look(&policy, NEVER); /* nothing is left to go */
		expect_removed(files[FILES - 1].last, NEVER);
		close_roof(state);
		open_roof(state);
	}
}

static void without_a_reason_nothing_is_even_looked_at(void **state)
{
	fill_journal();
	struct retention *retention = start_retention();
	retention_look(retention, &(struct retention_policy){.now = 1}, NEVER);
	turn();
	assert_null(retention_summary(retention));
	assert_null(retention_summary(NULL));
	retention_look(NULL, &(struct retention_policy){.now = 1, .age_ns = 1}, NEVER);
	const struct retention_policy policy = {.now = 5, .size = 1};
	assert_int_equal(look(&policy, NEVER).files, FILES + 1); /* none is archived */
	assert_true(retention_summary(retention)->not_archived > 0);
	expect_removed(0, NEVER);
}

/* The file was changed after its copy was made: the copy is not of it. */
static void a_file_that_differs_from_its_copy_stays(void **state)
{
	const struct retention_policy policy = {.now = clock_utc() + 1000 * NS_PER_S, .age_ns = 1};
	char path[200], id[JOURNAL_ID_TEXT];
	fill_journal();
	start_retention();
	archive(&files[0]);
	archive(&files[1]);
	journal_id_format(id, journal_id(roof.core.journal));
	snprintf(path, sizeof path, "%s/journal/%s/%020" PRIu64 ".seg", roof.folder, id,
		files[0].first);
	FILE *file = fopen(path, "a");
	assert_true(file != NULL && fputc('x', file) == 'x' && fclose(file) == 0);
	look(&policy, NEVER);
	list_files();
	assert_false(files[0].is_removed);
	assert_true(files[1].is_removed);
	struct retention_policy later = policy;
	later.now += 2;
	look(&later, NEVER);
	list_files();
	assert_false(files[0].is_removed);
	assert_int_equal(count("\"event\":\"segment-removed\""), 2); /* it is not tried again */
}

static void a_look_is_due_at_the_start_and_every_hour(void **state)
{
	due = 0;
	start_retention();
	virtual_loop_run_for(roof.core.loop, NS_PER_MS);
	assert_int_equal(due, 1);
	virtual_loop_run_for(roof.core.loop, 3 * 3600 * NS_PER_S);
	assert_int_equal(due, 4);
	retention_stop(roof.core.retention);
	virtual_loop_run_for(roof.core.loop, 3600 * NS_PER_S);
	assert_int_equal(due, 4);
}

int main(void)
{
#define WITH_ROOF(test) cmocka_unit_test_setup_teardown(test, open_roof, close_roof)
	const struct CMUnitTest tests[] = {
		WITH_ROOF(every_change_of_level_is_recorded_once),
		WITH_ROOF(without_inodes_the_reason_is_not_the_space),
		WITH_ROOF(a_run_starts_only_if_it_fits),
		WITH_ROOF(a_rescue_of_the_journal_is_recorded),
		WITH_ROOF(only_what_the_journal_has_is_confirmed),
		WITH_ROOF(only_files_that_are_not_needed_go),
		WITH_ROOF(without_a_reason_nothing_is_even_looked_at),
		WITH_ROOF(a_file_that_differs_from_its_copy_stays),
		WITH_ROOF(a_look_is_due_at_the_start_and_every_hour),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

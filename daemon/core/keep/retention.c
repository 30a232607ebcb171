/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_TOPIC "retention"
#include "base/clock.h"
#include "base/log.h"
#include "core/commit/audit.h"
#include "core/replay/cursors.h"
#include "base/loop.h"
#include "core/commit/item.h"
#include "core/commit/ledger.h"
#include "core/commit/published.h"
#include "core/keep/inside.h"
#include "journal/reader.h"
#include "journal/retain.h"
#include "record/digest.h"
#include "record/encode.h"
#include "record/entry.h"
#include "record/removed.h"

#define LOOK_NS    (3600 * NS_PER_S)
#define REMOVE_MAX 64 /* segments after one look: the next look follows at once */
#define HASH_BYTES (256u << 10)

/* One survey of the files, with its result. */
struct look {
	struct job job;
	struct retention *retention;
	struct retention_policy policy;
	uint8_t current[JOURNAL_ID_SIZE];
	uint64_t open_from; /* first seq of an open run in it; UINT64_MAX: none */
	uint8_t (*journals)[JOURNAL_ID_SIZE];
	size_t journal_count;
	struct retention_segment *segments;
	size_t count, size;
	struct retention_summary summary;
	int result;
};

struct removal {
	struct job job;
	struct retention *retention;
	struct retention_segment segment;
	struct journal_place record; /* of the removal */
	uint64_t first;              /* seq of the journal that is left */
	int result;
};

void retention_put(struct retention *retention, struct job *job)
{
	if (retention->jobs != NULL)
		jobs_put(retention->jobs, job);
	else
		job->done(job, true);
}

/* --- files ----------------------------------------------------------------------------------- */

static int segment_path(const struct retention *retention, const uint8_t *journal, uint64_t first,
	char path[PATH_MAX])
{
	char id[JOURNAL_ID_TEXT];
	journal_id_format(id, journal);
	int n = snprintf(
		path, PATH_MAX, "%s/journal/%s/%020" PRIu64 ".seg", retention->path, id, first);
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int hash_file(const struct retention *retention, int fd, struct digest *digest)
{
	uint8_t *data = malloc(HASH_BYTES);
	ssize_t n = data != NULL ? 1 : -ENOMEM;
	while (n > 0 && !jobs_are_stopping(retention->jobs)) {
		n = read(fd, data, HASH_BYTES);
		if (n > 0)
			digest_update(digest, data, (size_t)n);
		else if (n < 0)
			n = -errno;
	}
	free(data);
	return n > 0 ? -ECANCELED : (int)n;
}

int retention_hash(const struct retention *retention, const uint8_t journal[JOURNAL_ID_SIZE],
	uint64_t first, uint8_t sha256[ASSAY_SHA256_SIZE])
{
	char path[PATH_MAX];
	struct digest digest = {0};
	int r = segment_path(retention, journal, first, path);
	if (r < 0)
		return r;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	r = digest_init(&digest);
	if (r == 0)
		r = hash_file(retention, fd, &digest);
	if (r == 0)
		digest_final(&digest, sha256);
	digest_finish(&digest);
	close(fd);
	return r;
}

/* --- removing -------------------------------------------------------------------------------- */

static void remember_stuck(struct retention *retention, const struct retention_segment *segment)
{
	struct retention_stuck *grown = realloc(
		retention->stuck, (retention->stuck_count + 1) * sizeof *grown);
	if (grown == NULL)
		return;
	retention->stuck = grown;
	grown += retention->stuck_count++;
	memcpy(grown->journal, segment->journal, sizeof grown->journal);
	grown->first = segment->first;
}

static bool is_stuck(const struct retention *retention, const struct retention_segment *segment)
{
	for (size_t i = 0; i < retention->stuck_count; i++) {
		const struct retention_stuck *stuck = &retention->stuck[i];
		if (stuck->first == segment->first &&
			memcmp(stuck->journal, segment->journal, JOURNAL_ID_SIZE) == 0)
			return true;
	}
	return false;
}

/* Files may have been removed in any order. */
static int find_first(void *arg, const struct journal_segment *found)
{
	uint64_t *first = arg;
	*first = found->is_removed ? found->last_seq + 1 : found->first_seq;
	return !found->is_removed;
}

/* The last moment at which it can be found that the copy is of something else. */
static void remove_work(struct job *job)
{
	struct removal *removal = (struct removal *)job;
	struct retention *retention = removal->retention;
	const struct retention_segment *segment = &removal->segment;
	uint8_t hash[ASSAY_SHA256_SIZE];
	const struct archived_segment *copy = archived_find(
		retention->archived, segment->journal, segment->first);
	removal->result = retention_hash(retention, segment->journal, segment->first, hash);
	if (removal->result == 0 && (copy == NULL || memcmp(copy->sha256, hash, sizeof hash) != 0))
		removal->result = -ESTALE;
	if (removal->result == 0)
		removal->result = journal_prune(&io_posix, retention->path, segment->journal,
			segment->first, &removal->record, entry_place);
	removal->first = segment->last + 1;
	journal_segments(&io_posix, retention->path, segment->journal, find_first, &removal->first);
}

static void finish_removal(struct removal *removal)
{
	struct retention *retention = removal->retention;
	free(removal);
	if (--retention->removing == 0 && retention->again)
		retention->with.due(retention->with.arg);
}

/* Consumers learn the first seq that is still available. */
static void report_first(const struct removal *removal)
{
	struct published *published = removal->retention->with.published;
	ssize_t at = published_find(published, removal->segment.journal);
	if (at >= 0)
		published_removed(published, (size_t)at, removal->first);
}

static void removed(struct job *job, bool skipped)
{
	struct removal *removal = (struct removal *)job;
	const struct retention_segment *segment = &removal->segment;
	int r = removal->result;
	if (!skipped && r == 0) {
		log_info("entries %" PRIu64 " to %" PRIu64 " are removed: archived, and %s",
			segment->first, segment->last,
			segment->why == RETENTION_TOO_OLD ? "too old" : "too much");
		report_first(removal);
	} else if (!skipped && r != -ECANCELED) {
		log_error("entries %" PRIu64 " to %" PRIu64 " cannot be removed: %s",
			segment->first, segment->last,
			r == -ESTALE ? "the file is not the one that was archived" : strerror(-r));
		remember_stuck(removal->retention, segment);
	}
	finish_removal(removal);
}

static void recorded(void *arg, const struct commit_item *item)
{
	struct removal *removal = arg;
	struct retention *retention = removal->retention;
	memcpy(removal->record.journal, retention->with.journal, JOURNAL_ID_SIZE);
	removal->record.seq = item->seq;
	retention_put(retention, &removal->job);
}

static void write_removal(struct buffer *to, const struct retention_segment *segment)
{
	struct removed_record removed = {.journal = segment->journal,
		.first = segment->first,
		.last = segment->last,
		.bytes = segment->size,
		.from = segment->first_tc,
		.to = segment->last_tc,
		.why = segment->why == RETENTION_TOO_OLD ? "age" : "size"};
	removed_write(to, &removed);
}

static void record_removal(struct retention *retention, const struct retention_segment *segment)
{
	struct removal *removal = calloc(1, sizeof *removal);
	struct buffer after = {0};
	if (removal == NULL)
		return; /* another look will come */
	removal->job = (struct job){.work = remove_work, .done = removed};
	removal->retention = retention;
	removal->segment = *segment;
	write_removal(&after, segment);
	int r = audit_then(retention->with.audit, "segment-removed", NULL, NULL, &after, NULL,
		recorded, removal);
	if (r == 0)
		retention->removing++;
	else
		free(removal);
	buffer_finish(&after);
}

/* --- looking --------------------------------------------------------------------------------- */

static int take_journal(void *arg, const uint8_t id[JOURNAL_ID_SIZE])
{
	struct look *look = arg;
	void *grown = realloc(look->journals, (look->journal_count + 1) * sizeof *look->journals);
	if (grown == NULL)
		return -ENOMEM;
	look->journals = grown;
	memcpy(look->journals[look->journal_count++], id, JOURNAL_ID_SIZE);
	return 0;
}

static struct retention_segment *add_segment(struct look *look)
{
	if (look->count == look->size) {
		size_t size = look->size == 0 ? 64 : 2 * look->size;
		struct retention_segment *grown = realloc(look->segments, size * sizeof *grown);
		if (grown == NULL)
			return NULL;
		look->segments = grown;
		look->size = size;
	}
	return &look->segments[look->count++];
}

struct journal_walk {
	struct look *look;
	const uint8_t *journal;
	uint64_t floor; /* no durable cursor needs anything up to here */
};

static int take_segment(void *arg, const struct journal_segment *found)
{
	struct journal_walk *walk = arg;
	struct look *look = walk->look;
	if (found->is_removed || found->is_missing)
		return 0;
	struct retention_segment *segment = add_segment(look);
	if (segment == NULL)
		return -ENOMEM;
	*segment = (struct retention_segment){
		.first = found->first_seq,
		.last = found->last_seq,
		.first_tc = found->first_tc,
		.last_tc = found->last_tc,
		.size = found->size,
		.is_closed = found->is_closed && found->last_seq != 0,
		.is_passed = found->last_seq <= walk->floor,
	};
	memcpy(segment->journal, walk->journal, JOURNAL_ID_SIZE);
	const struct archived_segment *copy = archived_find(
		look->retention->archived, walk->journal, found->first_seq);
	segment->is_archived = copy != NULL && copy->last == found->last_seq;
	return 0;
}

/* The last seq that neither a durable cursor nor an open run needs. */
static uint64_t floor_of(const struct look *look, const uint8_t *journal)
{
	uint64_t floor;
	int r = cursors_floor(look->retention->with.cursors, journal, &floor);
	if (r < 0)
		log_warn("cannot read consumer positions: %s", strerror(-r));
	/* Frames of an open run are read again if the core should fail before its end. */
	bool is_current = memcmp(journal, look->current, JOURNAL_ID_SIZE) == 0;
	if (is_current && look->open_from <= floor)
		floor = look->open_from - 1;
	return floor;
}

/* Which cursor is behind this segment; "": none. */
static void find_holder(struct look *look, const struct retention_segment *segment)
{
	struct cursors *cursors = look->retention->with.cursors;
	char name[CURSOR_NAME_MAX + 1];
	uint64_t floor;
	for (size_t i = 0;; i++) {
		int r = cursors_floor_of(cursors, i, segment->journal, name, &floor);
		if (r == -ENOENT)
			return;
		if (r < 0 || floor >= segment->last)
			continue;
		memcpy(look->summary.held_by, name, sizeof name);
		return;
	}
}

static void sum_up(struct look *look)
{
	struct retention_summary *sum = &look->summary;
	sum->looked = look->policy.now;
	for (size_t i = 0; i < look->count; i++) {
		const struct retention_segment *segment = &look->segments[i];
		sum->files++;
		sum->bytes += segment->size;
		if (segment->why == RETENTION_NOT_ARCHIVED)
			sum->not_archived += segment->size;
		if (segment->why != RETENTION_NOT_PASSED)
			continue;
		if (sum->not_passed == 0)
			find_holder(look, segment);
		sum->not_passed += segment->size;
	}
}

static void look_work(struct job *job)
{
	struct look *look = (struct look *)job;
	const char *path = look->retention->path;
	look->result = journal_each(&io_posix, path, take_journal, look);
	for (size_t i = 0; look->result == 0 && i < look->journal_count; i++) {
		const uint8_t *journal = look->journals[i];
		struct journal_walk walk = {look, journal, floor_of(look, journal)};
		look->result = journal_segments(&io_posix, path, journal, take_segment, &walk);
	}
	if (look->result < 0)
		return;
	retention_choose(look->segments, look->count, &look->policy);
	sum_up(look);
}

static void record_removals(struct retention *retention, const struct look *look)
{
	for (size_t i = 0; i < look->count; i++) {
		const struct retention_segment *segment = &look->segments[i];
		if (!retention_goes(segment->why) || is_stuck(retention, segment))
			continue;
		retention->again = retention->removing == REMOVE_MAX;
		if (retention->again)
			return;
		record_removal(retention, segment);
	}
}

static void looked(struct job *job, bool skipped)
{
	struct look *look = (struct look *)job;
	struct retention *retention = look->retention;
	bool again = retention->again;
	retention->is_looking = retention->again = false;
	if (!skipped && look->result < 0)
		log_error("cannot read the journal's files: %s", strerror(-look->result));
	if (!skipped && look->result == 0) {
		retention->summary = look->summary;
		record_removals(retention, look);
	}
	retention->again = retention->again || again;
	free(look->journals);
	free(look->segments);
	free(look);
	if (!skipped && retention->again && retention->removing == 0)
		retention->with.due(retention->with.arg);
}

const struct retention_summary *retention_summary(const struct retention *retention)
{
	bool has_looked = retention != NULL && retention->summary.looked != 0;
	return has_looked ? &retention->summary : NULL;
}

void retention_look(
	struct retention *retention, const struct retention_policy *policy, uint64_t open_from)
{
	if (retention == NULL || retention->jobs == NULL)
		return;
	if (policy->age_ns == 0 && policy->size == 0) {
		retention->summary.looked = 0;
		return;
	}
	retention->again = retention->is_looking || retention->removing > 0;
	if (retention->again)
		return;
	struct look *look = calloc(1, sizeof *look);
	if (look == NULL)
		return;
	look->job = (struct job){.work = look_work, .done = looked};
	look->retention = retention;
	memcpy(look->current, retention->with.journal, JOURNAL_ID_SIZE);
	look->open_from = open_from;
	look->policy = *policy;
	retention->is_looking = true;
	retention_put(retention, &look->job);
}

static void on_timer(void *arg)
{
	struct retention *retention = arg;
	retention->with.due(retention->with.arg);
	loop_set_timer(retention->timer, LOOK_NS);
}

/* --- life ------------------------------------------------------------------------------------ */

int retention_start(struct retention **out, const struct retention_options *options)
{
	struct retention *retention = calloc(1, sizeof *retention);
	if (retention == NULL)
		return -ENOMEM;
	retention->with = *options;
	snprintf(retention->path, sizeof retention->path, "%s", options->path);
	int r = archived_open(&retention->archived, retention->path);
	if (r == 0)
		r = jobs_start(&retention->jobs, options->loop);
	if (r >= 0)
		r = loop_add_timer(options->loop, &retention->timer, on_timer, retention);
	if (r < 0) {
		retention_stop(retention);
		retention_destroy(retention);
		return r;
	}
	loop_set_timer(retention->timer, 0);
	*out = retention;
	return 0;
}

void retention_stop(struct retention *retention)
{
	if (retention == NULL)
		return;
	retention->timer = loop_drop(retention->timer);
	jobs_stop(retention->jobs);
	retention->jobs = NULL;
}

void retention_destroy(struct retention *retention)
{
	if (retention == NULL)
		return;
	archived_close(retention->archived);
	free(retention->stuck);
	free(retention);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOG_TOPIC "disk"
#include "base/log.h"
#include "core/commit/audit.h"
#include "core/commit/commit.h"
#include "core/keep/disk.h"
#include "journal/journal.h"
#include "record/encode.h"

#define MIB(bytes) ((unsigned long long)((bytes) >> 20))

struct disk_limits disk_limits(uint64_t reserve, uint64_t segment_size)
{
	uint64_t half = reserve / 2, two = 2 * segment_size;
	return (struct disk_limits){.low = reserve, .full = half < two ? half : two};
}

/* Free bytes at which the level of a limit is left. */
static uint64_t back_above(uint64_t limit)
{
	return limit + limit / 8;
}

/* No memory is no fault of the disk, and passes. */
static bool is_failure(int error)
{
	return error != 0 && error != -ENOSPC && error != -EAGAIN && error != -ENOMEM;
}

enum disk_level disk_judge(
	enum disk_level before, const struct disk_limits *limits, uint64_t free, int error)
{
	if (is_failure(error))
		return DISK_FAILED;
	if (before == DISK_FAILED)
		before = DISK_OK;
	uint64_t full = before == DISK_FULL ? back_above(limits->full) : limits->full;
	uint64_t low = before == DISK_OK ? limits->low : back_above(limits->low);
	if (error == -ENOSPC || free < full)
		return DISK_FULL;
	return free < low ? DISK_LOW : DISK_OK;
}

const char *disk_level_name(enum disk_level level)
{
	static const char *const names[] = {"ok", "low", "full", "failed"};
	return names[level];
}

static void write_audit(const struct disk_watch *disk)
{
	enum disk_level level = disk->level;
	struct buffer after = {0};
	struct map map;
	map_open(&map, &after);
	map_uint(&map, "free", disk->free);
	map_uint(&map, "reserve", disk->reserve);
	map_close(&map);
	audit_put(disk->audit,
		level == DISK_OK     ? "disk-ok"
		: level == DISK_LOW  ? "disk-low"
		: level == DISK_FULL ? "disk-full"
				     : "disk-failed",
		NULL, NULL, &after, NULL);
	buffer_finish(&after);
}

/* There is room in bytes, and still nothing can be written. */
static bool lacks_files(const struct disk_watch *disk)
{
	return disk->level == DISK_FULL &&
	       disk->free >= disk_limits(disk->reserve, disk->segment_size).full;
}

#define NO_FILES "no file can be created although there is room: inodes are used up, or a quota is"

static void log_level(const struct disk_watch *disk)
{
	unsigned long long left = MIB(disk->free);
	if (disk->level == DISK_OK)
		log_info("there is room again: %llu MiB", left);
	else if (disk->level == DISK_LOW)
		log_warn("%llu MiB left, %llu are the reserve: no run is started", left,
			MIB(disk->reserve));
	else if (lacks_files(disk))
		log_error(NO_FILES "; acquisition stops until that is over");
	else if (disk->level == DISK_FULL)
		log_error("%llu MiB left: acquisition stops until there is room", left);
	else
		log_error("the journal cannot be written: acquisition stops until it can");
}

/* A recovered write failure is recorded: it may announce a failing disk. */
static void record_rescues(struct disk_watch *disk)
{
	int error;
	unsigned rescues = journal_rescues(disk->journal, &error);
	if (rescues == disk->rescues)
		return;
	disk->rescues = rescues;
	struct buffer after = {0};
	struct map map;
	map_open(&map, &after);
	map_text(&map, "error", strerror(-error));
	map_text(&map, "action", "written again to a new file");
	map_uint(&map, "times", rescues);
	map_close(&map);
	audit_put(disk->audit, "journal-rescued", NULL, NULL, &after, NULL);
	buffer_finish(&after);
}

bool disk_look(struct disk_watch *disk)
{
	struct disk_limits limits = disk_limits(disk->reserve, disk->segment_size);
	struct commit_status status;
	record_rescues(disk);
	if (journal_free(disk->journal, &disk->free) < 0)
		return false; /* the commit thread reports it */
	commit_status(disk->commit, &status);
	enum disk_level level = disk_judge(disk->level, &limits, disk->free, status.error);
	if (level == disk->level)
		return false;
	disk->level = level;
	log_level(disk);
	write_audit(disk);
	return true;
}

int disk_check(const struct disk_watch *disk, uint64_t expected, char *text, size_t size)
{
	struct disk_limits limits = disk_limits(disk->reserve, disk->segment_size);
	uint64_t left;
	if (disk->level == DISK_FAILED) {
		snprintf(text, size, "the journal cannot be written: check its disk");
		return -EIO;
	}
	if (journal_free(disk->journal, &left) < 0)
		return 0;
	if (lacks_files(disk)) {
		snprintf(text, size, NO_FILES ": remove files of others, or use another disk");
		return -ENOSPC;
	}
	if (disk->level != DISK_OK || left < limits.low) {
		snprintf(text, size,
			"the disk is nearly full (%llu MiB left, %llu MiB are the reserve): make "
			"room, or add space",
			MIB(left), MIB(limits.low));
		return -ENOSPC;
	}
	if (left - limits.full >= expected)
		return 0;
	snprintf(text, size,
		"the run would not fit the disk: one of this instrument took %llu MiB, %llu MiB "
		"are left: make room, or add space",
		MIB(expected), MIB(left));
	return -ENOSPC;
}

const char *disk_notice(const struct disk_watch *disk)
{
	if (disk->level == DISK_FAILED)
		return "the journal cannot be written: no run is started";
	if (lacks_files(disk))
		return "no file can be created: no run is started";
	return disk->level == DISK_OK ? NULL : "the disk is nearly full: no run is started";
}

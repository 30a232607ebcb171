/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOG_TOPIC "disk"
#include "base/log.h"
#include "core/commit/audit.h"
#include "core/commit/commit.h"
#include "core/keep/disk.h"
#include "core/instrument/instrument.h"
#include "journal/journal.h"
#include "record/encode.h"

#define MIB(bytes) ((unsigned long long)((bytes) >> 20))

struct disk_limits disk_limits(uint64_t reserve, uint64_t segment_size)
{
	uint64_t half = reserve / 2, two = 2 * segment_size;
	return (struct disk_limits){.low = reserve, .full = half < two ? half : two};
}

/* What must be free to be above a limit again. */
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

static struct disk_limits limits_of(const struct core *core)
{
	return disk_limits(core->config->reserve, core->config->segment_size);
}

static void write_audit(struct core *core)
{
	enum disk_level level = core->disk.level;
	struct buffer after = {0};
	struct map map;
	map_open(&map, &after);
	map_uint(&map, "free", core->disk.free);
	map_uint(&map, "reserve", core->config->reserve);
	map_close(&map);
	audit(&core->audit,
		level == DISK_OK     ? "disk-ok"
		: level == DISK_LOW  ? "disk-low"
		: level == DISK_FULL ? "disk-full"
				     : "disk-failed",
		NULL, NULL, &after, NULL);
	buffer_finish(&after);
}

static void say(const struct core *core)
{
	unsigned long long left = MIB(core->disk.free);
	if (core->disk.level == DISK_OK)
		log_info("there is room again: %llu MiB", left);
	else if (core->disk.level == DISK_LOW)
		log_warn("%llu MiB left, %llu are the reserve: no run is started", left,
			MIB(core->config->reserve));
	else if (core->disk.level == DISK_FULL)
		log_error("%llu MiB left: acquisition stops until there is room", left);
	else
		log_error("it does not take what is written: acquisition stops until it does");
}

/* Instruments that do nothing say why, or begin again what they do by themselves. */
static void wake_instruments(struct core *core)
{
	struct instrument *instrument;
	list_for_each(instrument, &core->instruments, link)
	{
		if (instrument->state != DEVICE_STATE_IDLE || instrument->run != NULL)
			continue;
		if (!instrument->repeating)
			instrument_rest(instrument);
		else if (core->disk.level != DISK_OK)
			instrument_stop(instrument, false, NULL); /* its end lets it rest */
	}
}

static void stop_runs(struct core *core)
{
	struct instrument *instrument;
	const char *why = core->disk.level == DISK_FULL ? "the disk is full"
							: "the journal cannot be written";
	list_for_each(instrument, &core->instruments, link) instrument_stop_for(instrument, why);
}

/* What the journal could not write counts, whatever the file system says is free. */
static int commit_error(struct core *core)
{
	struct commit_status status;
	commit_status(core->commit, &status);
	return status.error;
}

/* One failure is got over, and yet the first sign of a dying disk. */
static void note_rescues(struct core *core)
{
	int error;
	unsigned rescues = journal_rescues(core->journal, &error);
	if (rescues == core->disk.rescues)
		return;
	core->disk.rescues = rescues;
	struct buffer after = {0};
	struct map map;
	map_open(&map, &after);
	map_text(&map, "error", strerror(-error));
	map_text(&map, "action", "written again to a new file");
	map_uint(&map, "times", rescues);
	map_close(&map);
	audit(&core->audit, "journal-rescued", NULL, NULL, &after, NULL);
	buffer_finish(&after);
}

void disk_look(struct core *core)
{
	struct disk_limits limits = limits_of(core);
	note_rescues(core);
	if (journal_free(core->journal, &core->disk.free) < 0)
		return; /* the journal itself will say so */
	enum disk_level before = core->disk.level;
	enum disk_level level = disk_judge(before, &limits, core->disk.free, commit_error(core));
	if (level == before)
		return;
	core->disk.level = level;
	say(core);
	write_audit(core);
	if (level >= DISK_FULL)
		stop_runs(core);
	wake_instruments(core);
}

int disk_check(struct core *core, uint64_t expected, char *text, size_t size)
{
	struct disk_limits limits = limits_of(core);
	uint64_t left;
	if (core->disk.level == DISK_FAILED) {
		snprintf(text, size, "the journal cannot be written: look at its disk");
		return -EIO;
	}
	if (journal_free(core->journal, &left) < 0)
		return 0;
	if (core->disk.level != DISK_OK || left < limits.low) {
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

const char *disk_notice(const struct core *core)
{
	if (core->disk.level == DISK_FAILED)
		return "the journal cannot be written: no run is started";
	return core->disk.level == DISK_OK ? NULL : "the disk is nearly full: no run is started";
}

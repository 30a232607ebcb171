/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The free space of the journal's disk, and whether it can be written.  The roof looks once a
 * second; it stops new runs first, then acquisition, and starts both again when there is space.
 * Nothing is removed to make space.
 *
 *	ok	more than `reserve` is free
 *	low	less: no run starts, open ones continue
 *	full	little or no space for open runs: they are stopped
 *	failed	a write or sync failed twice and still fails: open runs are stopped
 *
 * A level is left when the free space exceeds its limit by 12.5 %, so that it does not alternate.
 * Every change of level is one log line and one audit record.  Main thread.
 */
#ifndef ASSAY_CORE_KEEP_DISK_H
#define ASSAY_CORE_KEEP_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_trail;
struct commit;
struct journal;

enum disk_level { DISK_OK, DISK_LOW, DISK_FULL, DISK_FAILED };

struct disk_watch {
	struct journal *journal; /* borrowed, like the next two */
	struct commit *commit;
	struct audit_trail *audit;
	uint64_t reserve, segment_size; /* of the configuration */
	enum disk_level level;
	uint64_t free;    /* bytes, at the last look */
	unsigned rescues; /* of the journal, that were recorded */
};

/* Free bytes below which no run starts, and below which open runs are stopped. */
struct disk_limits {
	uint64_t low, full;
};

/* `reserve`, and the smaller of half of it and two files of the journal. */
struct disk_limits disk_limits(uint64_t reserve, uint64_t segment_size);

/* The level that follows `before`; `error` is why the journal cannot commit, 0: it can. */
enum disk_level disk_judge(
	enum disk_level before, const struct disk_limits *limits, uint64_t free, int error);

/* "ok", "low", "full", "failed". */
const char *disk_level_name(enum disk_level level);

/* Looks at the disk; true: the level changed. */
bool disk_look(struct disk_watch *disk);

/*
 * May a run start that takes about `expected` bytes (0: not known)?  0, or -ENOSPC or -EIO with
 * reason and remedy in `text`.
 */
int disk_check(const struct disk_watch *disk, uint64_t expected, char *text, size_t size);

/* The reason why no run starts, for people; NULL: runs may start. */
const char *disk_notice(const struct disk_watch *disk);

#endif

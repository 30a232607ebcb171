/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's disk, looked at once a second: its room, and whether it takes what is written. When
 *it runs short new runs stop first, then acquisition; both go on by themselves when there is room
 *again.  Nothing is removed for it.
 *
 *	ok	more than `reserve` is free
 *	low	less: no run begins, open ones go on
 *	full	hardly room for what is under way, or none: open runs are ended as stopped
 *	failed	a write or sync failed twice, and does still: the same
 *
 * The way back takes an eighth more than was missed, so that a disk at the limit does not flutter.
 * Every change of level is one log line and one audit record.  Main thread.
 */
#ifndef ASSAY_CORE_KEEP_DISK_H
#define ASSAY_CORE_KEEP_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;

enum disk_level { DISK_OK, DISK_LOW, DISK_FULL, DISK_FAILED };

/* Zero is a disk with room. */
struct disk {
	enum disk_level level;
	uint64_t free;    /* bytes, when it was last looked at */
	unsigned rescues; /* of the journal, that were told */
};

/* Bytes below which no run begins, and below which those that are open are ended. */
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

/* To be called once a second: notices a change and does what it asks for. */
void disk_look(struct core *core);

/*
 * May a run begin that takes about `expected` bytes (0: not known)?  0, or -ENOSPC or
 * -EIO with why and what to do in `text`.
 */
int disk_check(struct core *core, uint64_t expected, char *text, size_t size);

/* What an instrument that begins no run says of itself; NULL while runs may begin. */
const char *disk_notice(const struct core *core);

#endif

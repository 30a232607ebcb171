/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk in memory that crashes as badly as POSIX allows.  Of unsynced data, a power cut
 * keeps any 512-byte sectors, tears some, leaves the file at any length, and keeps or loses each
 * change of a folder.  After a failed sync the pages count as clean and their data is lost at
 * the next power cut, as on Linux.  All choices come from the seed.
 *
 * The disk may be used by several threads; the functions below belong to the test.
 */
#ifndef ASSAY_TESTS_JOURNAL_DISK_H
#define ASSAY_TESTS_JOURNAL_DISK_H

#include <stdbool.h>

#include "journal/io.h"

enum disk_call {
	DISK_CREATE = 1 << 0, /* openat that makes or empties a file */
	DISK_MKDIR = 1 << 1,
	DISK_RENAME = 1 << 2,
	DISK_UNLINK = 1 << 3,
	DISK_WRITE = 1 << 4,
	DISK_TRUNCATE = 1 << 5,
	DISK_SYNC = 1 << 6,
	DISK_SYNC_DIR = 1 << 7,
	DISK_READ = 1 << 8, /* not one of the changing calls that are counted */
	DISK_CHANGES = DISK_READ - 1,
};

struct disk;

struct disk *disk_create(uint32_t seed);
void disk_destroy(struct disk *disk);

/* The table of operations, borrowed until disk_destroy. */
const struct io *disk_io(struct disk *disk);

/* A number below `bound` from the disk's own dice. */
uint32_t disk_random(struct disk *disk, uint32_t bound);

/* --- faults */

/* How many changing calls there have been. */
uint64_t disk_calls(const struct disk *disk);

/* How many other calls (listing a folder is one), and how many bytes they read. */
uint64_t disk_reads(const struct disk *disk, uint64_t *bytes);

/* From the `nth` call of these kinds from now (1: the next), `count` of them fail with `error`. */
void disk_fail(struct disk *disk, unsigned calls, uint64_t nth, uint64_t count, int error);

/* The `nth` changing call from now writes but a part, if it is a write. */
void disk_shorten(struct disk *disk, uint64_t nth);

/* The place of its folders from now on; before, all is 0. */
void disk_identify(struct disk *disk, const struct io_identity *identity);

/* These calls do nothing and report success; 0: none of them any more. */
void disk_lie(struct disk *disk, unsigned calls);

/* From the `nth` changing call from now on every call fails: the process is as good as dead. */
void disk_stop_at(struct disk *disk, uint64_t nth);
bool disk_is_stopped(const struct disk *disk);

/* Writes end early at random, and never write more than this; 0: no limit. */
void disk_shorten_writes(struct disk *disk, size_t max);

/* Room for that many bytes in all files; UINT64_MAX: no end. */
void disk_set_capacity(struct disk *disk, uint64_t bytes);

/* Syncs block until disk_release. */
void disk_stall(struct disk *disk);
void disk_release(struct disk *disk);

/* True once a sync is blocked; false when none was within `ms`. */
bool disk_wait_stalled(struct disk *disk, int ms);

/* --- ends.  Descriptors and locks of the process are gone; faults are cleared. */

/* The process died: its writes are in the cache. */
void disk_kill(struct disk *disk);

/* The power was cut, and the machine starts again. */
void disk_crash(struct disk *disk);

/* The machine was shut down in order: all is on the disk, and it starts again. */
void disk_reboot(struct disk *disk);

/* --- looking and meddling, past the cache.  `path` begins with '/'. */

bool disk_exists(struct disk *disk, const char *path);

/* The bytes (owned) and length of a file; NULL when it is not there. */
uint8_t *disk_read(struct disk *disk, const char *path, size_t *len);

/*
 * Does a file in this folder hold these bytes, so that a reader finds them; `durably`: so that
 * they survive a power cut?  Fast for the last writes.
 */
bool disk_holds(struct disk *disk, const char *folder, const void *data, size_t len, bool durably);

/* Makes or replaces a file in an existing folder. */
void disk_write(struct disk *disk, const char *path, const void *data, size_t len);

void disk_remove(struct disk *disk, const char *path);

/* Flips a bit. */
void disk_damage(struct disk *disk, const char *path, uint64_t offset);

/* Calls `each` for the names in a folder. */
void disk_list(
	struct disk *disk, const char *path, int (*each)(void *arg, const char *name), void *arg);

#endif

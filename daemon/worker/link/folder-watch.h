/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which data sets of a folder are complete and not taken yet.
 *
 * A data set is a file, or a folder with all its files, whose name fits a pattern.  It is complete when
 * two polls have seen the same names, sizes and times for the settle time, its bytes were hashed, and
 * after another settle time all is still the same.  A reader gets only bytes that have the hash, chunk by
 * chunk: an instrument's program may give a file its size first and its content later.
 *
 * A data set whose path and content were taken before does not come again.  One process, one thread;
 * the time is that of the caller, so that tests need not wait.
 */
#ifndef ASSAY_WORKER_LINK_FOLDER_WATCH_H
#define ASSAY_WORKER_LINK_FOLDER_WATCH_H

#include "worker/link/folder-reader.h"
#include "worker/link/folder-taken.h"

#define FOLDER_SETS_MAX 200000

struct folder_rules {
	const char *pattern; /* of names, with * and ?, several with blanks between; any case */
	bool takes_folders;  /* a data set is a folder */
	bool is_deep;        /* folders in the folder are searched, too */
	uint64_t settle;     /* ns */
};

enum folder_state {
	FOLDER_CHANGING, /* or not seen for long enough */
	FOLDER_HASHED,
	FOLDER_TAKEN,
};

struct folder_set {
	char *path;
	bool is_folder;
	bool is_seen;    /* by the present poll */
	bool is_hashing; /* its files are watch->files */
	enum folder_state state;
	unsigned files, polls; /* polls that saw no change */
	unsigned deferred;     /* how often, with this content */
	uint64_t size;
	int64_t modified;
	uint64_t look;  /* a sum of all names, sizes and times */
	uint64_t since; /* when it came, changed, or was hashed */
	int error;      /* of the last attempt to read it */
	uint8_t digest[SHA256_BYTES], key[WIRE_TAKEN_BYTES];
	struct folder_chunks chunks; /* while it is FOLDER_HASHED */
};

/* The bytes of one file on their way into its digest, and into that of a chunk. */
struct folder_pass {
	size_t file;
	int fd; /* -1: no file is open */
	uint64_t at;
	struct sha256_sum sum, chunk_sum;
};

struct folder_watch {
	const struct folder_tree *tree;
	struct folder_rules rules;
	struct folder_taken taken; /* filled by the caller before the first poll */
	struct folder_set *sets;   /* by path, except those that a poll adds, until its end */
	size_t sorted, count, size;
	size_t chunk;              /* bytes, FOLDER_CHUNK */
	struct folder_files files; /* the set that is hashed, */
	struct folder_chunks chunks;
	struct folder_pass pass;
};

void folder_watch_init(struct folder_watch *watch, const struct folder_tree *tree,
	const struct folder_rules *rules);
void folder_watch_finish(struct folder_watch *watch);

/* Looks at all names.  0, or a negative errno of the folder: nothing is known to have changed then. */
int folder_watch_poll(struct folder_watch *watch, uint64_t now);

/* Hashes a piece of a data set that has settled.  True if there is more to do. */
bool folder_watch_work(struct folder_watch *watch, uint64_t now);

/* The set at this path, valid until the next poll; NULL: there is none. */
struct folder_set *folder_watch_find(struct folder_watch *watch, const char *path);

/* The complete data set that was changed first; NULL: there is none. */
struct folder_set *folder_watch_next(struct folder_watch *watch, uint64_t now);

/* How many data sets could not be read; *first is one of them. */
size_t folder_watch_unreadable(const struct folder_watch *watch, const struct folder_set **first);

/* --- one data set ----------------------------------------------------------------------------- */

/*
 * Opens a complete set for reading: 0; -EAGAIN: it is not the one that was hashed; or another negative
 * errno.  folder_reader_close() after it in each case.
 */
int folder_watch_offer(const struct folder_watch *watch, const struct folder_set *set,
	struct folder_reader *reader);

/*
 * The set was taken by this reader.  True if it still looks as it did and all its bytes are those that
 * were hashed; else it is watched again.  folder_watch_keep() follows when it is recorded,
 * folder_watch_defer() if it is not.
 */
bool folder_watch_take(struct folder_watch *watch, struct folder_set *set,
	struct folder_reader *reader, uint64_t now);

/* This content at this path is recorded: it does not come again.  0 or -ENOMEM. */
int folder_watch_keep(
	struct folder_watch *watch, const char *path, const uint8_t key[WIRE_TAKEN_BYTES]);

/*
 * The set cannot be read (`error`, a positive errno): it comes again after the settle time.  Or it is not
 * complete by the rules of its format, or its run did not end complete (0): it comes again, behind all
 * others, after a time that doubles until it changes.
 */
void folder_watch_defer(struct folder_set *set, int error, uint64_t now);

#endif

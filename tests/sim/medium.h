/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of a simulated disk: files and names as a process sees them, and as a power cut would
 * leave them.  Files are numbers; 0 is the root, and the folder of a file is one too.  The caller
 * locks.
 */
#ifndef ASSAY_TESTS_JOURNAL_MEDIUM_H
#define ASSAY_TESTS_JOURNAL_MEDIUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEDIUM_ROOT     0
#define MEDIUM_NONE     (-1)
#define MEDIUM_NAME_MAX 128

struct medium_file {
	bool is_dir;
	int parent;
	uint8_t *data, *stable; /* as read, as it survives; both `room` long */
	uint8_t *dirty;         /* by sector */
	size_t room, size, stable_size;
	size_t held_at; /* where medium_holds() found something last */
};

struct medium_name {
	int dir, file;
	char text[MEDIUM_NAME_MAX];
};

struct medium_names {
	struct medium_name *list;
	size_t count, size;
};

struct medium_change;

struct medium {
	uint32_t dice;
	struct medium_file **files;
	int file_count, file_size;
	struct medium_names names, stable_names;
	struct medium_change *changes; /* of folders, not durable yet */
	size_t change_count, change_size;
};

/* Makes a medium with an empty root; all choices come from the seed. */
void medium_init(struct medium *medium, uint32_t seed);
void medium_finish(struct medium *medium);

/* A number below `bound`. */
uint32_t medium_random(struct medium *medium, uint32_t bound);

/* --- names */

/* The file with this name in a folder, or MEDIUM_NONE. */
int medium_find(const struct medium *medium, int dir, const char *text);

/*
 * The file at an absolute path, or MEDIUM_NONE; with `last` its folder, and `*last` (borrowed from
 * `path`) is the final name.
 */
int medium_walk(const struct medium *medium, const char *path, const char **last);

/* Gives a name to a file, or takes it away with MEDIUM_NONE; lost or kept until medium_sync_dir. */
void medium_name(struct medium *medium, int dir, const char *text, int file);

/* Moves a name, in one change. */
void medium_rename(struct medium *medium, int from, const char *text, int to, const char *new_text);

/* As medium_name, past the cache. */
void medium_set(struct medium *medium, int dir, const char *text, int file);

void medium_sync_dir(struct medium *medium, int dir);

/* --- files */

/* Adds a file without a name; returns its number. */
int medium_add(struct medium *medium, bool is_dir, int parent);

void medium_write(struct medium_file *file, const void *data, size_t len, size_t offset);
void medium_cut(struct medium_file *file, size_t size);
void medium_sync(struct medium_file *file);

/* Unsynced data counts as clean: only the cache has it. */
void medium_forget(struct medium_file *file);

/* Does a file that is named in this folder hold the bytes, now or durably? */
bool medium_holds(const struct medium *medium, int dir, const void *data, size_t len, bool durably);

/* Bytes in all files that have a name. */
uint64_t medium_used(const struct medium *medium);

/* --- ends */

/* Any part of the unsynced data may have got through. */
void medium_crash(struct medium *medium);

/* All of it gets through. */
void medium_settle(struct medium *medium);

#endif

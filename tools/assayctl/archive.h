/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `assayctl archive`: copying files, the manifest, and the texts for people. */
#ifndef ASSAY_ASSAYCTL_ARCHIVE_H
#define ASSAY_ASSAYCTL_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <assay/record.h>

#include "journal/journal.h"
#include "journal/retain.h"

/* "archiving: 2.0 of 8.5 MiB", on a standard error that is a terminal. */
struct progress {
	const char *title;
	uint64_t done, all; /* bytes */
	uint64_t shown_at;  /* CLOCK_BOOTTIME of the last line; 0: none */
	bool is_shown;
};

void progress_start(struct progress *progress, const char *title, uint64_t all);
void progress_add(struct progress *progress, uint64_t bytes);
void progress_stop(struct progress *progress); /* clears the line */

/* --- archive-copy.c -------------------------------------------------------------------------- */

enum copy_result { COPY_MADE, COPY_WAS_THERE };

/*
 * Copies `path` below the folder `from` to the same path below `to`, whose folders exist.  The copy
 * has a temporary name until it is synced and read back, so that a file with its own name is
 * whole.  Returns a copy_result with the file's SHA-256; -EEXIST: another file has the name, and
 * stays; -EIO: the copy differs when read back; -EXDEV: it is the journal's own file; other errnos.
 */
int copy_file(int from, int to, const char *path, uint8_t sha256[ASSAY_SHA256_SIZE],
	struct progress *progress);

/* SHA-256 of a file; 0 or a negative errno. */
int copy_hash(int dir, const char *path, uint8_t sha256[ASSAY_SHA256_SIZE]);

/* --- archive-manifest.c ---------------------------------------------------------------------- */

/* The files of an archive and their digests, as sha256sum(1) writes and checks them. */
struct manifest_line {
	char path[JOURNAL_SEGMENT_PATH];
	uint8_t sha256[ASSAY_SHA256_SIZE];
};

struct manifest {
	struct manifest_line *lines;
	size_t count;
};

void manifest_finish(struct manifest *manifest);

/* Reads MANIFEST in `dir`; if there is none, it is empty.  -EBADMSG: a line of another form. */
int manifest_read(struct manifest *manifest, int dir);

/* Takes lines from memory.  0, -EBADMSG or -ENOMEM. */
int manifest_parse(struct manifest *manifest, const char *text, size_t len);

/* NULL: the file is not in it. */
struct manifest_line *manifest_find(const struct manifest *manifest, const char *path);

/* Adds a file, or replaces its digest.  0 or -ENOMEM. */
int manifest_set(struct manifest *manifest, const char *path, const uint8_t *sha256);

/* Writes it, sorted by path, in place of the old one, durably. */
int manifest_write(struct manifest *manifest, int dir);

/* --- archive-text.c -------------------------------------------------------------------------- */

struct archive_summary {
	size_t runs, audits;
	size_t holes; /* ranges of entries that are not in the archive, or damaged */
};

/*
 * Reads the whole archive in the folder `path` (open as `dir`) and replaces runs.csv and audit.txt.
 * Prints which entries are missing.  0 or a negative errno.
 */
int archive_write_texts(const char *path, int dir, struct archive_summary *summary);

#define ARCHIVE_RUNS     "runs.csv"
#define ARCHIVE_AUDIT    "audit.txt"
#define ARCHIVE_README   "README.txt"
#define ARCHIVE_MANIFEST "MANIFEST"

#endif

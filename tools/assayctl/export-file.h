/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of `assayctl export`, which is complete or absent.  Until it is complete the data are in
 * FILE.part, and FILE.part.at has the length up to which they are on the disk, so that the same
 * command can continue them.  A piece is one entry of a run in the file's format.
 */
#ifndef ASSAY_ASSAYCTL_EXPORT_FILE_H
#define ASSAY_ASSAYCTL_EXPORT_FILE_H

#include "export.h"

struct export_file {
	char path[4096], part[4104], state[4112];
	char selection[400]; /* format and runs: a file of another selection is started again */
	int fd;
	uint64_t offset, saved_at;
	char run[sizeof((struct export_run *)0)->number]; /* being written, "" before the first */
	uint64_t entries;                                 /* of it that are in the file */
	bool is_resumed;
};

/* Opens or continues the file.  0, or 1 after a message. */
int export_file_open(struct export_file *file, const char *path, const char *selection);

/* Appends a piece, with which `entries` of `run` are in the file.  0 or a negative errno. */
int export_file_append(
	struct export_file *file, const char *run, uint64_t entries, const struct buffer *piece);

/* Syncs the data, then writes FILE.part.at. */
int export_file_save(struct export_file *file);

/* The file is complete: gives it its name.  0 or a negative errno. */
int export_file_finish(struct export_file *file);

/* Closes it; an incomplete one stays for the next time. */
void export_file_close(struct export_file *file);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of `assayctl export`, which is complete or absent.  Until it is complete the data are in
 * FILE.part, which is locked, and FILE.part.at has the length up to which they are on the disk, so
 * that the same command can continue them.  Tables with other columns, runs or frames go to further
 * files, with "-2" before the extension.  A piece is one entry of a run in the file's format.
 */
#ifndef ASSAY_ASSAYCTL_EXPORT_FILE_H
#define ASSAY_ASSAYCTL_EXPORT_FILE_H

#include "export.h"

#define EXPORT_PATH 4160

struct export_file {
	char path[4096];
	char selection[400]; /* format and runs: a file of another selection is started again */
	struct export_output {
		int fd; /* -1: it is closed, its data are on the disk */
		uint64_t offset;
	} outputs[EXPORT_FILES_MAX];
	size_t count; /* of outputs */
	uint64_t saved_at;
	char run[sizeof((struct export_run *)0)->number]; /* being written, "" before the first */
	uint64_t entries;                                 /* of it that are in the files */
	uint64_t corrections;                             /* of it when it was begun */
	bool is_resumed;
};

/*
 * Opens or continues the file, whose tables so far go to `tables`.  0, or 1 after a message: it
 * exists, or another export writes it.
 */
int export_file_open(struct export_file *file, const char *path, const char *selection,
	struct export_tables *tables);

/* Empties the files of an earlier attempt. 0 or a negative errno. */
int export_file_restart(struct export_file *file, struct export_tables *tables);

/* Appends the piece e->to, with which `entries` of e->run are in the file.  0 or a negative errno. */
int export_file_append(struct export_file *file, uint64_t entries, const struct export *e);

/* Syncs the data, then writes FILE.part.at. */
int export_file_save(struct export_file *file, const struct export_tables *tables);

/* The files are complete: gives them their names.  0 or a negative errno. */
int export_file_finish(struct export_file *file);

/* Closes them; incomplete ones stay for the next time, empty ones do not. */
void export_file_close(struct export_file *file);

/* The name of file `i`, with `suffix` behind it. */
void export_file_name(
	const struct export_file *file, size_t i, const char *suffix, char to[EXPORT_PATH]);

#endif

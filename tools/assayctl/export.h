/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of `assayctl export` share.  Runs are written whole, one after the other, each
 * entry of a run as one piece, so that a partial file can be cut after a piece and continued.
 */
#ifndef ASSAY_ASSAYCTL_EXPORT_H
#define ASSAY_ASSAYCTL_EXPORT_H

#include "requester.h"
#include "base/buffer.h"
#include "command.h"

#define EXPORT_NUMBER_SIZE 128

/* One run, as the daemon lists it. */
struct export_run {
	char number[EXPORT_NUMBER_SIZE], status[32]; /* status "": it is open */
	uint64_t start, first, last, frames;         /* last 0: open */
	bool sim;
};

/* The file under construction: FILE.part, and FILE.part.at, which says how far it is good. */
struct export_file {
	char path[4096], part[4104], state[4112];
	char selection[400]; /* format and what is exported: another one begins anew */
	int fd;
	uint64_t offset, saved_at;
	char run[EXPORT_NUMBER_SIZE]; /* being written, "" before the first */
	uint64_t entries;             /* of it that are in the file */
	bool is_resumed;
};

/* Opens or continues the file.  0, or 1 after a message. */
int export_open(struct export_file *file, const char *path, const char *selection);

/* Appends a piece with which `entries` of `run` are there.  0 or a negative errno. */
int export_append(
	struct export_file *file, const char *run, uint64_t entries, const struct buffer *piece);

/* On the disk, and known to be good up to here. */
int export_save(struct export_file *file);

/* It is complete: takes its name.  0 or a negative errno. */
int export_finish(struct export_file *file);

/* Closes it; what is not finished stays for the next time. */
void export_close(struct export_file *file);

/* A run in one format: pieces are appended to `to`, whose failure is the only error. */
struct export_table {
	struct buffer header; /* of the columns that are in force */
	uint64_t next;        /* frame */
	uint64_t amends;      /* that were told in the heading and come again after the end */
	bool has_end;
};

void export_csv_begin(struct export_table *table, struct buffer *to, const struct export_run *run);
void export_csv_entry(struct export_table *table, struct buffer *to, const char *number,
	const struct assay_entry_view *entry);
void export_csv_lost(struct buffer *to, uint64_t first, uint64_t last);

/*
 * The runs that began in [since, until), oldest first, of one instrument or all.  Returns owned
 * through `runs`; 0, or 1 after a message.
 */
int export_find(struct requester *requester, uint64_t since, uint64_t until, const char *instrument,
	struct export_run **runs, size_t *count);

/* Fills in the rest of the run of this number.  0, or 1 after a message. */
int export_show(const struct options *options, const char *number, struct export_run *run);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file <journal>/runs/<id>, a cache of the runs in a journal: a sequence of notes in order of
 * seq, each a CBOR map (a row, {amend, seq} or {upto}) behind its CRC32C with the journal's id.  It
 * is not synced, so a power cut may leave anything in it.  Without it the journal is read whole.
 *
 * Thread: one at a time.
 */
#ifndef ASSAY_CORE_RUNS_INDEX_FILE_H
#define ASSAY_CORE_RUNS_INDEX_FILE_H

#include "core/runs/rows.h"
#include "journal/journal.h"

/* One map of the file. */
struct index_note {
	struct runs_row row; /* first 0: it is none */
	uint8_t amend[16];   /* the run */
	uint64_t amend_seq;  /* 0: it is none */
	uint64_t upto;       /* 0: it is none */
};

struct index_file {
	int fd;         /* -1: it cannot be written */
	uint32_t seed;  /* of checksums */
	uint64_t reach; /* everything up to this seq is in the file */
};

/*
 * Opens or creates the file of journal `id` below the path `journal` and passes its notes up to seq
 * `head` to `take`; from the first that is torn, beyond `head` or not taken (negative) on, it is
 * cut off.  0 or a negative errno.
 */
int index_file_open(struct index_file *file, const char *journal, const uint8_t id[JOURNAL_ID_SIZE],
	uint64_t head, int (*take)(void *arg, const struct index_note *note), void *arg);
void index_file_close(struct index_file *file);

/* Append a note; if that fails the file is closed, after a logged warning. */
void index_file_put_row(struct index_file *file, const struct runs_row *row);
void index_file_put_amend(struct index_file *file, const uint8_t run[16], uint64_t seq);
void index_file_put_reach(struct index_file *file, uint64_t head);

#endif

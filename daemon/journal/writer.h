/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal in use, for the files of this room: its folders, the queue of entries that are not
 * durable yet, the segment they go into, and the tables that describe it.  writer.c has the
 * writing calls of journal.h.
 */
#ifndef ASSAY_JOURNAL_WRITER_H
#define ASSAY_JOURNAL_WRITER_H

#include <stdatomic.h>

#include "journal/index.h"

struct journal {
	const struct io *io;
	int base, journals, quarantine, lock; /* -1: not open */
	int known;                            /* the second folder; -1: none */
	int dir;                              /* the journal's folder; -1: none */
	struct segment_header template;       /* journal, boot and sync mode of every segment */
	uint64_t segment_size, segment_age;

	struct topics topics;
	struct segment segment;
	struct index index; /* of `segment` */
	bool is_marked;     /* a marker covers the last group */
	bool has_failed;    /* the queue must go into a new file */

	struct journal_item *queue; /* not durable; bytes are borrowed */
	uint32_t *queue_topics;
	size_t queue_count, queue_size;
	size_t written; /* of the queue, into `segment` */

	/* For any thread; the rest belongs to the thread that writes. */
	_Atomic uint64_t head, durable;
	_Atomic unsigned rescues; /* see journal_rescues */
	_Atomic int rescue_error;
	int error;                /* the reason for has_failed */
	uint64_t noted, noted_tc; /* the seq in the file `durable`, and when it was written */
};

/* Frees the queue and the tables, closes the segment; the folders stay open. */
void writer_finish(struct journal *journal);

/* Starts writing after `head` of journal `id`, whose folder is journal->dir. */
void writer_start(struct journal *journal, const uint8_t id[JOURNAL_ID_SIZE], uint64_t head);

/*
 * Writes entries of an earlier file, which may exist only in its cached pages, into a new file and
 * makes them durable.  The queue must be empty and items[0].seq the seq after `durable`.
 */
int writer_rewrite(struct journal *journal, const struct journal_item *items, size_t count);

/* Syncs, marks the end as clean, writes the index and closes the segment. */
int writer_close(struct journal *journal);

#endif

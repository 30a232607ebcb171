/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writing end of one journal: the queue of entries that are not durable yet, the segment they
 * go into, and the tables that describe it.  One thread, but for `durable` and `head`.
 */
#ifndef ASSAY_JOURNAL_WRITER_H
#define ASSAY_JOURNAL_WRITER_H

#include <stdatomic.h>

#include "journal/index.h"

struct writer {
	const struct io *io;
	int dir;                        /* the journal's folder; -1: none */
	int base;                       /* the folder of the file `durable`; -1: none is kept */
	struct segment_header template; /* journal, boot and sync mode of every segment */
	uint64_t segment_size, segment_age;

	struct topics topics;
	struct segment segment;
	struct index index; /* of `segment` */
	bool is_marked;     /* a marker covers the last group */
	bool has_failed;    /* what is queued must go into a new file */

	struct journal_item *queue; /* not durable; bytes are borrowed */
	uint32_t *queue_topics;
	size_t queue_count, queue_size;
	size_t written; /* of the queue, into `segment` */

	_Atomic uint64_t head, durable;
	_Atomic unsigned rescues; /* see journal_rescues */
	_Atomic int rescue_error;
	int error;                /* what has_failed was for */
	uint64_t noted, noted_tc; /* what the file `durable` says, and when that was */
};

/* Frees what the writer owns but not `dir`; the queue is lost.  Legal on a zeroed one. */
void writer_finish(struct writer *writer);

/* Sets an empty writer to a journal's folder and end; tables and options are kept. */
void writer_begin(struct writer *writer, int dir, const uint8_t id[JOURNAL_ID_SIZE], uint64_t head);

/* As journal_append, journal_sync, journal_idle and journal_roll. */
int writer_append(struct writer *writer, const struct journal_item *items, size_t count);
int writer_sync(struct writer *writer);
int writer_idle(struct writer *writer, uint64_t now);
int writer_roll(struct writer *writer);

/*
 * Puts entries that lie in an earlier file, but perhaps only in its cached pages, into a new file
 * and makes them durable.  The queue must be empty and items[0].seq the seq after `durable`.
 */
int writer_rewrite(struct writer *writer, const struct journal_item *items, size_t count);

/* Syncs, marks the end as clean, writes the index and closes the segment. */
int writer_close(struct writer *writer);

#endif

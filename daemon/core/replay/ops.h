/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of the replay socket: one request, one CBOR map, becomes one reply, a CBOR map and
 * the entries after it.  They are declared in the tables at the end of replay/ops-*.c, one file per
 * family; replay/ops.c lists the families.
 *
 * Threads: the replay thread's.
 */
#ifndef ASSAY_CORE_REPLAY_OPS_H
#define ASSAY_CORE_REPLAY_OPS_H

#include "core/replay/readers.h"
#include "core/router/call.h"

struct access;
struct cursors;
struct lease_peer;
struct leases;
struct published;
struct runs;

#define REPLAY_RUNS_MAX 1000 /* rows of a `find` */

/* The objects that the operations read; borrowed. */
struct replay_sources {
	const char *node;
	struct access *access; /* NULL: local peers only */
	struct published *published;
	struct runs *runs;
	struct cursors *cursors;
	struct leases *leases;
	struct reader_cache *readers;
};

struct replay_answer {
	struct buffer head; /* the map; empty before, buffer_finish() after */
	struct page *page;  /* the entries, owned; NULL: none */
	bool has_cursor;    /* a cursor moved: to be sent once cursors_flush() returned 0 */
};

/* Answers one request of any bytes from `peer`.  Waits for nothing except reading files. */
void replay_handle(const struct replay_sources *sources, const struct lease_peer *peer,
	const uint8_t *data, size_t len, struct replay_answer *answer);

/* Makes the answer an error of this code, a word for programs, and text for people. */
void replay_refuse(struct replay_answer *answer, const char *code, const char *text);

/* --- for the families --- */

/* The object of the operations, call->on. */
struct replay_call {
	const struct replay_sources *sources;
	const struct lease_peer *peer;
	struct replay_answer *answer;
	struct replay_range range; /* the entries read so far */
};

extern const struct op replay_cursor_ops[], replay_journal_ops[];

#endif

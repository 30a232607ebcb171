/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operations of the replay socket: one request, one CBOR map, becomes one reply, a CBOR map and
 * the entries that follow it.  They are declared once, in the table of replay-ops.c.
 *
 * Thread: the replay thread's.
 */
#ifndef ASSAY_CORE_REPLAY_OPS_H
#define ASSAY_CORE_REPLAY_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "core/replay/page.h"

struct cursors;
struct published;
struct runs;
struct shelf;

#define REPLAY_REQUEST_MAX (64u << 10) /* bytes */
#define REPLAY_RUNS_MAX    1000        /* rows of a `find` */

/* What the operations work on; borrowed. */
struct replay_desk {
	const char *node;
	struct published *published;
	struct runs *runs;
	struct cursors *cursors;
	struct shelf *shelf;
};

struct replay_answer {
	struct buffer head; /* the map; empty before, buffer_finish() after */
	struct page *page;  /* the entries, owned; NULL: none */
	bool has_cursor;    /* a cursor moved: the answer holds once cursors_flush() returned 0 */
};

/* Answers one request, whatever its bytes are.  Waits for nothing but reading files. */
void replay_handle(const struct replay_desk *desk, const uint8_t *data, size_t len,
	struct replay_answer *answer);

/* Makes the answer an error of this code, a word for programs, and text for people. */
void replay_refuse(struct replay_answer *answer, const char *code, const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replay socket: a ROUTER on a thread of its own, so that no consumer that catches up delays
 * the commit thread or the main loop.  Whatever envelope a request comes in goes back with its
 * reply, so REQ and DEALER peers both work.  A peer that does not read is answered `busy` once too
 * much is under way to it, and loses replies beyond that; it costs nobody else anything.
 */
#ifndef ASSAY_CORE_REPLAY_REPLAY_H
#define ASSAY_CORE_REPLAY_REPLAY_H

#include "core/replay/ops.h"

struct replay;

/* Bytes under way to one peer, and to all, above which requests for more are answered `busy`. */
#define REPLAY_PEER_MAX  ((size_t)8 << 20)
#define REPLAY_TOTAL_MAX ((size_t)128 << 20)

/*
 * Binds a ROUTER socket of `context` to `endpoint` and starts the thread.  Copies the desk, borrows
 * what it points to; of the desk the shelf is the thread's own, made below the journal's `path`.
 * Owned through `out`, or a negative errno.
 */
int replay_start(struct replay **out, void *context, const char *endpoint, const char *path,
	const struct replay_desk *desk);

/* Ends the thread within the request that it is at, closes the socket and frees; NULL is legal. */
void replay_stop(struct replay *replay);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replay socket: a ROUTER on a thread of its own, so that consumers that catch up delay neither
 * the commit thread nor the main loop.  A peer that does not read is answered `busy` once too many
 * bytes are under way to it, and loses replies beyond that; other peers lose nothing.
 */
#ifndef ASSAY_CORE_REPLAY_REPLAY_H
#define ASSAY_CORE_REPLAY_REPLAY_H

#include "core/replay/ops.h"

struct replay;

/* Bytes under way to one peer, and to all, above which requests for more are answered `busy`. */
#define REPLAY_PEER_MAX  ((size_t)8 << 20)
#define REPLAY_TOTAL_MAX ((size_t)128 << 20)

/*
 * Binds a ROUTER socket of `context` to `endpoint` and starts the thread.  Copies the sources and
 * the node, borrows the other objects; sources->readers is made here, for the journal's `path`.
 * Owned through `out`, or a negative errno.
 */
int replay_start(struct replay **out, void *context, const char *endpoint, const char *path,
	const struct replay_sources *sources);

/* Ends the thread after its present request, closes the socket and frees; NULL is legal. */
void replay_stop(struct replay *replay);

#endif

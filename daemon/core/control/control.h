/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: a ROUTER that takes one CBOR map with `op` and answers with one CBOR map,
 * {ok: true, ...} or {ok: false, error: {code, text}}.
 *
 * The operations are declared in the tables of control/ops-*.c, one file per family; control/ops.c
 * lists the families.  router/call.h reads requests by these tables.
 *
 * Threads: the main thread's.
 */
#ifndef ASSAY_CORE_CONTROL_CONTROL_H
#define ASSAY_CORE_CONTROL_CONTROL_H

#include "core/commit/audit.h"
#include "core/core.h"
#include "core/router/call.h"

struct control;

/*
 * Binds the socket; endpoint NULL: none, for tests.  The operations work on `core` (call->on).
 * Borrows core and ops.  Owned through `out`, or a negative errno.
 */
int control_open(
	struct control **out, struct core *core, const struct op *const *ops, const char *endpoint);

/* Once a second: makes the file of the socket again if it was removed. */
void control_look(struct control *control);

/* Closes the socket; replies that are still owed are dropped.  NULL is legal. */
void control_close(struct control *control);

/*
 * Handles one request of any bytes.  Calls `reply` once, now or later, with the reply, borrowed for
 * the call; reply->failed: there is none, out of memory.
 */
void control_handle(struct control *control, const struct audit_actor *actor, const uint8_t *data,
	size_t len, void (*reply)(void *arg, const struct buffer *reply), void *arg);

/* --- for operations that reply later --- */

struct control_ticket;

/*
 * Keeps the request under way for a later reply; the operation then returns 0 and adds no pairs.
 * Owned until control_answer() or control_reject(); NULL: refused, too many requests wait.
 */
struct control_ticket *control_keep(struct call *call);

/* The map of the reply, to add pairs to. */
struct map *control_reply(struct control_ticket *ticket);

/* Sends the reply, or a refusal instead of it.  Takes the ticket. */
void control_answer(struct control_ticket *ticket);
/* The same as the `done` of a record, so that the reply is true of what is committed. */
void control_answer_committed(void *ticket, const struct commit_item *item);
void control_reject(struct control_ticket *ticket, const char *code, const char *text);

#endif

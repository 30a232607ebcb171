/* SPDX-License-Identifier: Apache-2.0 */
/* Audit records: what people and the core itself did, with actor and outcome.  Main thread. */
#ifndef ASSAY_CORE_COMMIT_AUDIT_H
#define ASSAY_CORE_COMMIT_AUDIT_H

#include "base/buffer.h"
#include "record/words.h"

struct commit_item;
struct config;
struct ledger;
struct ledger_topic;

#define AUDIT_TEXT_MAX 200 /* bytes of a person's name */

/* Where audit records go; both borrowed. */
struct audit_trail {
	struct ledger *ledger;
	struct ledger_topic *topic;
};

/* The person or program that acts.  The core sets `auth` and `via`, never the client. */
struct audit_actor {
	char id[AUDIT_TEXT_MAX + 1];
	enum auth_way auth;
	char via[80];
};

/*
 * Writes a record.  `actor` NULL: the core itself.  `before` and `after` are one encoded CBOR item
 * each, or NULL; `reason` may be NULL.  A record that cannot be written is an error in the log.
 */
void audit_put(struct audit_trail *trail, const char *event, const struct audit_actor *actor,
	const struct buffer *before, const struct buffer *after, const char *reason);

/*
 * The same, and calls `done` on the main thread once it is committed and published; never if it
 * cannot be written: then a negative errno is returned, after the error was logged.
 */
int audit_then(struct audit_trail *trail, const char *event, const struct audit_actor *actor,
	const struct buffer *before, const struct buffer *after, const char *reason,
	void (*done)(void *arg, const struct commit_item *item), void *arg);

/* The same with a text as `after`. */
void audit_text(struct audit_trail *trail, const char *event, const struct audit_actor *actor,
	const char *text);

/*
 * Writes a configuration as `event`, and each of its methods as `method`; `before` is the one it
 * replaces, NULL at the start.
 */
void audit_config(struct audit_trail *trail, const char *event, const struct config *config,
	const struct config *before);

#endif

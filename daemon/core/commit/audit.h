/* SPDX-License-Identifier: Apache-2.0 */
/* Audit records: what people and the core itself did, with actor and outcome. */
#ifndef ASSAY_CORE_AUDIT_H
#define ASSAY_CORE_AUDIT_H

#include "core/commit/commit.h"
#include "core/core.h"
#include "core/runs/run.h"

/*
 * Writes one.  `actor` NULL: the core itself.  `before` and `after` are one encoded CBOR item
 * each, or NULL; `reason` may be NULL.  A record that cannot be written is an error in the log.
 */
void audit(struct core *core, const char *event, const struct run_actor *actor,
	const struct buffer *before, const struct buffer *after, const char *reason);

/*
 * The same, and calls `done` on the main thread once it is committed and published; never when it
 * cannot be written: then a negative errno is returned, after the error was logged.
 */
int audit_then(struct core *core, const char *event, const struct run_actor *actor,
	const struct buffer *after, void (*done)(void *arg, const struct commit_item *item),
	void *arg);

/* The same with a text as `after`. */
void audit_text(
	struct core *core, const char *event, const struct run_actor *actor, const char *text);

/*
 * Writes the configuration in force, and each of its methods, as `event` and `method`; `before` is
 * the one it replaces, NULL at the start.
 */
void audit_config(struct core *core, const char *event, const struct config *before);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts that survive a restart, in one file that is replaced as a whole: positions in the journal,
 * conditions, and notes that are not delivered.  A position and the notes of the records before it are
 * stored together, so that none is lost and none is made twice.
 */
#ifndef ASSAY_ALERT_STATE_H
#define ASSAY_ALERT_STATE_H

#include "condition.h"
#include "marks.h"
#include "outbox.h"

struct alert_state {
	char lab[80]; /* "SITE/NODE"; "": not known yet */
	struct conditions conditions;
	struct outbox outbox;
	struct marks *marks;
};

/*
 * Reads `folder`/state.json into a state that was initialised.  0, also without a file; a damaged
 * one is an error in the log, is renamed to state.json.damaged, and counts as none.  `now` is
 * CLOCK_BOOTTIME: times go on from there.  Negative errno: the file cannot be read.
 */
int alert_state_load(struct alert_state *state, const char *folder, uint64_t now);

/* The same from bytes: 0, -EINVAL, -ENOMEM.  For fuzzing, too. */
int alert_state_read(struct alert_state *state, const char *text, size_t len, uint64_t now);

/* Replaces the file durably.  0 or a negative errno. */
int alert_state_store(const struct alert_state *state, const char *folder, uint64_t now);

#endif

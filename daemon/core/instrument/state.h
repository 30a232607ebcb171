/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of an instrument: every change is one log line and one `state` record.  While a fault
 * (or connecting) lasts, its text follows what retries find, and that is not told one by one.
 */
#ifndef ASSAY_CORE_STATE_H
#define ASSAY_CORE_STATE_H

#include "record/words.h"
#include "wire/wire.h"

struct instrument;

/* Changes it.  `code` is a word for programs, `text` for people; both may be NULL. */
void state_set(
	struct instrument *instrument, enum device_state state, const char *code, const char *text);

/* Tells the present state once more: another reason for the same state, which people must know. */
void state_tell(struct instrument *instrument, const char *code);

/* Records how far a long measurement is: CBOR map name => quantity. */
void state_progress(struct instrument *instrument, struct assay_span values);

#endif

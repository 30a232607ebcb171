/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of an instrument as people see it: every change is one log line and one `state` record.
 * While a fault (or connecting) lasts, its text follows the retries without a record for each.
 */
#ifndef ASSAY_CORE_INSTRUMENT_STATE_H
#define ASSAY_CORE_INSTRUMENT_STATE_H

#include "record/words.h"
#include "wire/wire.h"

struct instrument;

/*
 * Shows the present state of its machine.  `code` is a word for programs, `text` for people; both
 * may be NULL.
 */
void state_set(struct instrument *instrument, const char *code, const char *text);

/* Reports the present state again: another reason for the same state. */
void state_report(struct instrument *instrument, const char *code);

/* Reports the faults of its link that are in use now, with the present state. */
void state_faults(struct instrument *instrument);

/* Records how far a long measurement is: CBOR map name => quantity. */
void state_progress(struct instrument *instrument, struct assay_span values);

#endif

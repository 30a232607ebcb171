/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of core/instrument/instrument.h, for its own files. */
#ifndef ASSAY_CORE_INSTRUMENT_INSIDE_H
#define ASSAY_CORE_INSTRUMENT_INSIDE_H

#include "core/instrument/instrument.h"

/* An event's circumstances; zero where they do not apply. */
struct cause {
	const char *code, *text; /* of the state, for programs and people; NULL: none */
	bool abort;              /* of a stop */
	enum run_status status;  /* of a run that ends with the event, */
	const char *why;         /* and the reason, for the run-end or the failed request */
	int error;               /* of a request that fails */
	const struct wire_started *started;
};

/*
 * Takes an event through the machine and carries out its actions.  0; -ENOENT if it does not apply in
 * this state; -EBADMSG if the worker may not send it now; -ENOMEM.  `cause` may be NULL.
 */
int instrument_apply(
	struct instrument *instrument, enum machine_event event, const struct cause *cause);

/* Writes or removes the note of its hazard; if that fails, instrument_tick() tries again. */
void instrument_note_hazard(struct instrument *instrument);

#endif

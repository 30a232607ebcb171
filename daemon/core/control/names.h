/* SPDX-License-Identifier: Apache-2.0 */
/* The things that requests name, and names in replies. */
#ifndef ASSAY_CORE_CONTROL_NAMES_H
#define ASSAY_CORE_CONTROL_NAMES_H

#include "core/router/call.h"
#include "core/runs/past-run.h"

struct instrument;

/* A run in a request: the text of its number, or the 16 bytes of its UUID.  Zero: none. */
struct run_name {
	const uint8_t *id; /* borrowed; NULL: by number */
	char number[RUN_NUMBER_MAX + 1];
};

/* The instrument of this key; NULL after a refusal that names the others. */
struct instrument *control_instrument(struct call *call, struct assay_string key);

/* Reads the value of a KEY_OTHER into a struct run_name. */
int control_read_run_name(struct reader *r, const struct key *key, void *to);

/* Reads the run-start of a run.  0, or a refusal.  past_run_finish() in any case. */
int control_past_run(struct call *call, const struct run_name *name, struct past_run *past);

/* A pair, unless the text is NULL or empty. */
void control_add_text(struct map *map, const char *key, const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The things that requests name, and names in replies. */
#ifndef ASSAY_CORE_CONTROL_NAMES_H
#define ASSAY_CORE_CONTROL_NAMES_H

#include "core/router/call.h"
#include "core/runs/past-run.h"
#include "core/runs/run-name.h"

struct instrument;

/* The instrument of this key; NULL after a refusal that names the others. */
struct instrument *control_instrument(struct call *call, struct assay_string key);

/* Reads the run-start of a run.  0, or a refusal.  past_run_finish() in any case. */
int control_past_run(struct call *call, const struct run_name *name, struct past_run *past);

/* A pair, unless the text is NULL or empty. */
void control_add_text(struct map *map, const char *key, const char *text);

#endif

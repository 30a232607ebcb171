/* SPDX-License-Identifier: Apache-2.0 */
/* The argument of a request that names a run. */
#ifndef ASSAY_CORE_RUNS_RUN_NAME_H
#define ASSAY_CORE_RUNS_RUN_NAME_H

#include "core/runs/rows.h"
#include "record/keys.h"

/* The text of the run's number, or the 16 bytes of its UUID. */
struct run_name {
	const uint8_t *id; /* borrowed; NULL: by number */
	char number[RUN_NUMBER_MAX + 1];
};

/* For a KEY_OTHER: reads one into a struct run_name. */
int run_name_read(struct reader *r, const struct key *key, void *to);

/* A search for the run; borrows from the name. */
struct runs_search run_name_search(const struct run_name *name);

#endif

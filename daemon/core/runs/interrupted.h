/* SPDX-License-Identifier: Apache-2.0 */
/* Runs that were open when the core last ended: they are ended as `interrupted`. */
#ifndef ASSAY_CORE_RUNS_INTERRUPTED_H
#define ASSAY_CORE_RUNS_INTERRUPTED_H

#include "core/runs/run.h"

/*
 * Writes the run-end of every open run in the index, with the frames that its journal has of it;
 * that of a run in a former journal goes into the current one.  A failure to read or write is an
 * error in the log; the run then stays open.
 */
void end_interrupted(struct run_store *store);

#endif

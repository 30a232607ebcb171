/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the core: makes all parts in order, runs the event loop, ends them. */
#ifndef ASSAY_CORE_STARTUP_H
#define ASSAY_CORE_STARTUP_H

#include <stdbool.h>

struct core_options;

/*
 * Runs until a signal ends it; *again: it wants to be called again.  Returns the exit status: 0; after
 * a logged error EX_CONFIG if the configuration is wrong or a later version wrote the journal, else 1,
 * also if the journal did not take the last entries.
 */
int startup_run(const struct core_options *options, bool *again);

#endif

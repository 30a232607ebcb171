/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the core: makes all parts in order, runs the event loop, ends them. */
#ifndef ASSAY_CORE_STARTUP_H
#define ASSAY_CORE_STARTUP_H

struct core_options;

/*
 * Runs until a signal ends it.  0, 1 if it wants to be called again, or a negative errno
 * after a logged error, also if the journal did not take the last entries.
 */
int startup_run(const struct core_options *options);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a worker whose driver broke a rule of <assay/driver.h> in a way that leaves nothing
 * to return: asking for a setting that it never declared, for instance.
 */
#ifndef ASSAY_WORKER_FATAL_H
#define ASSAY_WORKER_FATAL_H

#include "worker/core-link.h"

/* Where the last words go; borrowed for the rest of the process.  NULL: only to the log. */
void fatal_init(struct core_link *core);

/* Says why, to the core and to the log, and ends the process with WIRE_EXIT_DRIVER. */
_Noreturn void fatal_driver(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a worker ends by its driver's fault.
 *
 * Ends a worker whose driver broke a rule of <assay/driver.h> so that the service has no value to
 * return: for example, it requested a setting that it does not declare.
 */
#ifndef ASSAY_WORKER_FATAL_H
#define ASSAY_WORKER_FATAL_H

#include "worker/core-link.h"

/* Where the reason is sent; borrowed for the rest of the process.  NULL: only to the log. */
void fatal_init(struct core_link *core);

/* Sends the reason to the core, or logs it, and ends the process with WIRE_EXIT_DRIVER. */
_Noreturn void fatal_driver(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * The driver's thread: a crash from here on is in this slot of the driver (borrowed texts), of this
 * unit; `slot` NULL: in none.
 */
void fatal_enter(unsigned unit, const char *driver, const char *slot);

/* For a log line: the driver and slot that run, or the worker's own name.  A signal handler may call it. */
void fatal_place(char *text, size_t size);

/* The driver's thread, once: reports a crash in a slot to the core before the process ends by it. */
void fatal_catch(void);

#endif

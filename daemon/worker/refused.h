/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logs the system calls that confinement refuses: each once in the life of the process, to standard
 * error, with the driver that runs.  The call fails with EPERM.
 *
 * That finds mistakes, and attacks that do not know of it: code that has taken over the process can
 * take the handler away.  The call is refused in any case, or ends the process.
 */
#ifndef ASSAY_WORKER_REFUSED_H
#define ASSAY_WORKER_REFUSED_H

#include <stdbool.h>

/* False where this file does not know how a signal handler sets the result of a call. */
bool refused_can_be_caught(void);

/* Prepares for SIGSYS; before a filter with SCMP_ACT_TRAP. */
void refused_catch(void);

#endif

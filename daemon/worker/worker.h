/* SPDX-License-Identifier: Apache-2.0 */
/* The process, from the first message to the exit code. */
#ifndef ASSAY_WORKER_WORKER_H
#define ASSAY_WORKER_WORKER_H

#include <stdbool.h>

#include "wire/exit.h"

/*
 * Reads SETUP from the core's socket `fd` (taken), opens the port, confines the process and runs
 * until the end.  `terminate` is set by the handler of SIGTERM.  Exits the process if the driver's
 * thread does not end.
 */
enum wire_exit worker_run(int fd, const volatile bool *terminate);

#endif

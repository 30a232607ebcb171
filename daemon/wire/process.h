/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a worker's process. */
#ifndef ASSAY_WIRE_PROCESS_H
#define ASSAY_WIRE_PROCESS_H

#include <sys/types.h>

/*
 * Starts the program at `path`; it inherits `fd` as its socket 3, `error` as its standard
 * error, and nothing else.
 * 0 with the process in *pid, or a negative errno with 0 there.
 */
int process_start(const char *path, int fd, int error, pid_t *pid);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard error of a worker.  Its driver reads bytes of instruments, so its lines reach the log only
 * printable, with the port's name before them, and at most STDERR_LINES in a minute.
 *
 * Threads: main.
 */
#ifndef ASSAY_CORE_PORT_STDERR_H
#define ASSAY_CORE_PORT_STDERR_H

#include <stddef.h>
#include <stdint.h>

struct loop;
struct loop_source;

#define STDERR_LINES 100 /* a report of a sanitizer fits */

/* Zeroed at first; one for all workers of a port, so that restarts do not reset the count. */
struct worker_stderr {
	char key[33];
	struct loop_source *io;
	int fd;
	char line[900];
	size_t len;
	uint64_t minute; /* since when `lines` are counted */
	unsigned lines, dropped;
};

/* Logs the lines that a new worker writes to *end, which the caller closes.  0 or a negative errno. */
int worker_stderr_open(struct worker_stderr *e, struct loop *loop, const char *key, int *end);

/* Logs what is left, as the worker is gone.  Legal when it is not open. */
void worker_stderr_close(struct worker_stderr *e);

#endif

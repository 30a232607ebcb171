/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confines a worker once its port is open: no new privileges, few resources, no file system
 * (Landlock), few system calls (seccomp).  If an instrument takes over a driver's parser, the worker
 * can do little more than send wrong frames, which the core checks.
 *
 * System calls in two steps, because loading a module runs its constructors: first all except the
 * files of modules and system libraries, which can be read and mapped; when the modules are loaded,
 * those as well.  The first step holds against a module, the second also against bytes that a
 * driver reads.
 *
 * A part that the kernel or a container does not offer is reported, and the worker runs without it.
 */
#ifndef ASSAY_WORKER_CONFINE_H
#define ASSAY_WORKER_CONFINE_H

#include <stdbool.h>

#include "worker/confine-plan.h"

#define CONFINE_LACKING 200

struct confine {
	const struct confine_plan *plan;
	int ruleset;                  /* Landlock; -1: none */
	void *filters[CONFINE_STEPS]; /* of libseccomp; NULL: none */
};

/*
 * Prepares the parts that the kernel offers.  `lacking` gets the names of the others, joined by
 * ", ": "landlock", "seccomp".
 */
void confine_prepare(
	struct confine *confine, const struct confine_plan *plan, char lacking[CONFINE_LACKING]);

/* Adds a file to those that can be read while modules are loaded; one that does not exist is left out. */
void confine_may_read(struct confine *confine, const char *path);

/*
 * Limits and Landlock, for this thread and those that it creates afterwards.  0, or a negative errno
 * if a part that was prepared fails.
 */
int confine_files(struct confine *confine);

/*
 * System calls, for all threads of the process: the steps in their order.  None can create a
 * thread.  A refused call fails with EPERM and is logged (refused.h).
 */
int confine_calls(struct confine *confine, enum confine_step step);

void confine_finish(struct confine *confine);

/* False under a sanitizer, which needs more calls than a filter could allow. */
bool confine_is_possible(void);

#endif

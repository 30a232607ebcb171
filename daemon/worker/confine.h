/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confines a worker once its port is open: no new privileges, few resources, no file system
 * (Landlock), few system calls (seccomp).  If an instrument takes over a driver's parser, the worker
 * can do little more than send wrong frames, which the core checks.
 *
 * A part that the kernel or a container does not offer is reported, and the worker runs without it.
 */
#ifndef ASSAY_WORKER_CONFINE_H
#define ASSAY_WORKER_CONFINE_H

#include <stdbool.h>

#define CONFINE_LACKING 200

struct confine {
	int ruleset;  /* Landlock; -1: none */
	void *filter; /* of libseccomp; NULL: none */
};

/*
 * Prepares the parts that the kernel offers.  `lacking` gets the names of the others, joined by
 * ", ": "landlock", "seccomp".  No later call opens a file.
 */
void confine_prepare(struct confine *confine, char lacking[CONFINE_LACKING]);

/*
 * Confines this thread and those that it creates: nothing can be opened, connected or executed from
 * here on.  0, or a negative errno if a part that was prepared fails.
 */
int confine_enforce(struct confine *confine);

void confine_finish(struct confine *confine);

/* False under a sanitizer, which needs more calls than a filter could allow. */
bool confine_is_possible(void);

/* All three, for a process that opens nothing afterwards.  0 or a negative errno. */
int confine_now(void);

#endif

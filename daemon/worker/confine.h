/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confines a worker once its port is open: no new privileges, few resources, no file system
 * (Landlock), few system calls (seccomp).  If an instrument takes over a driver's parser, the worker
 * can do little more than send wrong frames, which the core checks.
 *
 * In two steps, because loading a module runs its constructors: first all but the files of modules
 * and system libraries, which can be read and mapped; when the modules are loaded, those as well.
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

/*
 * Prepares the first step, for modules to be loaded.  confine_may_read() adds a file to those that
 * can be read; one that does not exist is left out.  Enforce and finish it like the other.
 */
void confine_prepare_loading(struct confine *confine);
void confine_may_read(struct confine *confine, const char *path);

/* False under a sanitizer, which needs more calls than a filter could allow. */
bool confine_is_possible(void);

/* The second step at once, for a process that opens nothing afterwards.  0 or a negative errno. */
int confine_now(void);

#endif

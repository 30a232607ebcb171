/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker gives up once its port is open: new privileges, most resources, the file system
 * (Landlock) and most system calls (seccomp).  A driver's parser that an instrument has taken over
 * can then do little but send wrong frames, which the core checks.
 *
 * What the kernel does not offer, or a container does not allow, is told and done without.
 */
#ifndef ASSAY_WORKER_CONFINE_H
#define ASSAY_WORKER_CONFINE_H

#define CONFINE_LACKING 200

struct confine {
	int ruleset;  /* Landlock; -1: none */
	void *filter; /* of libseccomp; NULL: none */
};

/*
 * Finds out what there is and makes it ready.  `lacking` gets what there is not, joined by ", ":
 * "landlock", "seccomp".  Opens no file afterwards.
 */
void confine_prepare(struct confine *confine, char lacking[CONFINE_LACKING]);

/*
 * Puts it into force for this thread and those it makes: from here on nothing can be opened,
 * connected or executed.  0, or a negative errno when what was promised fails.
 */
int confine_enforce(struct confine *confine);

void confine_finish(struct confine *confine);

#endif

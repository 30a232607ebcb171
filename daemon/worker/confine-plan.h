/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of confinement: system calls, limits, rights of Landlock.  confine.c applies them; tests
 * take rows and conditions out, to see what each one prevents.
 */
#ifndef ASSAY_WORKER_CONFINE_PLAN_H
#define ASSAY_WORKER_CONFINE_PLAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#define CONFINE_CONDITIONS 2
#define CONFINE_SELF       UINT64_MAX /* as value: the process id */

enum confine_step {
	CONFINE_LOADING, /* modules are loaded, and their constructors run */
	CONFINE_RUNNING, /* bytes of instruments are read */
	CONFINE_STEPS,
};

/* A call that is allowed in the steps (bits), if all its conditions hold: (argument & mask) == value. */
struct confine_call {
	int call;
	unsigned steps, links; /* `links`: only on these kinds of link; 0: on all */
	struct confine_condition {
		unsigned arg;
		uint64_t mask, value;
	} only[CONFINE_CONDITIONS]; /* mask 0: none */
};

struct confine_limit {
	__rlimit_resource_t resource;
	rlim_t most;
};

/* Rights that Landlock takes away, since this version of it. */
struct confine_rights {
	int abi;
	uint64_t files, net, scopes;
};

struct confine_plan {
	const struct confine_call *calls;
	const struct confine_limit *limits;
	const struct confine_rights *rights;
	size_t call_count, limit_count, rights_count; /* 0: the part is left out */
	unsigned links;                               /* of the worker: its kind of link; 0: none */
};

extern const struct confine_plan confine_plan;

#endif

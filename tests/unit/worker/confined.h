/* SPDX-License-Identifier: Apache-2.0 */
/* Deeds in a child that a part of the confinement holds; each part alone, so that no other hides its holes. */
#ifndef ASSAY_TEST_CONFINED_H
#define ASSAY_TEST_CONFINED_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/confine.h"

#define ROWS_MAX 128

/* A copy of the worker's plan whose rows a test may change. */
struct changed_plan {
	struct confine_plan plan;
	struct confine_call calls[ROWS_MAX];
	struct confine_limit limits[ROWS_MAX];
	struct confine_rights rights[ROWS_MAX];
};

enum { PART_CALLS = 1, PART_LIMITS = 2, PART_RIGHTS = 4 };

/* The plan with these parts only. */
void plan_copy(struct changed_plan *to, unsigned parts);

/* In the child, if root runs the tests: a worker never is root. */
void become_nobody(void);

/* Runs `act` in a child and waits for it; its exit code, or 256 and the signal that ended it. */
int in_child(int (*act)(void *arg), void *arg);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the cases of a test in several processes at the same time: for cases that wait more than
 * they work and share nothing.  Use it in place of cmocka_run_group_tests().
 */
#ifndef ASSAY_TESTS_APART_H
#define ASSAY_TESTS_APART_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define APART_PROCESSES 5
#define APART_CASES_MAX 100

/* The number of processes in which a case failed. */
static inline int run_apart(const char *name, const struct CMUnitTest *tests, size_t count)
{
	int failures = count > APART_CASES_MAX, status;
	fflush(NULL);
	for (size_t process = 0; process < APART_PROCESSES; process++) {
		struct CMUnitTest own[APART_CASES_MAX];
		size_t own_count = 0;
		for (size_t i = process; i < count && i < APART_CASES_MAX; i += APART_PROCESSES)
			own[own_count++] = tests[i];
		pid_t pid = fork();
		if (pid == 0)
			exit(_cmocka_run_group_tests(name, own, own_count, NULL, NULL));
		failures += pid < 0;
	}
	while (wait(&status) > 0)
		failures += status != 0;
	return failures;
}

#define RUN_APART(tests) run_apart(#tests, tests, sizeof(tests) / sizeof((tests)[0]))

#endif

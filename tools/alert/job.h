/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that takes one message on its standard input and ends with 0 if it was delivered.  It
 * runs beside the caller, in a process group of its own, and has a deadline.
 */
#ifndef ASSAY_ALERT_JOB_H
#define ASSAY_ALERT_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Zero: none runs. */
struct job {
	pid_t pid;
	uint64_t deadline; /* CLOCK_BOOTTIME */
};

enum job_result {
	JOB_RUNS,
	JOB_DONE,
	JOB_FAILED,
	JOB_LATE, /* killed at its deadline */
};

/*
 * Starts argv[0], an absolute path, without a shell; the bytes wait in memory, so that nothing
 * blocks.  0 or a negative errno.
 */
int job_start(
	struct job *job, const char *const *argv, const void *data, size_t len, uint64_t deadline);

/* The result, once; the job is then zero.  `code`: the exit status, or 128 + the signal. */
enum job_result job_poll(struct job *job, uint64_t now, int *code);

/* Kills it, if it runs. */
void job_end(struct job *job);

#endif

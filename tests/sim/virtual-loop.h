/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of base/loop.h on virtual time: when nothing is ready, the clock jumps to the next
 * timer, so an hour passes in no time.  Everything happens in one thread and in one order: of the
 * sources that are ready, the one that has been ready for longest runs first, then the one that
 * was added first; idle sources run when no other is ready.
 *
 * Descriptors are real ones (a socketpair in the same process), polled without waiting.  Nothing
 * from outside happens by itself: the functions here raise signals, end children, change folders
 * and set the clock.
 */
#ifndef ASSAY_TESTS_VIRTUAL_LOOP_H
#define ASSAY_TESTS_VIRTUAL_LOOP_H

#include <poll.h>

#include "base/loop.h"

/* UTC when the first loop is opened: 2027-01-15 08:00:00. */
#define VIRTUAL_UTC UINT64_C(1800000000000000000)

/*
 * The world around a loop, for a simulation with more in it than this loop.  It keeps the clock.
 * `wait` returns when the time is `until`, or earlier when something may have become ready.
 */
struct virtual_host {
	void *arg;
	uint64_t (*now)(void *arg); /* CLOCK_BOOTTIME */
	void (*wait)(void *arg, uint64_t until);
	int (*poll)(void *arg, struct pollfd *fds, nfds_t count); /* does not wait */
};

/*
 * `host` NULL: the loop keeps the clocks itself and replaces those of the process, until
 * virtual_clock_release(); its loop_run() returns -EDEADLK when nothing can happen any more.
 * Owned through `out`: loop_close().  0 or -ENOMEM.  `host` is borrowed.
 */
int virtual_loop_open(struct loop **out, const struct virtual_host *host);

/* Runs the loop for so long, or until loop_stop().  The code of that, or 0. */
int virtual_loop_run_for(struct loop *loop, uint64_t ns);

/* Frees the loop without the caller's sources: their memory is gone already. */
void virtual_loop_abandon(struct loop *loop);

/* The process has the kernel's clocks again. */
void virtual_clock_release(void);

/* Sets CLOCK_REALTIME forward or back. */
void virtual_clock_step(int64_t ns);

/* The machine sleeps: both clocks go on, and nothing happens. */
void virtual_clock_sleep(uint64_t ns);

/* The child of this pid has exited as `info` says; a raised signal; a change in the folder, a new
 * device. */
void virtual_loop_exit(struct loop *loop, pid_t pid, const siginfo_t *info);
void virtual_loop_raise(struct loop *loop, int signal);
void virtual_loop_touch(struct loop *loop, const char *path);
void virtual_loop_plug(struct loop *loop);

/* Has this loop a source for the child, the signal? */
bool virtual_loop_has_child(const struct loop *loop, pid_t pid);
bool virtual_loop_has_signal(const struct loop *loop, int signal);

#endif

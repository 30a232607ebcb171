/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread's event loop: timers, descriptors, child processes, signals, folders, devices.  The daemon's
 * loop runs on sd-event (base/event-loop.h); a test's runs on virtual time, where the clocks jump
 * to the next timer.
 *
 * The creator of a source drops it; a source created with `out` NULL belongs to the loop.  A
 * function that runs for a source may drop that source and any other.
 *
 * Threads: a loop and its sources belong to the thread that runs it.
 */
#ifndef ASSAY_BASE_LOOP_H
#define ASSAY_BASE_LOOP_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

struct loop;
struct loop_source;

/* Runs until loop_stop(), also of one called before; returns its code, or a negative errno. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int code);

/* Frees the loop and the sources that belong to it; NULL is legal. */
void loop_close(struct loop *loop);

/* Every loop_add_*(): 0 or a negative errno, then *out is NULL. */

/* Runs `fn` once after each loop_set_timer(); unset at first.  Delays count CLOCK_BOOTTIME. */
int loop_add_timer(struct loop *loop, struct loop_source **out, void (*fn)(void *arg), void *arg);
void loop_set_timer(struct loop_source *timer, uint64_t delay_ns);

/* Runs `fn` while one of `events` (EPOLLIN, EPOLLOUT; EPOLLHUP and EPOLLERR always) holds. */
int loop_add_fd(struct loop *loop, struct loop_source **out, int fd, uint32_t events,
	void (*fn)(void *arg, uint32_t events), void *arg);
void loop_set_events(struct loop_source *fd, uint32_t events);

/* Runs `fn` once after each loop_set_idle(true), when no other source has anything to do. */
int loop_add_idle(struct loop *loop, struct loop_source **out, void (*fn)(void *arg), void *arg);
void loop_set_idle(struct loop_source *idle, bool on);

/* Runs `fn` once when the child has exited; reaps it afterwards. */
int loop_add_child(struct loop *loop, struct loop_source **out, pid_t pid,
	void (*fn)(void *arg, const siginfo_t *info), void *arg);

/* Runs `fn` for each signal; it must be blocked in every thread. */
int loop_add_signal(
	struct loop *loop, struct loop_source **out, int signal, void (*fn)(void *arg), void *arg);

/* Runs `fn` when something appears in the folder, or changes its attributes there. */
int loop_add_folder(struct loop *loop, struct loop_source **out, const char *path,
	void (*fn)(void *arg), void *arg);

/*
 * Runs `fn` when udev has done its work for a serial port or USB device that was plugged in: node, links
 * and permissions are there.  Without udev it never runs.
 */
int loop_add_devices(struct loop *loop, struct loop_source **out, void (*fn)(void *arg), void *arg);

/* Frees the source; NULL is legal.  Returns NULL. */
struct loop_source *loop_drop(struct loop_source *source);

#endif

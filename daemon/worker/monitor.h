/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one lock of a worker, and how its two threads wake each other.
 *
 * Both sleep in poll(2), each with a descriptor of its own among the others: the driver's thread in
 * monitor_wait() until something under the lock changes, the I/O thread in its loop.  The structs
 * in channel.h (bytes of the link), core-link.h (messages to the core) and commands.h (the core's
 * commands) mark the members under the lock.  No function blocks while it holds the lock.
 */
#ifndef ASSAY_WORKER_MONITOR_H
#define ASSAY_WORKER_MONITOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct monitor {
	pthread_mutex_t lock;
	int kick; /* eventfd: readable if the I/O thread should wake */
	bool kicked;
	int poke;         /* the same for the driver's thread */
	bool is_sleeping; /* it is, and was not poked yet */
};

/* 0 or a negative errno; after a failure there is nothing to finish. */
int monitor_init(struct monitor *monitor);
void monitor_finish(struct monitor *monitor);

void monitor_lock(struct monitor *monitor);
void monitor_unlock(struct monitor *monitor);

/*
 * The driver's thread, lock held: sleeps until monitor_notify() or `deadline` (clock_boot();
 * UINT64_MAX: none).  Returns false if the deadline has passed; may wake without cause.
 */
bool monitor_wait(struct monitor *monitor, uint64_t deadline);

/*
 * The same, and wakes when `fd` can be read, too.  All waits of the driver's thread come here.
 */
bool monitor_wait_for(struct monitor *monitor, int fd, uint64_t deadline);

/* Wakes the driver's thread, the I/O thread; lock held. */
void monitor_notify(struct monitor *monitor);
void monitor_kick(struct monitor *monitor);

/* The I/O thread, lock held: clears the kick. */
void monitor_unkick(struct monitor *monitor);

#endif

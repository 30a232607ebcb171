/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one lock of a worker, and how its two threads wake each other.
 *
 * The driver's thread sleeps in monitor_wait() for whatever the lock guards to change.  The I/O
 * thread sleeps in poll(2), where `kick` is one of its descriptors.  What is shared says so at its
 * struct: channel.h (bytes of the link), outlet.h (messages to the core), orders.h (the core's
 * commands).  Nothing is done under the lock that can block.
 */
#ifndef ASSAY_WORKER_MONITOR_H
#define ASSAY_WORKER_MONITOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct monitor {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int kick; /* eventfd: readable when the I/O thread is wanted */
	bool kicked;
	int poke; /* eventfd: readable when the driver's thread is, in monitor_wait_for() */
	bool is_polling;
};

/* 0 or a negative errno; after a failure there is nothing to finish. */
int monitor_init(struct monitor *monitor);
void monitor_finish(struct monitor *monitor);

void monitor_lock(struct monitor *monitor);
void monitor_unlock(struct monitor *monitor);

/*
 * The driver's thread, lock held: sleeps until monitor_notify() or `deadline` (clock_boot();
 * UINT64_MAX: none).  Returns false when the deadline has passed; may wake without cause.
 */
bool monitor_wait(struct monitor *monitor, uint64_t deadline);

/* The same, and wakes when `fd` can be read, too. */
bool monitor_wait_for(struct monitor *monitor, int fd, uint64_t deadline);

/* Wakes the driver's thread, the I/O thread; lock held. */
void monitor_notify(struct monitor *monitor);
void monitor_kick(struct monitor *monitor);

/* The I/O thread, lock held: takes the kick back. */
void monitor_unkick(struct monitor *monitor);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The progress of the driver's thread, for the heartbeat to the core.  That thread writes, the I/O
 * thread reads; a beat that mixes two steps is harmless, because it shows progress.
 */
#ifndef ASSAY_WORKER_HEARTBEAT_H
#define ASSAY_WORKER_HEARTBEAT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/clock.h"

#define HEARTBEAT_STEP_NS (10 * NS_PER_S) /* a driver's own work between two services */

struct heartbeat {
	_Atomic uint64_t progress, deadline;
};

/* A step starts that waits for at most `wait_ns` and then works. */
static inline void heartbeat_step(struct heartbeat *heartbeat, uint64_t wait_ns)
{
	atomic_store_explicit(&heartbeat->deadline, clock_boot() + wait_ns + HEARTBEAT_STEP_NS,
		memory_order_relaxed);
	atomic_fetch_add_explicit(&heartbeat->progress, 1, memory_order_release);
}

/* No step is running. */
static inline void heartbeat_rest(struct heartbeat *heartbeat)
{
	atomic_store_explicit(&heartbeat->deadline, 0, memory_order_relaxed);
	atomic_fetch_add_explicit(&heartbeat->progress, 1, memory_order_release);
}

#endif

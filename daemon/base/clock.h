/* SPDX-License-Identifier: Apache-2.0 */
/* The two clocks of a record, in nanoseconds.  Any thread. */
#ifndef ASSAY_BASE_CLOCK_H
#define ASSAY_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

/* CLOCK_REALTIME since 1970 UTC. */
uint64_t clock_utc(void);

/* CLOCK_BOOTTIME: runs while the machine sleeps, never steps.  Deadlines are in this clock. */
uint64_t clock_boot(void);

/* Milliseconds from now until the deadline, rounded up; 0 if it has passed.  For poll(2). */
int clock_ms_until(uint64_t deadline);

/* Nanoseconds to the next whole second: timers that need not be exact wake a process together. */
uint64_t clock_to_second(void);

/* Other clocks for the whole process, for simulated time; NULL: the kernel's.  Before threads. */
struct clock_source {
	uint64_t (*utc)(void *arg), (*boot)(void *arg);
	void *arg;
};
void clock_replace(const struct clock_source *source); /* borrowed */

#endif

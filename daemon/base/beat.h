/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs of life of a thread, for a watchdog that distinguishes a thread that waits for the disk from one
 * that hangs.
 */
#ifndef ASSAY_BASE_BEAT_H
#define ASSAY_BASE_BEAT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Zero is valid: no thread has it.  Any thread reads it. */
struct beat {
	atomic_bool is_bound;
	atomic_bool waits; /* for the disk */
	atomic_uint_least64_t passes, bytes;
};

/* The calling thread's beat from now on, borrowed; NULL: none.  Without one the others do nothing. */
void beat_bind(struct beat *beat);

/* Before the thread ends, or the beat does. */
void beat_release(void);

/* The thread is at work. */
void beat_pass(void);

/* It waits for the disk, or for a thread that does; afterwards also a pass. */
void beat_wait(bool waits);

/* Bytes that it read or wrote. */
void beat_bytes(uint64_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages on their way to the core.  Either thread sends; what the socket does not take at once
 * waits in a queue that the I/O thread flushes.  Frames are sent under the core's credit.
 */
#ifndef ASSAY_WORKER_OUTLET_H
#define ASSAY_WORKER_OUTLET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/buffer.h"
#include "worker/monitor.h"

struct outlet {
	struct monitor *monitor;
	int fd; /* borrowed */
	/* under the lock */
	struct buffer queue;
	size_t queue_at; /* sent bytes of it */
	uint64_t credit;
	bool closed; /* the core is gone: everything is dropped */
};

void outlet_init(struct outlet *outlet, struct monitor *monitor, int fd);
void outlet_finish(struct outlet *outlet);

/* Sends the messages in `message` and empties it.  Never blocks; any thread. */
void outlet_send(struct outlet *outlet, struct buffer *message);

/* The same for what may be lost when the core is slow: log lines, progress. */
void outlet_offer(struct outlet *outlet, struct buffer *message);

/*
 * The driver's thread: sends one FRAME message made of `count` pieces, which are borrowed for the
 * call, after the core has given credit for all of it.  Returns 0, -ECANCELED when *cancelled
 * (under the lock) became true first, or -EPIPE when the core is gone.
 */
int outlet_frame(
	struct outlet *outlet, const struct iovec *pieces, int count, const bool *cancelled);

/* The driver's thread: waits until there is any credit; as outlet_frame(). */
int outlet_wait_credit(struct outlet *outlet, const bool *cancelled);

/* The driver's thread: waits until all is handed to the kernel, for at most `limit_ns`. */
void outlet_wait_sent(struct outlet *outlet, uint64_t limit_ns);

/* True when all that was sent is with the kernel; lock held. */
bool outlet_is_idle(const struct outlet *outlet);

/* The I/O thread. */
void outlet_grant(struct outlet *outlet, uint64_t bytes);
bool outlet_is_waiting(struct outlet *outlet); /* for the socket to take more */
void outlet_flush(struct outlet *outlet);

#endif

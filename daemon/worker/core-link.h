/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to the core.  Either thread sends; bytes that the socket does not take at once wait in
 * a queue that the I/O thread flushes.  Frames need credit from the core.
 */
#ifndef ASSAY_WORKER_CORE_LINK_H
#define ASSAY_WORKER_CORE_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/buffer.h"
#include "worker/monitor.h"

struct core_link {
	struct monitor *monitor;
	int fd; /* borrowed */
	/* under the lock */
	struct buffer queue;
	size_t queue_at; /* sent bytes of it */
	uint64_t credit;
	bool closed; /* the core is gone: everything is dropped */
};

void core_link_init(struct core_link *core, struct monitor *monitor, int fd);
void core_link_finish(struct core_link *core);

/* Sends the messages in `message` and empties it.  Never blocks; any thread. */
void core_link_send(struct core_link *core, struct buffer *message);

/* The same for messages that are dropped if the core is slow: log lines, progress. */
void core_link_offer(struct core_link *core, struct buffer *message);

/*
 * The driver's thread: sends one FRAME message of `count` pieces, which are borrowed for the call,
 * once the core has given credit for all of it.  Returns 0, -ECANCELED if *cancelled (under the
 * lock) becomes true first, or -EPIPE if the core is gone.
 */
int core_link_frame(
	struct core_link *core, const struct iovec *pieces, int count, const bool *cancelled);

/* True if a frame may be acquired: any credit, and room in the queue; lock held. */
bool core_link_has_credit(const struct core_link *core);

/* The driver's thread: waits until the kernel has all messages, for at most `limit_ns`. */
void core_link_wait_sent(struct core_link *core, uint64_t limit_ns);

/* The last message of a process that crashes: no lock, no memory; dropped if others wait. */
void core_link_last(const struct core_link *core, const struct buffer *message);

/* True if the kernel has all messages; lock held. */
bool core_link_is_idle(const struct core_link *core);

/* The I/O thread. */
void core_link_grant(struct core_link *core, uint64_t bytes);
bool core_link_is_waiting(struct core_link *core); /* for the socket to take more */
void core_link_flush(struct core_link *core);

#endif

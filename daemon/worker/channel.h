/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes between the driver's thread and the link.
 *
 * The I/O thread receives as they come, with the time of receipt, into a bounded store; while it
 * is full the link is not read.  The driver's thread takes them out, never two messages in one.
 * Where nothing is expected but replies, the driver's thread receives for itself while it waits,
 * and the I/O thread only looks whether the port is still there.
 * Every byte of a link passes here, in both directions, those of Modbus too.
 */
#ifndef ASSAY_WORKER_CHANNEL_H
#define ASSAY_WORKER_CHANNEL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "worker/link/link.h"
#include "worker/monitor.h"
#include "worker/heartbeat.h"
#include "worker/link-recorder.h"

struct receipt {
	uint64_t utc, mono;
};

struct channel {
	struct monitor *monitor;
	struct link *link;
	struct heartbeat *heartbeat;
	bool is_direct; /* the driver's thread receives */
	/* under the lock */
	struct buffer in; /* pieces, each with a head */
	size_t in_at;
	const uint8_t *out; /* what the driver's thread waits for to be sent; NULL: nothing */
	size_t out_len, out_at;
	bool lost;                     /* the port is gone: link->why */
	bool cancelled;                /* every call returns -ECANCELED */
	bool stopping;                 /* the present run is to end soon: pauses end early */
	struct receipt received;       /* the last byte that the driver's thread took */
	struct link_recorder recorder; /* what passes, for a recording */
};

void channel_init(struct channel *channel, struct monitor *monitor, struct link *link,
	struct heartbeat *heartbeat);
void channel_finish(struct channel *channel);

/* Before there are threads: only replies are expected.  The link is one descriptor. */
void channel_set_direct(struct channel *channel);

/* --- the driver's thread; the errors are those of <assay/driver.h> --- */

int channel_write(struct channel *channel, const void *data, size_t len, int ms);
ssize_t channel_read(struct channel *channel, void *to, size_t size, int ms);
int channel_drain(struct channel *channel, int quiet_ms, int limit_ms);
int channel_pause(struct channel *channel, int ms);

/* For the links: waits until then (clock_boot()), whether or not the run is to stop. */
int channel_settle(struct channel *channel, uint64_t until);

/* When the last byte that was taken had arrived; now, if there never was one. */
struct receipt channel_received(const struct channel *channel);

/* True if the present run should end soon. */
bool channel_is_stopping(struct channel *channel);

/* A run begins: no longer the connection's beginning, for recordings. */
void channel_start_run(struct channel *channel);

/* True once the port is gone; channel->link->why then says how, and does not change any more. */
bool channel_is_lost(struct channel *channel);

/* Forgets what has arrived so far. */
void channel_discard(struct channel *channel);

/* --- the I/O thread --- */

/* What to poll for on behalf of the link; at most LINK_FDS_MAX. */
int channel_watch(struct channel *channel, struct pollfd *fds, int *timeout_ms);

/* After poll(): receives and sends. */
void channel_handle(struct channel *channel);

/* --- both, lock held --- */

/* Takes bytes of the first piece, at most `size`: how many, 0 when nothing has arrived. */
size_t channel_take(struct channel *channel, void *to, size_t size);

/* Ends every call with -ENODEV. */
void channel_lose(struct channel *channel);

/* Sends from the start of data[0 ... len): what the link took, 0 ... len, or -ENODEV. */
ssize_t channel_push(struct channel *channel, const uint8_t *data, size_t len);

#endif

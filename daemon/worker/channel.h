/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes between the driver's thread and the link.
 *
 * The I/O thread receives them as they arrive, with the time of receipt, into a bounded
 * input; it does not read the link while that is full.  The driver's thread takes them out, never two
 * messages in one call.  Each endpoint of the link has a store of its own.  On a direct channel, where
 * only replies are expected, the driver's thread receives while it waits, and the I/O thread only
 * notices the loss of the port.
 *
 * If the other side closes an idle connection, the next write connects again.  A read that finds no
 * connection is an exchange that broke off: -ENOTCONN on a direct channel, else the port is lost.
 * All bytes of a link pass through its channel, in both directions, also those of Modbus.
 */
#ifndef ASSAY_WORKER_CHANNEL_H
#define ASSAY_WORKER_CHANNEL_H

#include <assay/driver.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "worker/dialogue.h"
#include "worker/filter.h"
#include "worker/input.h"
#include "worker/link/link.h"
#include "worker/monitor.h"
#include "worker/heartbeat.h"
#include "worker/link-recorder.h"

struct channel {
	struct monitor *monitor;
	struct link *link;
	struct heartbeat *heartbeat;
	bool is_direct;      /* the driver's thread receives */
	bool is_per_request; /* the link's setting `connection` */
	/* the driver's thread alone */
	struct receipt received; /* of the last byte taken */
	bool has_read;           /* since the last write */
	bool awaits_reply;       /* nothing was read since the last write, */
	bool has_missed;         /* or since an earlier one: a reply can still come */
	unsigned connections;    /* made after the first one */
	unsigned breaks;         /* of exchanges by the end of the connection */
	struct buffer spoiled;   /* the bytes of a write, as the filter made them */
	/* under the lock */
	struct input in[LINK_ENDPOINTS];
	unsigned out_to;    /* the endpoint */
	const uint8_t *out; /* bytes that the driver's thread is sending; NULL: none */
	size_t out_len, out_at;
	bool lost;      /* the port is gone: link->why */
	bool is_closed; /* the other side closed the connection; the next write makes another */
	bool is_stream; /* input is expected without a request: a close loses the port */
	bool cancelled; /* every call returns -ECANCELED */
	bool stopping;  /* the present run should end soon: a pause that lasts ends early */
	struct filter filter;     /* of what is received before the store, and of each write */
	struct dialogue dialogue; /* with faults.log: what passed */
	struct link_recorder recorder;
};

void channel_init(struct channel *channel, struct monitor *monitor, struct link *link,
	struct heartbeat *heartbeat);
void channel_finish(struct channel *channel);

/* Spoils the bytes from now on, see wire/faults.h. */
void channel_set_faults(struct channel *channel, const struct faults *faults);

/* Makes the channel direct; before the threads start.  The link must be one descriptor. */
void channel_set_direct(struct channel *channel);

/*
 * --- the driver's thread; the errors are those of <assay/driver.h>, and of a direct channel
 * -ENOTCONN: there is no connection, see channel_why() ---
 */

int channel_write(struct channel *channel, const void *data, size_t len, int ms);
ssize_t channel_read(struct channel *channel, void *to, size_t size, int ms);

/* The same at an endpoint of the link, an index below LINK_ENDPOINTS. */
int channel_write_to(
	struct channel *channel, unsigned endpoint, const void *data, size_t len, int ms);
ssize_t channel_read_from(
	struct channel *channel, unsigned endpoint, void *to, size_t size, int ms);

/* One control transfer, see assay_usb_control(). */
ssize_t channel_control(struct channel *channel, const struct assay_usb_request *request,
	uint8_t *data, size_t len, int ms);

int channel_drain(struct channel *channel, int quiet_ms, int limit_ms, size_t *dropped);
int channel_pause(struct channel *channel, int ms);

/*
 * True if a reply can still come: to a write after which nothing was read, or since
 * channel_miss(), until the link was silent for `quiet_ms` in channel_clear().
 */
bool channel_owes(const struct channel *channel);
void channel_miss(struct channel *channel);
int channel_clear(struct channel *channel, int quiet_ms, int limit_ms);

/* Controls the line, see assay_line(); -ENOTSUP with channel_why() on other links. */
int channel_line(struct channel *channel, enum assay_line_act act, int value);

/* The errors of the line since the last call. */
struct link_errors channel_errors(struct channel *channel);

/* Waits until `until` (clock_boot()), even if the run is stopping.  For the links. */
int channel_settle(struct channel *channel, uint64_t until);

/* When the last byte that was taken had arrived; now, if none was taken. */
struct receipt channel_received(const struct channel *channel);

/* True if the present run should end soon. */
bool channel_is_stopping(struct channel *channel);

/* A run starts: for the recorder, the connection's start is over. */
void channel_start_run(struct channel *channel);

/* True once the port is gone; channel->link->why then has the reason and stays unchanged. */
/* What is behind the link hangs: the port is lost, as `why` says. */
void channel_lose(struct channel *channel, const char *why);

bool channel_is_lost(struct channel *channel);

/* Copies the text of the link's last failure. */
void channel_why(struct channel *channel, char *text, size_t size);

/* The exchange is over: with `connection: per-request` the connection ends. */
void channel_end_exchange(struct channel *channel);

/* Ends the connection now, if the link can make another one; the next write does. */
void channel_hang_up(struct channel *channel);

/* A stream begins or ends, see is_stream. */
void channel_set_stream(struct channel *channel, bool on);

/* True if the next write has to connect again. */
bool channel_is_closed(struct channel *channel);

/* Drops the input that has arrived. */
size_t channel_discard(struct channel *channel);

/* --- the I/O thread --- */

/* Fills the descriptors to poll for the link, at most LINK_FDS_MAX, and returns their number. */
int channel_watch(struct channel *channel, struct pollfd *fds, int *timeout_ms);

/* After poll(): receives and sends. */
void channel_handle(struct channel *channel);

#endif

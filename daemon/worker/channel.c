/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "worker/channel.h"

#define IN_ROOM   (256u << 10) /* the link is not read while more than this is stored */
#define TURNS_MAX 16           /* pieces received before the core's socket is served */

void channel_init(struct channel *channel, struct monitor *monitor, struct link *link,
	struct heartbeat *heartbeat)
{
	*channel = (struct channel){.monitor = monitor, .link = link, .heartbeat = heartbeat};
}

void channel_finish(struct channel *channel)
{
	buffer_finish(&channel->spoiled);
	for (unsigned i = 0; i < LINK_ENDPOINTS; i++)
		input_finish(&channel->in[i]);
	link_recorder_finish(&channel->recorder);
	dialogue_finish(&channel->dialogue);
}

void channel_set_faults(struct channel *channel, const struct faults *faults)
{
	monitor_lock(channel->monitor);
	filter_set(&channel->filter, faults);
	channel->dialogue.rate = faults->log;
	monitor_notify(channel->monitor); /* what was delayed may have arrived */
	monitor_unlock(channel->monitor);
}

void channel_set_direct(struct channel *channel)
{
	channel->is_direct = true;
}

static uint64_t deadline_after(int ms)
{
	return clock_boot() + (ms > 0 ? (uint64_t)ms * NS_PER_MS : 0);
}

/* Starts a service that waits up to `ms`. */
static void enter(struct channel *channel, int ms)
{
	heartbeat_step(channel->heartbeat, ms > 0 ? (uint64_t)ms * NS_PER_MS : 0);
	monitor_lock(channel->monitor);
}

static void leave(struct channel *channel)
{
	monitor_unlock(channel->monitor);
	heartbeat_step(channel->heartbeat, 0);
}

/* 0, or the error of every further call. */
static int trouble(const struct channel *channel)
{
	if (channel->cancelled)
		return -ECANCELED;
	return channel->lost ? -ENODEV : 0;
}

/* Every call ends with -ENODEV. */
static void lose(struct channel *channel)
{
	if (!channel->lost)
		link_recorder_note(&channel->recorder, CAPTURE_LOST, 0, channel->link->why,
			strnlen(channel->link->why, CAPTURE_TEXT_MAX));
	channel->lost = true;
	monitor_notify(channel->monitor);
}

/* The other side closed the connection. */
static void take_close(struct channel *channel)
{
	channel->is_closed = true;
	if (channel->is_stream)
		lose(channel);
	monitor_notify(channel->monitor);
}

void channel_start_run(struct channel *channel)
{
	monitor_lock(channel->monitor);
	link_recorder_pass(&channel->recorder);
	monitor_unlock(channel->monitor);
}

static bool receive_all(struct channel *channel);
static size_t drop_input(struct channel *channel, uint64_t now);

/* --- sending ---------------------------------------------------------------------------------- */

/* Sends from the start of data[0 ... len): how much the link took, or a negative errno. */
static ssize_t push(struct channel *channel, const uint8_t *data, size_t len)
{
	size_t done = 0;
	channel->link->to = channel->out_to;
	while (done < len) {
		ssize_t n = channel->link->ops->send(channel->link, data + done, len - done);
		if (n == -EAGAIN)
			break;
		if (n < 0) {
			if (n == -ENODEV)
				lose(channel);
			if (n == -ENOTCONN)
				take_close(channel);
			return n;
		}
		link_recorder_note(&channel->recorder, CAPTURE_OUT,
			channel->link->outs[channel->out_to], data + done, (size_t)n);
		dialogue_note(&channel->dialogue, "->", data + done, (size_t)n, clock_boot());
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Sends more of `out`; an error ends the write. */
static int continue_write(struct channel *channel)
{
	ssize_t n = push(
		channel, channel->out + channel->out_at, channel->out_len - channel->out_at);
	if (n < 0)
		return (int)n;
	channel->out_at += (size_t)n;
	return 0;
}

/* 1: the link has sent all; 0: not yet; or the error with which it ended. */
static int is_written(struct channel *channel)
{
	const struct link_ops *ops = channel->link->ops;
	if (channel->out_at < channel->out_len)
		return 0;
	channel->link->to = channel->out_to;
	return ops->is_sent == NULL ? 1 : ops->is_sent(channel->link);
}

static int write_all(struct channel *channel, uint64_t deadline)
{
	int done = 0, r = continue_write(channel);
	while (r == 0 && (done = is_written(channel)) == 0) {
		monitor_kick(channel->monitor); /* to poll for room */
		if (!monitor_wait(channel->monitor, deadline))
			return -ETIMEDOUT;
		r = channel->is_closed ? -ENOTCONN : trouble(channel);
	}
	if (done == -ENODEV)
		lose(channel);
	return r < 0 ? r : done < 0 ? done : 0;
}

/* Connects again if the connection has ended; what came over the former one is dropped. */
static int ensure_connected(struct channel *channel, uint64_t deadline)
{
	struct link *link = channel->link;
	int r = trouble(channel);
	if (r == 0 && link->ops->connect != NULL && !channel->is_closed)
		receive_all(channel); /* the end may have arrived just now */
	while (r == 0 && channel->is_closed && !channel->lost) {
		int wait = -1;
		r = link->ops->connect(link, &wait);
		if (r == 0) {
			channel->is_closed = false;
			channel->connections++;
			drop_input(channel, UINT64_MAX);
			monitor_kick(channel->monitor); /* to poll it */
			break;
		}
		if (r == -ENODEV)
			lose(channel);
		if (r != -EAGAIN)
			return r;
		if (!monitor_wait_for(channel->monitor, wait, deadline)) {
			link_fail(link, ETIMEDOUT, "no connection");
			return -ENOTCONN;
		}
		r = trouble(channel);
	}
	return r == 0 ? trouble(channel) : r;
}

static void hang_up(struct channel *channel)
{
	if (channel->link->ops->hang_up == NULL || channel->is_closed || channel->lost)
		return;
	channel->link->ops->hang_up(channel->link);
	channel->is_closed = true;
}

/* Only a direct channel bears it that an exchange breaks off. */
static int break_off(struct channel *channel)
{
	if (channel->is_direct)
		return -ENOTCONN;
	lose(channel);
	return -ENODEV;
}

/* Sets out[0 ... out_len) to the bytes as the filter lets them through, and waits as long as it does. */
static int spoil_output(struct channel *channel, const void *data, size_t len, uint64_t deadline)
{
	uint64_t arrives;
	buffer_reset(&channel->spoiled);
	buffer_append(&channel->spoiled, data, len);
	if (channel->spoiled.failed)
		return -ENOMEM;
	channel->out = channel->spoiled.data;
	channel->out_len = filter_pass(&channel->filter, &channel->filter.out,
		channel->spoiled.data, len, clock_boot(), &arrives);
	channel->out_at = channel->out_len; /* nothing is sent yet */
	int r = trouble(channel);
	while (r == 0 && monitor_wait(channel->monitor, arrives < deadline ? arrives : deadline))
		r = trouble(channel);
	channel->out_at = 0;
	return r == 0 && arrives > deadline ? -ETIMEDOUT : r;
}

int channel_write(struct channel *channel, const void *data, size_t len, int ms)
{
	return channel_write_to(channel, 0, data, len, ms);
}

int channel_write_to(
	struct channel *channel, unsigned endpoint, const void *data, size_t len, int ms)
{
	enter(channel, ms);
	uint64_t deadline = deadline_after(ms);
	if (channel->is_per_request && channel->has_read && !channel->is_stream)
		hang_up(channel);
	channel->has_read = false;
	channel->has_missed = channel->has_missed || channel->awaits_reply;
	channel->awaits_reply = true;
	int r = ensure_connected(channel, deadline);
	channel->out_to = endpoint;
	channel->out = data;
	channel->out_len = len;
	channel->out_at = 0;
	if (r == 0 && channel->filter.is_on && len > 0 && endpoint != LINK_CONTROL)
		r = spoil_output(channel, data, len, deadline);
	if (r == 0)
		r = write_all(channel, deadline);
	if (r == -ENOTCONN)
		r = break_off(channel);
	if (r < 0 && channel->link->ops->give_up != NULL && !channel->lost)
		channel->link->ops->give_up(channel->link);
	channel->out = NULL;
	channel->out_len = channel->out_at = 0;
	leave(channel);
	return r;
}

/* --- receiving -------------------------------------------------------------------------------- */

/* Pieces that the filter delays have arrived by now, all if it is off. */
static uint64_t present(const struct channel *channel)
{
	return channel->filter.is_on ? clock_boot() : UINT64_MAX;
}

/* When the first piece arrives, of any endpoint or of `input`: see input_arrival(). */
static uint64_t next_arrival(const struct channel *channel, const struct input *input)
{
	uint64_t first = UINT64_MAX, now = present(channel);
	if (input != NULL)
		return input_arrival(input, now);
	for (unsigned i = 0; i < link_endpoints(channel->link); i++) {
		uint64_t at = input_arrival(&channel->in[i], now);
		first = at < first ? at : first;
	}
	return first;
}

static bool has_room(const struct channel *channel)
{
	bool has = false;
	for (unsigned i = 0; i < link_endpoints(channel->link); i++)
		has = has || input_size(&channel->in[i]) <= IN_ROOM;
	return has;
}

/* Drops the pieces that have arrived by `now`.  Returns the number of bytes. */
static size_t drop_input(struct channel *channel, uint64_t now)
{
	size_t dropped = 0;
	for (unsigned i = 0; i < link_endpoints(channel->link); i++)
		dropped += input_drop(&channel->in[i], now);
	return dropped;
}

/* Takes bytes of the first message: how many, 0 if nothing has arrived. */
static size_t take(struct channel *channel, struct input *input, uint8_t *to, size_t size)
{
	bool was_full = input_size(input) > IN_ROOM;
	size_t n = input_take(input, present(channel), to, size, &channel->received);
	if (was_full && input_size(input) <= IN_ROOM)
		monitor_kick(channel->monitor);
	return n;
}

/* How many of the bytes the filter lets through, and when they arrive. */
static size_t spoil_input(
	struct channel *channel, uint8_t *data, size_t len, struct receipt *received)
{
	uint64_t now = received->mono, arrives;
	size_t rest = filter_pass(&channel->filter, &channel->filter.in, data, len, now, &arrives);
	*received = (struct receipt){received->utc + (arrives - now), arrives};
	return rest;
}

/* Receives one piece into an input with room.  True if another one may be there already. */
static bool receive_one(struct channel *channel, unsigned endpoint)
{
	struct link *link = channel->link;
	struct input *input = &channel->in[endpoint];
	if (channel->is_closed || channel->lost)
		return false;
	uint8_t *to = input_reserve(input, link->ops->receive_max);
	if (to == NULL) {
		link_fail(link, ENOMEM, "the received bytes cannot be stored");
		lose(channel);
		return false;
	}
	link->from = endpoint;
	link->joins = false;
	ssize_t n = link->ops->receive(link, to, link->ops->receive_max);
	if (n == -ENODEV)
		lose(channel);
	if (n == -ENOTCONN)
		take_close(channel);
	if (n <= 0)
		return false;
	bool may_have_more = link->ops->handle != NULL || (size_t)n == link->ops->receive_max;
	struct receipt received = {clock_utc(), clock_boot()};
	size_t len = (size_t)n;
	if (channel->filter.is_on && endpoint != LINK_CONTROL)
		len = spoil_input(channel, to, len, &received);
	if (len == 0)
		return may_have_more;
	input_add(input, len, link->joins, received);
	link_recorder_note(&channel->recorder, CAPTURE_IN, link->ins[endpoint], to, len);
	dialogue_note(&channel->dialogue, "<-", to, len, clock_boot());
	monitor_notify(channel->monitor);
	return may_have_more;
}

/* One piece of each endpoint that has room for it. */
static bool receive_all(struct channel *channel)
{
	bool more = false;
	for (unsigned i = 0; i < link_endpoints(channel->link); i++)
		if (input_size(&channel->in[i]) <= IN_ROOM)
			more = receive_one(channel, i) || more;
	return more;
}

/* 0 if there is input, of `input` or (NULL) of any; or an error, which comes after the bytes. */
static int await_input(struct channel *channel, const struct input *input, uint64_t deadline)
{
	for (;;) {
		if (channel->cancelled)
			return -ECANCELED;
		uint64_t arrives = next_arrival(channel, input);
		if (arrives == 0)
			return 0;
		if (arrives == UINT64_MAX && channel->lost)
			return -ENODEV;
		if (arrives == UINT64_MAX && channel->is_closed)
			return -ENOTCONN;
		bool receives = channel->is_direct && arrives == UINT64_MAX;
		if (!monitor_wait_for(channel->monitor, receives ? channel->link->fd : -1,
			    arrives < deadline ? arrives : deadline) &&
			arrives >= deadline)
			return -ETIMEDOUT;
		if (receives && !channel->lost)
			receive_all(channel);
	}
}

ssize_t channel_read(struct channel *channel, void *to, size_t size, int ms)
{
	return channel_read_from(channel, 0, to, size, ms);
}

ssize_t channel_read_from(struct channel *channel, unsigned endpoint, void *to, size_t size, int ms)
{
	struct input *input = &channel->in[endpoint];
	enter(channel, ms);
	int r = size > 0 ? await_input(channel, input, deadline_after(ms)) : -EINVAL;
	if (r == -ENOTCONN)
		r = break_off(channel);
	ssize_t n = r < 0 ? r : (ssize_t)take(channel, input, to, size);
	channel->has_read = channel->has_read || n > 0;
	channel->awaits_reply = channel->awaits_reply && n <= 0;
	leave(channel);
	return n;
}

#define SETUP       8 /* USB 2.0, 9.3: type, request, value, index, length */
#define CONTROL_MAX 4096

ssize_t channel_control(struct channel *channel, const struct assay_usb_request *request,
	uint8_t *data, size_t len, int ms)
{
	uint8_t message[SETUP + CONTROL_MAX] = {request->type, request->request,
		(uint8_t)request->value, (uint8_t)(request->value >> 8), (uint8_t)request->index,
		(uint8_t)(request->index >> 8), (uint8_t)len, (uint8_t)(len >> 8)};
	uint64_t deadline = deadline_after(ms);
	bool is_in = (request->type & 0x80) != 0;
	uint8_t setup[SETUP];
	if (len > CONTROL_MAX)
		return -EMSGSIZE;
	memcpy(setup, message, SETUP);
	if (!is_in && len > 0)
		memcpy(message + SETUP, data, len);
	int r = channel_write_to(channel, LINK_CONTROL, message, SETUP + (is_in ? 0 : len), ms);
	while (r == 0) { /* until the reply to this request, not a late one */
		ssize_t n = channel_read_from(
			channel, LINK_CONTROL, message, sizeof message, clock_ms_until(deadline));
		if (n < 0)
			return n;
		if (n < SETUP || memcmp(message, setup, SETUP) != 0)
			continue;
		size_t moved = (size_t)n - SETUP < len ? (size_t)n - SETUP : len;
		if (is_in && moved > 0)
			memcpy(data, message + SETUP, moved);
		return is_in ? (ssize_t)moved : (ssize_t)len;
	}
	return r;
}

struct receipt channel_received(const struct channel *channel)
{
	if (channel->received.utc == 0)
		return (struct receipt){clock_utc(), clock_boot()};
	return channel->received;
}

bool channel_is_stopping(struct channel *channel)
{
	monitor_lock(channel->monitor);
	bool stopping = channel->stopping;
	monitor_unlock(channel->monitor);
	return stopping;
}

int channel_drain(struct channel *channel, int quiet_ms, int limit_ms, size_t *dropped)
{
	*dropped = 0;
	if (quiet_ms <= 0) {
		*dropped = channel_discard(channel);
		monitor_lock(channel->monitor);
		int r = trouble(channel);
		monitor_unlock(channel->monitor);
		return r;
	}
	enter(channel, limit_ms);
	uint64_t limit = deadline_after(limit_ms);
	int r = 0;
	while (r == 0) {
		*dropped += drop_input(channel, present(channel));
		uint64_t quiet = deadline_after(quiet_ms);
		r = quiet <= limit ? await_input(channel, NULL, quiet) : -EBADMSG;
	}
	leave(channel);
	return r == -ETIMEDOUT || r == -ENOTCONN ? 0 : r;
}

bool channel_owes(const struct channel *channel)
{
	return channel->awaits_reply || channel->has_missed;
}

void channel_miss(struct channel *channel)
{
	channel->has_missed = true;
}

int channel_clear(struct channel *channel, int quiet_ms, int limit_ms)
{
	size_t dropped;
	int r = channel_drain(channel, quiet_ms, limit_ms, &dropped);
	if (r == 0)
		channel->awaits_reply = channel->has_missed = false;
	return r;
}

void channel_why(struct channel *channel, char *text, size_t size)
{
	monitor_lock(channel->monitor);
	snprintf(text, size, "%s", channel->link->why);
	monitor_unlock(channel->monitor);
}

void channel_end_exchange(struct channel *channel)
{
	if (!channel->is_per_request)
		return;
	monitor_lock(channel->monitor);
	if (!channel->is_stream)
		hang_up(channel);
	monitor_unlock(channel->monitor);
}

void channel_hang_up(struct channel *channel)
{
	monitor_lock(channel->monitor);
	hang_up(channel);
	monitor_unlock(channel->monitor);
}

void channel_set_stream(struct channel *channel, bool on)
{
	monitor_lock(channel->monitor);
	channel->is_stream = on;
	monitor_unlock(channel->monitor);
}

bool channel_is_closed(struct channel *channel)
{
	monitor_lock(channel->monitor);
	bool is_closed = channel->is_closed;
	monitor_unlock(channel->monitor);
	return is_closed;
}

void channel_lose(struct channel *channel, const char *why)
{
	monitor_lock(channel->monitor);
	if (!channel->lost)
		snprintf(channel->link->why, sizeof channel->link->why, "%s", why);
	lose(channel);
	monitor_unlock(channel->monitor);
}

bool channel_is_lost(struct channel *channel)
{
	monitor_lock(channel->monitor);
	bool lost = channel->lost;
	monitor_unlock(channel->monitor);
	return lost;
}

size_t channel_discard(struct channel *channel)
{
	monitor_lock(channel->monitor);
	size_t dropped = drop_input(channel, present(channel));
	for (int i = 0; channel->is_direct && i < TURNS_MAX && !channel->lost; i++) {
		receive_all(channel);
		if (next_arrival(channel, NULL) == UINT64_MAX)
			break;
		dropped += drop_input(channel, present(channel));
	}
	monitor_unlock(channel->monitor);
	return dropped;
}

int channel_pause(struct channel *channel, int ms)
{
	enter(channel, ms);
	uint64_t deadline = deadline_after(ms);
	bool was_stopping = channel->stopping;
	int r = trouble(channel);
	while (r == 0 && channel->stopping == was_stopping &&
		monitor_wait(channel->monitor, deadline))
		r = trouble(channel);
	leave(channel);
	return r;
}

int channel_settle(struct channel *channel, uint64_t until)
{
	int ms = clock_ms_until(until);
	if (ms == 0)
		return 0;
	enter(channel, ms);
	int r = trouble(channel);
	while (r == 0 && monitor_wait(channel->monitor, until))
		r = trouble(channel);
	leave(channel);
	return r;
}

/* --- the line --------------------------------------------------------------------------------- */

#define FIFO_BYTES 64 /* the most that a UART holds, and does not report */
#define SENT_LOOK  (2 * NS_PER_MS)

static int line(struct channel *channel, int act, int value)
{
	struct link *link = channel->link;
	monitor_lock(channel->monitor);
	bool ends = act == ASSAY_LINE_BREAK && value == 0; /* after an abort, too */
	int r = ends && !channel->lost ? 0 : trouble(channel);
	if (r == 0 && link->ops->line == NULL)
		r = link_fail(link, ENOTSUP, "only a serial link has a line");
	else if (r == 0)
		r = link->ops->line(link, act, value);
	if (r == -ENODEV && !channel->lost)
		lose(channel);
	monitor_unlock(channel->monitor);
	return r;
}

/* Waits until the UART has sent all bytes. */
static int await_sent(struct channel *channel)
{
	int r;
	while ((r = line(channel, LINK_LINE_OUTPUT, 0)) == 1) {
		r = channel_settle(channel, clock_boot() + SENT_LOOK);
		if (r < 0)
			return r;
	}
	uint64_t held = FIFO_BYTES * channel->link->byte_ns;
	return r < 0 ? r : channel_settle(channel, clock_boot() + held);
}

int channel_line(struct channel *channel, enum assay_line_act act, int value)
{
	if (act == ASSAY_LINE_BAUD || act == ASSAY_LINE_BREAK) {
		int r = await_sent(channel);
		if (r < 0)
			return r;
	}
	if (act != ASSAY_LINE_BREAK)
		return line(channel, act, value);
	int r = line(channel, act, 1);
	if (r < 0)
		return r;
	r = channel_settle(channel, clock_boot() + (uint64_t)(value > 0 ? value : 0) * NS_PER_MS);
	int ended = line(channel, act, 0);
	return r < 0 ? r : ended;
}

struct link_errors channel_errors(struct channel *channel)
{
	struct link_errors errors = {0};
	monitor_lock(channel->monitor);
	if (channel->link->ops->errors != NULL && !channel->lost)
		errors = channel->link->ops->errors(channel->link);
	monitor_unlock(channel->monitor);
	return errors;
}

/* --- the I/O thread --------------------------------------------------------------------------- */

int channel_watch(struct channel *channel, struct pollfd *fds, int *timeout_ms)
{
	struct link *link = channel->link;
	monitor_lock(channel->monitor);
	bool reading = !channel->is_direct && has_room(channel);
	bool writing = channel->out != NULL && channel->out_at < channel->out_len;
	int n = 0;
	if (channel->lost || channel->is_closed) {
		n = 0;
	} else if (link->ops->watch == NULL && !reading && !writing && !channel->is_direct) {
		n = 0; /* poll(2) would report a hang-up without end */
	} else if (link->ops->watch != NULL) {
		n = link->ops->watch(link, reading, writing, fds, timeout_ms);
	} else {
		fds[0] = (struct pollfd){.fd = link->fd,
			.events = (short)((reading ? POLLIN : POLLRDHUP) |
					  (writing ? POLLOUT : 0))};
		n = 1;
	}
	monitor_unlock(channel->monitor);
	return n;
}

void channel_handle(struct channel *channel)
{
	monitor_lock(channel->monitor);
	if (channel->link->ops->handle != NULL)
		channel->link->ops->handle(channel->link);
	bool is_open = channel->out != NULL && !channel->lost && !channel->is_closed;
	if (is_open && continue_write(channel) == 0 && is_written(channel) != 0)
		monitor_notify(channel->monitor);
	bool more = true;
	for (int i = 0; i < TURNS_MAX && more; i++)
		more = receive_all(channel);
	if (more && channel->link->ops->handle != NULL)
		monitor_kick(channel->monitor); /* no descriptor shows the rest */
	monitor_unlock(channel->monitor);
}

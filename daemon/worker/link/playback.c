/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link playback: a recording answers in place of the instrument.
 *
 * Bytes from the driver are searched in the recorded requests, from the last match on; the bytes
 * recorded after the match are received again.  Recorded requests that the driver leaves out are
 * skipped.  Each Modbus unit has a position of its own, because the order between units may differ.
 * On a link http, whose connections are not recorded, one ends after each reply.
 */
#include <assay/driver.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "capture/file.h"
#include "worker/link/link.h"

#define LANES    256
#define MBAP     6 /* transaction, protocol, length: then the unit */
#define SHOW_MAX 8 /* bytes of a request in messages */

/* Where the search for the next request starts: a record, and the bytes of it already sent. */
struct position {
	size_t index, offset;
};

/* A piece that the driver is to receive. */
struct due {
	size_t index; /* of its record */
	uint64_t when;
	bool is_first;                /* after its request */
	uint8_t recorded[2], sent[2]; /* modbus-tcp: the request's transaction then and now */
};

struct playback {
	const struct port *port;
	struct capture_file file;
	struct position lanes[LANES];
	struct due *queue; /* a ring */
	size_t queue_at, queue_len, queue_size;
	unsigned head_at; /* modbus-tcp: bytes of the present head that were received */
	size_t left;      /* bytes of the frame that follow its head */
	bool is_asked;    /* http: a request came over this connection */
};

static bool is_tcp(const struct playback *p)
{
	return p->port->kind == ASSAY_LINK_MODBUS_TCP && p->port->framing == PORT_FRAMING_TCP;
}

static bool is_modbus(const struct playback *p)
{
	return port_kind_of(p->port->kind)->is_modbus;
}

/* True if the link keeps the bytes of one write together. */
static bool has_messages(const struct playback *p)
{
	return port_kind_of(p->port->kind)->has_messages;
}

static unsigned lane_of(const struct playback *p, const uint8_t *data, size_t len)
{
	size_t at = is_tcp(p) ? MBAP : 0;
	return is_modbus(p) && len > at ? data[at] : 0;
}

/* --- replies ---------------------------------------------------------------------------------- */

static void set_alarm(struct link *link)
{
	const struct playback *p = link->own;
	struct itimerspec at = {0};
	if (p->queue_len > 0) {
		uint64_t when = p->queue[p->queue_at].when;
		at.it_value.tv_sec = (time_t)(when / NS_PER_S);
		at.it_value.tv_nsec = (long)(when % NS_PER_S);
	} else if (p->is_asked) {
		at.it_value.tv_nsec = 1; /* at once: the end of the connection */
	}
	timerfd_settime(link->fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static int grow(struct playback *p)
{
	size_t size = p->queue_size > 0 ? 2 * p->queue_size : 64;
	struct due *queue = calloc(size, sizeof *queue);
	if (queue == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < p->queue_len; i++)
		queue[i] = p->queue[(p->queue_at + i) % p->queue_size];
	free(p->queue);
	p->queue = queue;
	p->queue_at = 0;
	p->queue_size = size;
	return 0;
}

static int enqueue(struct playback *p, const struct due *due)
{
	if (p->queue_len == p->queue_size && grow(p) < 0)
		return -ENOMEM;
	struct due *to = &p->queue[(p->queue_at + p->queue_len) % p->queue_size];
	*to = *due;
	if (p->queue_len > 0) {
		const struct due *last =
			&p->queue[(p->queue_at + p->queue_len - 1) % p->queue_size];
		if (to->when < last->when)
			to->when = last->when; /* a stream keeps its order */
	}
	p->queue_len++;
	return 0;
}

/*
 * Queues all pieces received between the records `from` and `to` and, if `to` is the end of a
 * request, those after it up to the next request.  `due` has the transaction of the request.
 */
static int deliver(struct playback *p, size_t from, struct position to, struct due *due)
{
	const struct capture_record *records = p->file.records;
	uint64_t now = clock_boot(), sent = from < p->file.count ? records[from].mono : 0;
	due->is_first = true;
	for (size_t i = from; i < p->file.count; i++) {
		bool is_out = records[i].kind == CAPTURE_OUT;
		if (i >= to.index && (is_out || to.offset > 0))
			break;
		if (is_out)
			sent = records[i].mono;
		if (records[i].kind != CAPTURE_IN)
			continue;
		bool is_later = p->port->recorded_pace && records[i].mono > sent;
		due->index = i;
		due->when = now + (is_later ? records[i].mono - sent : 0);
		if (enqueue(p, due) < 0)
			return -ENOMEM;
		due->is_first = false;
	}
	return 0;
}

/* Replaces the recorded transaction by that of the present request. */
static void renumber(struct playback *p, const struct due *due, uint8_t *data, size_t len)
{
	if (due->is_first) {
		p->head_at = 0;
		p->left = 0;
	}
	for (size_t i = 0; i < len;) {
		if (p->head_at == MBAP) {
			size_t n = len - i < p->left ? len - i : p->left;
			p->left -= n;
			i += n;
			p->head_at = p->left > 0 ? MBAP : 0;
			continue;
		}
		if (p->head_at == 0 && len - i >= 2 && memcmp(data + i, due->recorded, 2) == 0)
			memcpy(data + i, due->sent, 2);
		if (p->head_at >= 4) /* the length is the head's end */
			p->left = p->left << 8 | data[i];
		p->head_at++;
		i++;
		if (p->head_at == MBAP && p->left == 0)
			p->head_at = 0;
	}
}

/* The endpoint of a received piece: see name_endpoints(). */
static unsigned endpoint_of(const struct link *link, unsigned address)
{
	unsigned i = 0;
	while (i < LINK_ENDPOINTS && link->ins[i] != address)
		i++;
	return i < LINK_ENDPOINTS ? i : 0;
}

static ssize_t playback_receive(struct link *link, uint8_t *to, size_t size)
{
	struct playback *p = link->own;
	if (p->queue_len == 0 && p->is_asked) {
		snprintf(link->why, sizeof link->why, "the recorded reply has no more bytes");
		return -ENOTCONN;
	}
	if (p->queue_len == 0 || clock_boot() < p->queue[p->queue_at].when)
		return -EAGAIN;
	const struct due due = p->queue[p->queue_at];
	const struct capture_record *record = &p->file.records[due.index];
	if (endpoint_of(link, record->channel) != link->from)
		return -EAGAIN;
	size_t len = record->len < size ? record->len : size;
	memcpy(to, record->data, len);
	if (is_tcp(p))
		renumber(p, &due, to, len);
	p->queue_at = (p->queue_at + 1) % p->queue_size;
	p->queue_len--;
	set_alarm(link);
	return len > 0 ? (ssize_t)len : -EAGAIN;
}

/* --- requests --------------------------------------------------------------------------------- */

/* The next request of the lane at or after `at`; the number of records if there is none. */
static size_t next_request(const struct playback *p, unsigned lane, size_t at)
{
	const struct capture_record *records = p->file.records;
	while (at < p->file.count && (records[at].kind != CAPTURE_OUT ||
					     lane_of(p, records[at].data, records[at].len) != lane))
		at++;
	return at;
}

/* How many bytes of both are the same. */
static size_t same(const struct playback *p, const struct capture_record *record, size_t offset,
	const uint8_t *data, size_t len)
{
	size_t n = 0, skip = is_tcp(p) && offset == 0 ? 2 : 0;
	while (n < len && offset + n < record->len &&
		(n < skip || record->data[offset + n] == data[n]))
		n++;
	return n;
}

/* True if data[0 ... len) was sent from `at` on; then moves `at` past it. */
static bool matches(const struct playback *p, unsigned lane, struct position *at,
	const uint8_t *data, size_t len)
{
	struct position position = *at;
	for (size_t done = 0; done < len;) {
		if (position.index >= p->file.count)
			return false;
		const struct capture_record *record = &p->file.records[position.index];
		size_t n = same(p, record, position.offset, data + done, len - done);
		done += n;
		position.offset += n;
		bool is_whole = position.offset == record->len;
		if (done < len && !is_whole)
			return false;
		if (has_messages(p) && (done < len || !is_whole))
			return false;
		if (is_whole)
			position = (struct position){
				done < len ? next_request(p, lane, position.index + 1)
					   : position.index + 1,
				0};
	}
	*at = position;
	return true;
}

/* Searches from `at` on: true with `at` past the request, and *from its record. */
static bool find(const struct playback *p, unsigned lane, struct position *at, const uint8_t *data,
	size_t len, size_t *from)
{
	struct position position = *at;
	if (position.offset == 0)
		position.index = next_request(p, lane, position.index);
	while (position.index < p->file.count) {
		*from = position.index;
		struct position found = position;
		if (matches(p, lane, &found, data, len)) {
			*at = found;
			return true;
		}
		position = (struct position){next_request(p, lane, position.index + 1), 0};
	}
	return false;
}

static void show_bytes(char *to, size_t size, const uint8_t *data, size_t len)
{
	to[0] = '\0';
	for (size_t i = 0; i < len && i < SHOW_MAX; i++)
		snprintf(to + 3 * i, size - 3 * i, "%02x ", data[i]);
	snprintf(to + strlen(to), size - strlen(to), "%s(%zu bytes)", len > SHOW_MAX ? "... " : "",
		len);
}

/* Explains where the request and the recording differ. */
static ssize_t reject(struct link *link, unsigned lane, const uint8_t *data, size_t len)
{
	const struct playback *p = link->own;
	char sent[60], recorded[60];
	size_t next = p->lanes[lane].offset > 0 ? p->lanes[lane].index
						: next_request(p, lane, p->lanes[lane].index);
	if (next >= p->file.count && !p->port->loop) {
		link->is_over = true;
		snprintf(link->why, sizeof link->why, "the recording %.150s is over",
			p->port->playback);
		return -ENODEV;
	}
	show_bytes(sent, sizeof sent, data, len);
	if (next >= p->file.count) {
		snprintf(link->why, sizeof link->why,
			"playback: the driver sends %s, which is not in the recording", sent);
		return -ENODEV;
	}
	const struct capture_record *record = &p->file.records[next];
	show_bytes(recorded, sizeof recorded, record->data, record->len);
	snprintf(link->why, sizeof link->why,
		"playback: the driver sends %s; record %zu, at %+.6f s, has %s: they differ from "
		"byte %zu",
		sent, next + 1, (double)(int64_t)(record->mono - p->file.head.mono) / 1e9, recorded,
		same(p, record, 0, data, len));
	return -ENODEV;
}

static ssize_t playback_send(struct link *link, const uint8_t *data, size_t len)
{
	struct playback *p = link->own;
	unsigned lane = lane_of(p, data, len);
	struct position *at = &p->lanes[lane], first = {0, 0};
	size_t from;
	bool found = find(p, lane, at, data, len, &from);
	if (!found && p->port->loop) {
		found = find(p, lane, &first, data, len, &from);
		if (found)
			*at = first;
	}
	if (!found)
		return reject(link, lane, data, len);
	struct due due = {0};
	if (is_tcp(p) && len >= 2) {
		memcpy(due.sent, data, 2);
		memcpy(due.recorded, p->file.records[from].data, 2);
	}
	if (deliver(p, from, *at, &due) < 0)
		return link_fail(link, ENOMEM, "playback");
	p->is_asked = p->port->kind == ASSAY_LINK_HTTP;
	set_alarm(link);
	return (ssize_t)len;
}

static int playback_connect(struct link *link, int *wait)
{
	return 0;
}

static void playback_hang_up(struct link *link)
{
	struct playback *p = link->own;
	p->is_asked = false;
	p->queue_len = 0;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void playback_close(struct link *link)
{
	struct playback *p = link->own;
	capture_file_close(&p->file);
	free(p->queue);
	free(p);
	link->own = NULL;
	if (link->fd >= 0)
		close(link->fd);
}

/*
 * Of USB: the recording has addresses, and not which key of the link each of them had.  A driver
 * reads replies before it starts a stream, so the first one is that of the replies.
 */
static void name_endpoints(struct link *link)
{
	const struct playback *p = link->own;
	unsigned count = 0;
	if (p->port->kind != ASSAY_LINK_USB)
		return;
	link->has_endpoints = true;
	link->ins[LINK_CONTROL] = 0x80;
	for (size_t i = 0; i < p->file.count && count < LINK_CONTROL; i++) {
		const struct capture_record *record = &p->file.records[i];
		bool is_known = record->kind != CAPTURE_IN;
		for (unsigned k = 0; k < LINK_ENDPOINTS; k++)
			is_known = is_known || link->ins[k] == record->channel;
		if (!is_known)
			link->ins[count++] = (uint8_t)record->channel;
	}
}

/* Bytes that the instrument sent by itself before the first request are received at once. */
static int start(struct link *link, const struct port *port)
{
	struct playback *p = link->own;
	char why[CAPTURE_WHY];
	int r = capture_file_open(&p->file, port->playback, why);
	if (r < 0) {
		snprintf(link->why, sizeof link->why, "cannot play %.150s: %.100s", port->playback,
			why);
		return r;
	}
	link->fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (link->fd < 0)
		return link_fail(link, errno, "playback needs a timer");
	name_endpoints(link);
	struct due due = {0};
	r = deliver(p, 0, (struct position){0, 0}, &due);
	set_alarm(link);
	return r;
}

static int playback_open(struct link *link, const struct port *port)
{
	struct playback *p = link->own = calloc(1, sizeof *p);
	if (p == NULL)
		return link_fail(link, ENOMEM, "playback");
	p->port = port;
	int r = start(link, port);
	if (r < 0)
		playback_close(link);
	return r;
}

const struct link_ops link_playback = {
	.open = playback_open,
	.close = playback_close,
	.receive = playback_receive,
	.send = playback_send,
	.connect = playback_connect,
	.hang_up = playback_hang_up,
	.receive_max = CAPTURE_DATA_MAX,
};

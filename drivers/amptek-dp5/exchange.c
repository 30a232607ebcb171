/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	ATTEMPTS = 3,
	WRITE_MS = 1000,
	FIRST_BYTE_MS = 1000,
	FIRST_BYTE_SLOW_MS = 2000, /* after a flash write of 80 to 400 ms */
	GAP_MS = 500,              /* between the pieces of a reply */
	TOTAL_MS = 3000,
	TOTAL_SERIAL_MS = 16000, /* 24648 bytes at the slowest rate, 19200 baud, take 13 s */
	BUSY_PAUSE_MS = 100,
	BUSY_MAX = 20,
	REPEAT_MS = 1, /* between two copies of a datagram */
};

static const char *request_name(enum packet_request request)
{
	switch (request) {
	case REQUEST_STATUS: return "read status";
	case REQUEST_SPECTRUM: return "read spectrum";
	case REQUEST_SPECTRUM_AND_CLEAR: return "read and clear spectrum";
	case REQUEST_CONFIGURE_SAVED:
	case REQUEST_CONFIGURE: return "configure";
	case REQUEST_READBACK: return "read configuration";
	case REQUEST_CLEAR: return "clear spectrum";
	case REQUEST_ENABLE: return "start counting";
	case REQUEST_DISABLE: return "stop counting";
	}
	return "unknown";
}

/* The serial receiver drops half a packet after a gap of 100 ms (guide). */
static int wait_for_silence(struct assay_instrument *ins)
{
	bool serial = ins->link == ASSAY_LINK_SERIAL;
	return assay_drain(ins, serial ? 120 : 50, serial ? TOTAL_SERIAL_MS : 1000);
}

int exchange_clear(struct assay_instrument *ins, struct exchange *x)
{
	x->rx_len = 0;
	return wait_for_silence(ins);
}

static int time_left(const struct assay_instrument *ins, uint64_t end)
{
	uint64_t now = assay_now_ms(ins);
	return now < end ? (int)(end - now) : 0;
}

/*
 * Whether the datagram that came last is to be dropped, because the network delivered the one
 * before it twice.  Two datagrams of a spectrum may be equal, so that is tried only after a reply
 * with equal ones was wrong.  `last`: the length of the datagram before; 0: none, or it was dropped.
 */
static bool is_repeat(const struct assay_instrument *ins, struct exchange *x, size_t last, size_t n)
{
	const uint8_t *at = x->rx + x->rx_len;
	if (ins->link != ASSAY_LINK_UDP || n != last || memcmp(at, at - last, n) != 0)
		return false;
	x->has_repeats = true;
	return x->drops_repeats;
}

/* Collects one whole packet from datagrams, transfers or a stream, by its length field. */
static int receive(struct assay_instrument *ins, struct exchange *x, struct packet *reply)
{
	uint64_t now = assay_now_ms(ins);
	uint64_t end = now + (ins->link == ASSAY_LINK_SERIAL ? TOTAL_SERIAL_MS : TOTAL_MS);
	int wait = now < x->slow_until ? FIRST_BYTE_SLOW_MS : FIRST_BYTE_MS;
	size_t last = 0;
	x->rx_len = 0;
	x->has_repeats = false;
	for (;;) {
		int left = time_left(ins, end);
		if (left == 0)
			return -ETIMEDOUT;
		ssize_t n = assay_read(ins, x->rx + x->rx_len, sizeof(x->rx) - x->rx_len,
			wait < left ? wait : left);
		if (n < 0)
			return (int)n;
		if (is_repeat(ins, x, last, (size_t)n)) {
			last = 0;
			continue;
		}
		last = (size_t)n;
		x->rx_len += (size_t)n;
		ssize_t total = packet_length(x->rx, x->rx_len);
		if (total < 0 || (total > 0 && x->rx_len > (size_t)total))
			return -EBADMSG;
		if (total > 0 && x->rx_len == (size_t)total)
			return packet_parse(x->rx, x->rx_len, reply);
		wait = GAP_MS;
	}
}

static int attempt(
	struct assay_instrument *ins, struct exchange *x, size_t tx_len, struct packet *reply)
{
	/* What the network delivered twice is not the reply to this request. */
	int r = ins->link == ASSAY_LINK_UDP ? assay_drain(ins, REPEAT_MS, 5 * REPEAT_MS) : 0;
	if (r == 0 || r == -EBADMSG)
		r = assay_write(ins, x->tx, tx_len, WRITE_MS);
	if (r == 0)
		r = receive(ins, x, reply);
	/* Too much came, or too little. */
	if ((r == -EBADMSG || r == -ETIMEDOUT) && x->has_repeats)
		x->drops_repeats = r == -EBADMSG;
	return r;
}

static int refuse(struct assay_instrument *ins, struct exchange *x, enum packet_request request,
	const struct packet *reply)
{
	int n = reply->len < sizeof(x->refused) ? (int)reply->len : (int)sizeof(x->refused) - 1;
	x->refusal = reply->pid2;
	for (int i = 0; i < n; i++)
		x->refused[i] = reply->data[i] >= ' ' && reply->data[i] < 0x7f
					? (char)reply->data[i]
					: '?';
	x->refused[n] = '\0';
	assay_explain(ins, "the instrument refused \"%s\": %s (code %02X)",
		n > 0 ? x->refused : request_name(request), packet_ack_text(reply->pid2),
		reply->pid2);
	return -EPROTO;
}

static bool is_wanted(const struct packet *reply, enum packet_reply want)
{
	if (reply->pid1 != want)
		return false;
	switch (want) {
	case REPLY_STATUS: return reply->len == STATUS_BYTES;
	case REPLY_SPECTRUM: return packet_channels(reply) > 0;
	case REPLY_OTHER: return reply->pid2 == 0x07;
	case REPLY_ACK: break;
	}
	return true;
}

/* 0: the wanted reply; -EBADMSG: repeat the request; -EBUSY; -EPROTO, explained. */
static int classify(struct assay_instrument *ins, struct exchange *x, enum packet_request request,
	enum packet_reply want, const struct packet *reply)
{
	if (reply->pid1 != REPLY_ACK)
		return is_wanted(reply, want) ? 0 : -EBADMSG;
	switch (reply->pid2) {
	case ACK_OK:
	case ACK_OK_SHARE: return want == REPLY_ACK ? 0 : -EBADMSG;
	case ACK_SYNC:
	case ACK_LENGTH:
	case ACK_CHECKSUM: return -EBADMSG;
	case ACK_BUSY: return -EBUSY;
	default: return refuse(ins, x, request, reply);
	}
}

static int give_up(struct assay_instrument *ins, enum packet_request request, int err)
{
	if (err == -EBUSY) {
		assay_explain(ins, "the instrument stayed busy; the request was \"%s\"",
			request_name(request));
		return -EPROTO;
	}
	if (err == -EBADMSG)
		assay_explain(ins, "no valid reply to \"%s\" after %d attempts",
			request_name(request), ATTEMPTS);
	else if (ins->link == ASSAY_LINK_UDP)
		assay_explain(ins,
			"no reply to \"%s\" after %d attempts; the instrument replies to one "
			"host at a time: is it in use by another program?",
			request_name(request), ATTEMPTS);
	else
		assay_explain(ins, "no reply to \"%s\" after %d attempts", request_name(request),
			ATTEMPTS);
	return err;
}

/* Repeats the request up to ATTEMPTS times; replies to earlier attempts may still arrive. */
static int request_repeatedly(struct assay_instrument *ins, struct exchange *x,
	enum packet_request request, size_t tx_len, enum packet_reply want, struct packet *reply)
{
	int err = 0;
	for (unsigned busy = 0; x->attempts < ATTEMPTS; x->attempts++) {
		if (x->attempts > 0) {
			assay_retried(ins);
			int r = wait_for_silence(ins);
			if (r < 0)
				return r;
		}
		for (;;) {
			err = attempt(ins, x, tx_len, reply);
			if (err == 0)
				err = classify(ins, x, request, want, reply);
			if (err != -EBUSY || busy++ == BUSY_MAX)
				break;
			int r = assay_drain(ins, BUSY_PAUSE_MS, 2 * BUSY_PAUSE_MS);
			if (r < 0)
				return r;
		}
		if (err != -EBADMSG && err != -ETIMEDOUT)
			break;
	}
	return err;
}

int exchange(struct assay_instrument *ins, struct exchange *x, enum packet_request request,
	const void *data, size_t len, enum packet_reply want, struct packet *reply)
{
	size_t tx_len = packet_build(x->tx, request, data, len);
	x->attempts = 0;
	x->refusal = 0;
	x->refused[0] = '\0';
	int r = request_repeatedly(ins, x, request, tx_len, want, reply);
	x->attempts++;
	if (r == -EBADMSG || r == -ETIMEDOUT || r == -EBUSY)
		return give_up(ins, request, r);
	if (r == 0 && x->attempts > 1)
		return wait_for_silence(ins);
	return r;
}

int exchange_command(struct assay_instrument *ins, struct exchange *x, enum packet_request request,
	const void *data, size_t len)
{
	struct packet reply;
	int r = exchange(ins, x, request, data, len, REPLY_ACK, &reply);
	if (r == 0 && request == REQUEST_CONFIGURE_SAVED)
		x->slow_until = assay_now_ms(ins) + 1000;
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <errno.h>
#include <string.h>

enum {
	ATTEMPTS = 3, /* after damaged replies */
	SILENT_MAX = 2,
	WRITE_MS = 1000,
	REPLY_MS = 5000,
	BOOT_MS = 15000, /* the first request of the versions starts the light modulator */
	GAP_MS = 500,    /* between the pieces of a reply */
	QUIET_MS = 50,
	DRAIN_MS = 2000,
	BUSY_MAX = 10,
	BUSY_PAUSE_MS = 200,
};

int exchange_clear(struct assay_instrument *ins, struct exchange *x)
{
	x->len = 0;
	int r = assay_drain(ins, QUIET_MS, DRAIN_MS);
	x->is_dirty = r < 0;
	return r;
}

/* Appends the bytes that come next: over USB one report, which is always whole. */
static int read_more(struct assay_instrument *ins, struct exchange *x, uint64_t end)
{
	uint64_t now = assay_now_ms(ins), left = now < end ? end - now : 0;
	bool is_usb = ins->link == ASSAY_LINK_USB;
	size_t room = is_usb ? REPORT_BYTES : sizeof(x->rx) - x->len;
	if (left == 0)
		return -ETIMEDOUT;
	if (x->len > 0 && left > GAP_MS)
		left = GAP_MS;
	ssize_t n = assay_read(ins, x->rx + x->len, room, (int)left);
	if (n < 0)
		return (int)n;
	x->len += (size_t)n;
	return is_usb && n != REPORT_BYTES ? -EBADMSG : 0;
}

/* Removes the bytes of the packet at the front: the reports of one reply have no other one in them. */
static void drop(const struct assay_instrument *ins, struct exchange *x, size_t n)
{
	x->len = ins->link == ASSAY_LINK_USB ? 0 : x->len - n;
	memmove(x->rx, x->rx + n, x->len);
}

/* One whole packet; over the UART bytes before it are skipped. */
static int receive(struct assay_instrument *ins, struct exchange *x, uint64_t end, struct packet *p,
	size_t *used)
{
	for (;;) {
		ssize_t total = 0;
		if (ins->link != ASSAY_LINK_USB) {
			drop(ins, x, packet_skip(x->rx, x->len));
			total = packet_from_frame(x->rx, x->len, p);
		} else if (x->len > 0) {
			total = packet_from_reports(x->rx, x->len, p);
		}
		*used = total > 0 ? (size_t)total : 0;
		if (total != 0)
			return total > 0 ? 0 : (int)total;
		int r = read_more(ins, x, end);
		if (r < 0)
			return r;
	}
}

/*
 * The reply to this request, which has its sequence number: others are late ones to earlier requests.
 * 0; -EPROTO: refused; -EBUSY; -EBADMSG: to be sent again.
 */
static int await(struct assay_instrument *ins, struct exchange *x, const struct command *c,
	uint8_t flags, struct reply *out)
{
	bool boots = c == command_find(NANO_VERSIONS);
	uint64_t end = assay_now_ms(ins) + (boots ? BOOT_MS : REPLY_MS);
	uint16_t opcode = ins->link == ASSAY_LINK_USB ? 0 : c->opcode;
	struct packet p;
	size_t used;
	x->len = 0;
	for (;;) {
		int r = receive(ins, x, end, &p, &used);
		if (r < 0)
			return r;
		if (p.sequence == x->sequence && p.opcode == opcode)
			break;
		drop(ins, x, used);
	}
	if ((p.flags & ~PACKET_RESULT) != flags)
		return -EBADMSG;
	switch (p.flags & PACKET_RESULT) {
	case RESULT_OK: break;
	case RESULT_ERROR: return -EPROTO;
	case RESULT_BUSY: return -EBUSY;
	default: return -EBADMSG;
	}
	*out = (struct reply){p.data, p.len};
	return p.len >= c->least ? 0 : -EBADMSG;
}

/* The UART ends a request at a gap of 1 ms: it is one write. */
static int attempt(struct assay_instrument *ins, struct exchange *x, const struct command *c,
	const void *arguments, size_t len, struct reply *out)
{
	uint8_t tx[REPORT_BYTES];
	struct packet p = {
		.flags = c->is_write ? PACKET_WANTS_REPLY : PACKET_READ | PACKET_WANTS_REPLY,
		.sequence = ++x->sequence,
		.opcode = c->opcode,
		.data = arguments,
		.len = len};
	size_t total = REPORT_BYTES;
	int r = x->is_dirty ? exchange_clear(ins, x) : 0;
	if (r < 0)
		return r;
	if (ins->link == ASSAY_LINK_USB)
		packet_to_report(&p, tx);
	else
		total = packet_to_frame(&p, tx);
	r = assay_write(ins, tx, total, WRITE_MS);
	if (r == 0)
		r = await(ins, x, c, p.flags, out);
	x->is_dirty = r < 0;
	return r;
}

static int explain(struct assay_instrument *ins, const struct command *c, int r)
{
	if (r == -EPROTO)
		assay_explain(ins, "the instrument refused \"%s\" (%02X-%02X)", c->name,
			c->opcode >> 8, c->opcode & 0xff);
	else if (r == -EBUSY)
		assay_explain(ins,
			"the instrument is busy: another program may use its serial port or "
			"Bluetooth, which it frees 3 min after their last request");
	else if (r == -EBADMSG)
		assay_explain(ins, "no valid reply to \"%s\"", c->name);
	else if (r == -ETIMEDOUT)
		assay_explain(ins, "no reply to \"%s\": is the instrument on, and awake?", c->name);
	return r == -EBUSY ? -EPROTO : r;
}

/*
 * Over the UART an error may also be the reply to a damaged request, and its frame need not be whole:
 * it is sent again, too.  A refusal over USB is final.
 */
int exchange(struct assay_instrument *ins, struct exchange *x, enum nano_command which,
	const void *arguments, size_t len, struct reply *out)
{
	const struct command *c = command_find(which);
	bool is_usb = ins->link == ASSAY_LINK_USB;
	unsigned busy = 0;
	int r;
	for (unsigned n = 1;; n++) {
		r = attempt(ins, x, c, arguments, len, out);
		while (r == -EBUSY && busy++ < BUSY_MAX) {
			r = assay_pause(ins, BUSY_PAUSE_MS);
			if (r == 0)
				r = attempt(ins, x, c, arguments, len, out);
		}
		bool is_open = r == -ETIMEDOUT || r == -EBADMSG || (r == -EPROTO && !is_usb);
		if (!is_open || c->is_once || n >= (r == -ETIMEDOUT ? SILENT_MAX : ATTEMPTS))
			break;
		assay_retried(ins);
	}
	return explain(ins, c, r);
}

int exchange_number(
	struct assay_instrument *ins, struct exchange *x, enum nano_command which, uint32_t *out)
{
	struct reply reply;
	int r = exchange(ins, x, which, NULL, 0, &reply);
	*out = 0;
	if (r == 0)
		*out = command_find(which)->least == 1 ? reply.data[0] : packet_u32(reply.data);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <errno.h>
#include <string.h>

#define REPLY_MS 1000
#define QUIET_MS 20 /* the device holds 1 KiB: some milliseconds of USB */
#define LIMIT_MS 1000

enum {
	DIGITAL_AT = 9, /* of a reply of Feedback: behind error, failing part and echo */
};

static int refuse(struct assay_instrument *ins, const struct packet *p, unsigned error)
{
	assay_explain(ins, "the device rejects command 0x%02x with error %u: %s",
		p->len == 2 ? p->bytes[1] : p->bytes[3], error, packet_error(error));
	return -EPROTO;
}

int exchange(struct assay_instrument *ins, const struct packet *p, uint8_t reply[PACKET_MAX])
{
	unsigned error;
	int r = assay_write(ins, p->bytes, p->len, REPLY_MS);
	if (r == 0)
		r = assay_read_exact(ins, reply, p->reply, REPLY_MS);
	if (r < 0)
		return r;
	if (!packet_fits(p, reply, &error)) {
		assay_explain(ins, "the reply is damaged, or belongs to another command");
		return -EBADMSG;
	}
	return error != 0 ? refuse(ins, p, error) : 0;
}

/* Replies to earlier commands may come before that to the stop. */
static int await_stopped(struct assay_instrument *ins, const struct packet *p, unsigned *error)
{
	uint8_t last[STREAM_REPLY] = {0};
	uint64_t end = assay_now_ms(ins) + REPLY_MS;
	do {
		uint64_t now = assay_now_ms(ins);
		if (now >= end)
			return -ETIMEDOUT;
		memmove(last, last + 1, sizeof last - 1);
		ssize_t n = assay_read(ins, &last[sizeof last - 1], 1, (int)(end - now));
		if (n < 0)
			return (int)n;
	} while (last[1] != STREAM_STOPPED || !packet_fits(p, last, error));
	return 0;
}

int exchange_halt(struct assay_instrument *ins)
{
	struct packet p;
	unsigned error;
	packet_stop_stream(&p);
	int r = assay_write(ins, p.bytes, p.len, REPLY_MS);
	if (r == 0)
		r = await_stopped(ins, &p, &error);
	if (r == 0 && error != 0 && error != ERROR_NOT_RUNNING)
		r = refuse(ins, &p, error);
	return r < 0 ? r : assay_drain(ins, QUIET_MS, LIMIT_MS);
}

int exchange_digital(struct assay_instrument *ins, unsigned line)
{
	struct packet p;
	uint8_t reply[PACKET_MAX];
	packet_read_digital(&p, line);
	int r = exchange(ins, &p, reply);
	return r < 0 ? r : reply[DIGITAL_AT] & 1;
}

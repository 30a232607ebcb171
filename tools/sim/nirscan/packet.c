/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Framing.  USB: four bytes of head and the body in reports of 64 bytes.  UART: the same between a
 * preamble with a checksum and a trailer, and the reply carries the opcode.
 */
#include <string.h>

#include "nirscan.h"

#define HEAD        4
#define READ        0x80
#define WANTS_REPLY 0x40
#define RESULT_MASK 0x30
#define MUST_BE_0   0x3F /* result, reserved, and a destination that does not exist */
#define UART_FRONT  8
#define UART_BACK   4
#define ABANDONED   UINT64_C(1000000000) /* an unfinished request on USB */

static const uint8_t preamble[] = {0x41, 0x42, 0x43, 0x44};
static const uint8_t trailer[] = {0x44, 0x43, 0x42, 0x41};

static uint16_t u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static struct nirscan_request parse(const uint8_t *head, size_t len)
{
	return (struct nirscan_request){.is_read = (head[0] & READ) != 0,
		.opcode = u16(head + HEAD),
		.arguments = head + HEAD + 2,
		.len = len - 2};
}

static void send_reports(struct nirscan *n, const uint8_t *data, size_t len)
{
	for (size_t at = 0; at < len; at += NIRSCAN_REPORT) {
		uint8_t report[NIRSCAN_REPORT] = {0};
		size_t part = len - at < NIRSCAN_REPORT ? len - at : NIRSCAN_REPORT;
		memcpy(report, data + at, part);
		sim_emit(n->m, report, sizeof report);
	}
}

/* A whole request on USB. */
static void answer_usb(struct nirscan *n, size_t len)
{
	uint8_t reply[HEAD + NIRSCAN_BODY_MAX] = {0};
	size_t data = 0;
	struct nirscan_request request = parse(n->in, len);
	enum nirscan_result result = nirscan_carry_out(
		n, &request, reply + HEAD, NIRSCAN_BODY_MAX, &data);
	if ((n->in[0] & WANTS_REPLY) == 0)
		return;
	data = result == RESULT_OK ? data : 0;
	reply[0] = (uint8_t)(n->in[0] | result << 4);
	reply[1] = n->in[1];
	reply[2] = (uint8_t)data;
	reply[3] = (uint8_t)(data >> 8);
	send_reports(n, reply, HEAD + data);
}

static void take_report(struct nirscan *n, const uint8_t *data, size_t len)
{
	if (len != NIRSCAN_REPORT)
		return;
	memcpy(n->in + n->in_len, data, len);
	n->in_len += len;
	n->heard = n->now;
	size_t body = u16(n->in + 2);
	if ((n->in[0] & MUST_BE_0) != 0 || body < 2 || body > NIRSCAN_BODY_MAX) {
		sim_truth(n->m, "refused", ",\"flags\":%u,\"length\":%zu", n->in[0], body);
		n->in_len = 0;
	} else if (n->in_len >= HEAD + body) {
		answer_usb(n, body);
		n->in_len = 0;
	}
}

/* ---- UART ---- */

static void send_frame(struct nirscan *n, uint8_t *frame, size_t body)
{
	uint32_t sum = 0;
	size_t len = HEAD + body;
	memcpy(frame, preamble, sizeof preamble);
	for (size_t i = 0; i < len; i++)
		sum += frame[UART_FRONT + i];
	for (int i = 0; i < 4; i++)
		frame[4 + i] = (uint8_t)(sum >> 8 * i);
	memcpy(frame + UART_FRONT + len, trailer, sizeof trailer);
	sim_emit(n->m, frame, UART_FRONT + len + UART_BACK);
}

/* A length that belongs to the reply before stands in it, as the firmware does. */
static void reject_checksum(struct nirscan *n, const uint8_t *head)
{
	uint8_t frame[UART_FRONT + HEAD + UART_BACK];
	frame[8] = (uint8_t)(head[0] | RESULT_ERROR << 4);
	frame[9] = head[1];
	frame[10] = (uint8_t)n->last_length;
	frame[11] = (uint8_t)(n->last_length >> 8);
	sim_truth(n->m, "refused", ",\"checksum\":true");
	send_frame(n, frame, 0);
}

static void answer_uart(struct nirscan *n, size_t body)
{
	uint8_t frame[UART_FRONT + HEAD + NIRSCAN_BODY_MAX + UART_BACK];
	const uint8_t *head = n->in + UART_FRONT;
	uint32_t sum = 0, given = n->in[4] | (uint32_t)n->in[5] << 8 | (uint32_t)n->in[6] << 16 |
				  (uint32_t)n->in[7] << 24;
	size_t data = 0;
	for (size_t i = 0; i < HEAD + body; i++)
		sum += head[i];
	if (sum != given) {
		reject_checksum(n, head);
		return;
	}
	struct nirscan_request request = parse(head, body);
	enum nirscan_result result = nirscan_carry_out(
		n, &request, frame + UART_FRONT + HEAD + 2, NIRSCAN_BODY_MAX - 2, &data);
	data = result == RESULT_OK ? data : 0;
	frame[8] = (uint8_t)(head[0] | result << 4);
	frame[9] = head[1];
	frame[10] = (uint8_t)(data + 2);
	frame[11] = (uint8_t)((data + 2) >> 8);
	memcpy(frame + UART_FRONT + HEAD, head + HEAD, 2);
	n->last_length = (uint16_t)(data + 2);
	if ((head[0] & WANTS_REPLY) != 0)
		send_frame(n, frame, 2 + data);
}

static void drop_byte(struct nirscan *n)
{
	memmove(n->in, n->in + 1, --n->in_len);
}

/* Looks for a frame from the first byte on; false if more bytes are needed. */
static bool take_frame(struct nirscan *n)
{
	size_t known = n->in_len < sizeof preamble ? n->in_len : sizeof preamble;
	if (memcmp(n->in, preamble, known) != 0) {
		drop_byte(n);
		return n->in_len > 0;
	}
	if (n->in_len < UART_FRONT + HEAD)
		return false;
	const uint8_t *head = n->in + UART_FRONT;
	size_t body = u16(head + 2), len = UART_FRONT + HEAD + body + UART_BACK;
	if ((head[0] & MUST_BE_0) != 0 || body < 2 || body > NIRSCAN_BODY_MAX) {
		drop_byte(n);
		return true;
	}
	if (n->in_len < len)
		return false;
	bool is_frame = memcmp(n->in + len - UART_BACK, trailer, sizeof trailer) == 0;
	bool is_skipped = n->skips_frame;
	if (is_frame) {
		n->skips_frame = false;
		if (!is_skipped)
			answer_uart(n, body);
	}
	size_t used = is_frame ? len : 1;
	n->in_len -= used;
	memmove(n->in, n->in + used, n->in_len);
	return n->in_len > 0;
}

void packet_take(struct nirscan *n, const uint8_t *data, size_t len, bool is_usb)
{
	if (is_usb) {
		take_report(n, data, len);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		n->in[n->in_len++] = data[i];
		n->heard = n->now;
		while (take_frame(n))
			;
	}
}

uint64_t packet_due(const struct nirscan *n)
{
	bool is_usb = n->m->env.transport == SIM_USB;
	uint64_t wait = sim_wire_time(n->m, is_usb ? ABANDONED : n->plan.gap);
	return n->in_len > 0 ? n->heard + wait : SIM_NEVER;
}

void packet_give_up(struct nirscan *n)
{
	static const uint8_t gap[] = {
		0x41, 0x42, 0x43, 0x44, 0x10, 0, 0, 0, 0x10, 0, 0, 0, 0x44, 0x43, 0x42, 0x41};
	n->in_len = 0;
	if (n->m->env.transport != SIM_USB)
		sim_emit(n->m, gap, sizeof gap);
}

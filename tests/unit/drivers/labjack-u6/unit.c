/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Nominal: 0.00031580578 V per unit at +-10 V, centre 33523. */
static const double nominal[40] = {3.1580578e-4, -10.58, 3.1580578e-5, -1.058, 3.1580578e-6,
	-0.1058, 3.1580578e-7, -0.01058, -3.158058e-4, 33523, -3.158058e-5, 33523, -3.158058e-6,
	33523, -3.158058e-7, 33523, 13200, 0, 13200, 0, 1e-5, 2e-4, -92.379, 465.129, 3.1580578e-4,
	-10.58, 3.1580578e-5, -1.058, 3.1580578e-6, -0.1058, 3.1580578e-7, -0.01058, -3.158058e-4,
	33523, -3.158058e-5, 33523, -3.158058e-6, 33523, -3.158058e-7, 33523};

void unit_set_constant(struct unit *u, unsigned i, double value)
{
	uint8_t *at = u->memory[i / 4] + i % 4 * 8;
	int64_t fixed = (int64_t)llround(value * 4294967296.0); /* two's complement of both parts */
	for (unsigned k = 0; k < 8; k++)
		at[k] = (uint8_t)((uint64_t)fixed >> 8 * k);
}

double unit_constant(const struct unit *u, unsigned i)
{
	const uint8_t *at = u->memory[i / 4] + i % 4 * 8;
	uint64_t fixed = 0;
	for (unsigned k = 0; k < 8; k++)
		fixed |= (uint64_t)at[k] << 8 * k;
	return (double)(int64_t)fixed / 4294967296.0;
}

double unit_volts(const struct unit *u, unsigned gain, double raw)
{
	double center = unit_constant(u, gain * 2 + 9);
	if (raw < center)
		return (center - raw) * unit_constant(u, gain * 2 + 8);
	return (raw - center) * unit_constant(u, gain * 2);
}

static uint8_t fold(unsigned sum)
{
	sum = (sum & 0xff) + (sum >> 8);
	return (uint8_t)((sum & 0xff) + (sum >> 8));
}

void unit_close(uint8_t *packet, size_t len)
{
	unsigned sum = 0;
	for (size_t i = 6; i < len; i++)
		sum += packet[i];
	packet[4] = (uint8_t)sum;
	packet[5] = (uint8_t)(sum >> 8);
	packet[0] = fold(packet[1] + packet[2] + packet[3] + packet[4] + packet[5]);
}

size_t unit_packet(uint8_t *packet, const uint16_t *samples, size_t count, unsigned counter,
	unsigned error, unsigned dropped, unsigned backlog)
{
	size_t len = 14 + 2 * count;
	memset(packet, 0, len);
	packet[1] = 0xf9;
	packet[2] = (uint8_t)(4 + count);
	packet[3] = 0xc0;
	packet[6] = (uint8_t)dropped;
	packet[7] = (uint8_t)(dropped >> 8);
	packet[10] = (uint8_t)counter;
	packet[11] = (uint8_t)error;
	for (size_t i = 0; i < count; i++) {
		packet[12 + 2 * i] = (uint8_t)samples[i];
		packet[13 + 2 * i] = (uint8_t)(samples[i] >> 8);
	}
	packet[12 + 2 * count] = (uint8_t)backlog;
	unit_close(packet, len);
	return len;
}

static void write_block(const struct unit *u, unsigned block, uint8_t *reply)
{
	memset(reply, 0, 40);
	reply[1] = 0xf8;
	reply[2] = 0x11;
	reply[3] = 0x2d;
	memcpy(reply + 8, u->memory[block], 32);
	unit_close(reply, 40);
}

void unit_memory(const struct unit *u, uint8_t *replies)
{
	for (unsigned i = 0; i < 10; i++)
		write_block(u, i, replies + 40 * i);
}

static void answer(struct unit *u, uint8_t *reply, size_t len)
{
	if (u->is_damaged)
		reply[len - 1] ^= 0x10;
	if (!u->is_silent)
		host_answer(u->h, reply, len);
}

static void answer_identity(struct unit *u)
{
	uint8_t reply[38] = {0, 0xf8, 0x10, 0x08};
	const uint8_t versions[] = {43, 1, 15, 6, 0, 2}; /* 1.43, 6.15, 2.00 */
	memcpy(reply + 9, versions, sizeof versions);
	for (unsigned i = 0; i < 4; i++)
		reply[15 + i] = (uint8_t)(u->serial >> 8 * i);
	reply[19] = (uint8_t)u->product;
	reply[20] = (uint8_t)(u->product >> 8);
	reply[21] = 1;
	reply[37] = u->info;
	unit_close(reply, sizeof reply);
	answer(u, reply, sizeof reply);
}

static void answer_feedback(struct unit *u, const uint8_t *command, size_t len)
{
	uint8_t reply[12] = {0, 0xf8};
	bool is_analog = command[7] == 2;
	if (!(is_analog && len == 12) && !(command[7] == 10 && len == 10)) {
		u->complaint = "a Feedback that is not one reading";
		return;
	}
	if (!is_analog && ++u->line_reads == u->rises_at)
		u->line ^= 1;
	reply[2] = is_analog ? 3 : 2;
	reply[8] = command[6];
	reply[9] = (uint8_t)(is_analog ? u->raw24 : u->line);
	reply[10] = (uint8_t)(is_analog ? u->raw24 >> 8 : 0);
	reply[11] = (uint8_t)(u->raw24 >> 16);
	size_t size = 6 + 2 * (size_t)reply[2];
	unit_close(reply, size);
	answer(u, reply, size);
}

static void answer_setup(struct unit *u, const uint8_t *command, size_t len)
{
	uint8_t reply[8] = {0, 0xf8, 1, 0x11, 0, 0, u->setup_error, 0};
	if (u->is_streaming)
		u->complaint = "StreamConfig while a stream runs";
	memcpy(u->setup, command, len);
	u->setup_len = len;
	unit_close(reply, sizeof reply);
	answer(u, reply, sizeof reply);
}

static void answer_normal(struct unit *u, uint8_t command)
{
	bool is_start = command == 0xa8;
	unsigned error = is_start ? (u->is_streaming ? 48 : u->start_error)
				  : (u->is_streaming ? 0 : 52);
	uint8_t reply[4] = {0, (uint8_t)(command + 1), (uint8_t)error, 0};
	reply[0] = fold((unsigned)reply[1] + reply[2] + reply[3]);
	*(is_start ? &u->starts : &u->stops) += 1;
	u->is_streaming = is_start && error == 0;
	if (!is_start || !u->loses_start)
		answer(u, reply, sizeof reply);
}

static bool is_zero(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] != 0)
			return false;
	}
	return true;
}

static void take(struct host *h, const uint8_t *data, size_t len)
{
	struct unit *u = h->device_data;
	uint8_t copy[UNIT_PACKET], reply[40];
	if (len == 2 && data[0] == data[1] && (data[0] == 0xa8 || data[0] == 0xb0)) {
		answer_normal(u, data[0]);
		return;
	}
	if (len < 8 || len > sizeof copy || data[1] != 0xf8 || len != 6u + 2u * data[2]) {
		u->complaint = "a command of a wrong length";
		return;
	}
	memcpy(copy, data, len);
	unit_close(copy, len);
	if (memcmp(copy, data, len) != 0)
		u->complaint = "a wrong checksum";
	else if (data[3] == 0x08 && len == 26 && is_zero(data + 6, 20))
		answer_identity(u);
	else if (data[3] == 0x2d && len == 8 && data[6] == 0 && data[7] < 10) {
		write_block(u, data[7], reply);
		answer(u, reply, sizeof reply);
	} else if (data[3] == 0x00)
		answer_feedback(u, data, len);
	else if (data[3] == 0x11)
		answer_setup(u, data, len);
	else
		u->complaint = "a command that may write to the device";
}

void unit_init(struct unit *u, struct host *h)
{
	memset(u, 0, sizeof *u);
	u->h = h;
	h->device = take;
	h->device_data = u;
	u->serial = 360001234;
	u->product = 6;
	u->info = 0x0c;
	u->line = 1;
	u->raw24 = 0x892240;
	for (unsigned i = 0; i < 40; i++)
		unit_set_constant(u, i, nominal[i] * (1 + 1e-3 * i));
}

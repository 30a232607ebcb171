/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <assert.h>
#include <string.h>

#define HEADER 6

static uint16_t sum_of(const uint8_t *data, size_t len)
{
	uint16_t sum = 0;
	for (size_t i = 0; i < len; i++)
		sum = (uint16_t)(sum + data[i]);
	return sum;
}

static size_t length_of(const uint8_t *packet)
{
	return (size_t)packet[4] << 8 | packet[5];
}

enum ack frame_read(const uint8_t *data, size_t len, struct request *request)
{
	if (len < 2 || data[0] != 0xF5 || data[1] != 0xFA)
		return ACK_SYNC;
	if (len < FRAME_OVERHEAD || length_of(data) > FRAME_REQUEST_MAX ||
		length_of(data) + FRAME_OVERHEAD != len)
		return ACK_LEN;
	uint16_t checksum = (uint16_t)(data[len - 2] << 8 | data[len - 1]);
	if ((uint16_t)(sum_of(data, len - 2) + checksum) != 0)
		return ACK_CHECKSUM;
	*request = (struct request){data[2], data[3], data + HEADER, length_of(data)};
	return ACK_OK;
}

void frame_reset(struct receiver *receiver)
{
	receiver->len = 0;
}

bool frame_receive(struct receiver *r, const uint8_t *data, size_t len, size_t *used,
	struct request *request, enum ack *error)
{
	while (*used < len) {
		uint8_t byte = data[(*used)++];
		if (r->len == 1 && byte != 0xFA)
			r->len = 0;
		if (r->len > 0 || byte == 0xF5)
			r->data[r->len++] = byte;
		if (r->len < HEADER)
			continue;
		bool too_long = length_of(r->data) > FRAME_REQUEST_MAX;
		if (!too_long && r->len < length_of(r->data) + FRAME_OVERHEAD)
			continue;
		*error = too_long ? ACK_LEN : frame_read(r->data, r->len, request);
		frame_reset(r);
		return true;
	}
	return false;
}

size_t frame_write(uint8_t *out, uint8_t pid1, uint8_t pid2, const uint8_t *data, size_t len)
{
	assert(len <= FRAME_REPLY_MAX);
	if (len > 0)
		memmove(out + HEADER, data, len);
	out[0] = 0xF5;
	out[1] = 0xFA;
	out[2] = pid1;
	out[3] = pid2;
	out[4] = (uint8_t)(len >> 8);
	out[5] = (uint8_t)len;
	uint16_t checksum = (uint16_t)-sum_of(out, HEADER + len);
	out[HEADER + len] = (uint8_t)(checksum >> 8);
	out[HEADER + len + 1] = (uint8_t)checksum;
	return len + FRAME_OVERHEAD;
}

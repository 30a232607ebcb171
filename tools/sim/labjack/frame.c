/* SPDX-License-Identifier: Apache-2.0 */
/* Frames: a sum of 8 bits, folded twice, over the head, and one of 16 bits over the data. */
#include "labjack.h"

#define HEAD 6

static uint8_t fold(unsigned sum)
{
	sum = sum % 256 + sum / 256;
	sum = sum % 256 + sum / 256;
	return (uint8_t)sum;
}

uint8_t frame_sum(const uint8_t *data, size_t len)
{
	unsigned sum = 0;
	for (size_t i = 1; i < len; i++)
		sum += data[i];
	return fold(sum);
}

static uint16_t sum16(const uint8_t *data, size_t len)
{
	unsigned sum = 0;
	for (size_t i = HEAD; i < len; i++)
		sum += data[i];
	return (uint16_t)sum;
}

bool frame_is_right(const uint8_t *data, size_t len)
{
	return len >= HEAD && len == HEAD + 2 * (size_t)data[2] &&
	       sum16(data, len) == (data[4] | data[5] << 8) && frame_sum(data, HEAD) == data[0];
}

void frame_seal(uint8_t *data, size_t len)
{
	uint16_t sum = sum16(data, len);
	data[2] = (uint8_t)((len - HEAD) / 2);
	data[4] = (uint8_t)sum;
	data[5] = (uint8_t)(sum >> 8);
	data[0] = frame_sum(data, HEAD);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"
#include "status.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static uint16_t sum(const uint8_t *bytes, size_t len)
{
	uint16_t s = 0;
	for (size_t i = 0; i < len; i++)
		s = (uint16_t)(s + bytes[i]);
	return s;
}

static void put16(uint8_t *to, unsigned v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *from)
{
	return (unsigned)from[0] << 8 | from[1];
}

size_t packet_build(uint8_t *out, enum packet_request request, const void *data, size_t len)
{
	assert(len <= PACKET_REQUEST_DATA_MAX);
	put16(out, 0xf5fa);
	put16(out + 2, (unsigned)request);
	put16(out + 4, (unsigned)len);
	if (len > 0)
		memcpy(out + PACKET_HEADER, data, len);
	put16(out + PACKET_HEADER + len, 0x10000u - sum(out, PACKET_HEADER + len));
	return len + PACKET_OVERHEAD;
}

ssize_t packet_length(const uint8_t *bytes, size_t have)
{
	if ((have > 0 && bytes[0] != 0xf5) || (have > 1 && bytes[1] != 0xfa))
		return -EBADMSG;
	if (have < PACKET_HEADER)
		return 0;
	size_t total = get16(bytes + 4) + (size_t)PACKET_OVERHEAD;
	return total <= PACKET_REPLY_MAX ? (ssize_t)total : -EBADMSG;
}

int packet_parse(const uint8_t *bytes, size_t len, struct packet *out)
{
	ssize_t total = packet_length(bytes, len);
	if (total <= 0 || (size_t)total != len)
		return -EBADMSG;
	if ((uint16_t)(sum(bytes, len - 2) + get16(bytes + len - 2)) != 0)
		return -EBADMSG;
	*out = (struct packet){bytes[2], bytes[3], bytes + PACKET_HEADER, len - PACKET_OVERHEAD};
	return 0;
}

size_t packet_channels(const struct packet *p)
{
	if (p->pid1 != REPLY_SPECTRUM || p->pid2 < 2 || p->pid2 > 0x0c || p->pid2 % 2 != 0)
		return 0;
	size_t channels = (size_t)256 << (p->pid2 / 2 - 1);
	return p->len == 3 * channels + STATUS_BYTES ? channels : 0;
}

const char *packet_ack_text(uint8_t code)
{
	static const char *const texts[] = {
		"OK",
		"the start of the packet was lost",
		"unknown request",
		"the packet's length is wrong",
		"the packet's checksum is wrong",
		"the value is not allowed",
		"bad hex record",
		"unknown command",
		"its FPGA could not be initialised",
		"its Ethernet controller was not found",
		"no oscilloscope data",
		"this command needs a PC5, and none is connected",
		"OK, and another host asks to share the interface",
		"it is busy",
		"I2C error",
		"the FPGA upload address is wrong",
		"its FPGA does not support this",
		"no calibration data",
	};
	return code < sizeof(texts) / sizeof(*texts) ? texts[code] : "an unknown refusal";
}

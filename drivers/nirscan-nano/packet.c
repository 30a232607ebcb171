/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <errno.h>
#include <string.h>

enum { RESERVED = 0x0F };

static const uint8_t head[4] = {0x41, 0x42, 0x43, 0x44}, tail[4] = {0x44, 0x43, 0x42, 0x41};

uint16_t packet_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

uint32_t packet_u32(const uint8_t *at)
{
	return packet_u16(at) | (uint32_t)packet_u16(at + 2) << 16;
}

static void put_u16(uint8_t *at, size_t v)
{
	at[0] = (uint8_t)v;
	at[1] = (uint8_t)(v >> 8);
}

static size_t put_request(const struct packet *p, uint8_t *out)
{
	out[0] = p->flags;
	out[1] = p->sequence;
	put_u16(out + 2, 2 + p->len);
	put_u16(out + 4, p->opcode);
	if (p->len > 0)
		memcpy(out + 6, p->data, p->len);
	return PACKET_HEAD + 2 + p->len;
}

/* The plain sum of the bytes (firmware's source, and the printed frames). */
static uint32_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;
	while (len-- > 0)
		sum += *bytes++;
	return sum;
}

void packet_to_report(const struct packet *p, uint8_t out[REPORT_BYTES])
{
	memset(out, 0, REPORT_BYTES);
	put_request(p, out);
}

ssize_t packet_from_reports(const uint8_t *bytes, size_t len, struct packet *out)
{
	if (len < PACKET_HEAD)
		return -EBADMSG;
	size_t data = packet_u16(bytes + 2);
	if ((bytes[0] & RESERVED) != 0 || data > PACKET_DATA_MAX)
		return -EBADMSG;
	if (len < PACKET_HEAD + data)
		return 0;
	*out = (struct packet){
		.flags = bytes[0], .sequence = bytes[1], .data = bytes + PACKET_HEAD, .len = data};
	return (ssize_t)(PACKET_HEAD + data);
}

size_t packet_to_frame(const struct packet *p, uint8_t *out)
{
	memcpy(out, head, sizeof(head));
	size_t len = put_request(p, out + 8);
	uint32_t sum = checksum(out + 8, len);
	put_u16(out + 4, sum);
	put_u16(out + 6, sum >> 16);
	memcpy(out + 8 + len, tail, sizeof(tail));
	return 8 + len + sizeof(tail);
}

size_t packet_skip(const uint8_t *bytes, size_t len)
{
	size_t at = 0;
	while (at < len && memcmp(bytes + at, head, len - at < 4 ? len - at : 4) != 0)
		at++;
	return at;
}

ssize_t packet_from_frame(const uint8_t *bytes, size_t len, struct packet *out)
{
	if (len < FRAME_HEAD)
		return 0;
	size_t data = packet_u16(bytes + 10), total = FRAME_HEAD + data + FRAME_TAIL;
	if (data > PACKET_DATA_MAX)
		return -EBADMSG;
	if (len < total)
		return 0;
	if (memcmp(bytes, head, sizeof(head)) != 0 ||
		memcmp(bytes + total - FRAME_TAIL, tail, sizeof(tail)) != 0 ||
		checksum(bytes + 8, PACKET_HEAD + data) != packet_u32(bytes + 4) ||
		(bytes[8] & RESERVED) != 0 || data < 2)
		return -EBADMSG;
	*out = (struct packet){.flags = bytes[8],
		.sequence = bytes[9],
		.opcode = packet_u16(bytes + FRAME_HEAD),
		.data = bytes + FRAME_HEAD + 2,
		.len = data - 2};
	return (ssize_t)total;
}

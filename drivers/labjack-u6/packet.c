/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <string.h>

enum {
	EXTENDED = 0xF8,
	FEEDBACK = 0x00,
	CONFIG_U6 = 0x08,
	READ_MEMORY = 0x2D,
	START_STREAM = 0xA8,
	STOP_STREAM = 0xB0,
	STREAM_DATA = 0xF9,
	AIN24 = 2,
	BIT_STATE_READ = 10,
};

uint16_t packet_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

uint32_t packet_u32(const uint8_t *at)
{
	return packet_u16(at) | (uint32_t)packet_u16(at + 2) << 16;
}

uint8_t packet_checksum8(const uint8_t *bytes, size_t len)
{
	unsigned sum = 0;
	for (size_t i = 1; i < len; i++)
		sum += bytes[i];
	sum = sum % 256 + sum / 256;
	sum = sum % 256 + sum / 256;
	return (uint8_t)sum;
}

static uint16_t checksum16(const uint8_t *bytes, size_t len)
{
	unsigned sum = 0;
	for (size_t i = PACKET_HEAD; i < len; i++)
		sum += bytes[i];
	return (uint16_t)sum;
}

bool packet_is_whole(const uint8_t *bytes, size_t len)
{
	return len >= PACKET_HEAD && (bytes[1] == EXTENDED || bytes[1] == STREAM_DATA) &&
	       len == PACKET_HEAD + 2 * (size_t)bytes[2] &&
	       packet_u16(bytes + 4) == checksum16(bytes, len) &&
	       bytes[0] == packet_checksum8(bytes, PACKET_HEAD);
}

void packet_close(struct packet *p, unsigned number, size_t len)
{
	size_t words = (len + 1) / 2;
	p->len = PACKET_HEAD + 2 * words;
	p->bytes[1] = EXTENDED;
	p->bytes[2] = (uint8_t)words;
	p->bytes[3] = (uint8_t)number;
	uint16_t sum = checksum16(p->bytes, p->len);
	p->bytes[4] = (uint8_t)sum;
	p->bytes[5] = (uint8_t)(sum >> 8);
	p->bytes[0] = packet_checksum8(p->bytes, PACKET_HEAD);
}

static void close_with(
	struct packet *p, unsigned number, const uint8_t *data, size_t len, size_t reply)
{
	memset(p, 0, sizeof *p);
	memcpy(p->bytes + PACKET_HEAD, data, len);
	p->reply = reply;
	packet_close(p, number, len);
}

void packet_read_identity(struct packet *p)
{
	static const uint8_t nothing_to_write[20] = {0};
	close_with(p, CONFIG_U6, nothing_to_write, sizeof nothing_to_write, IDENTITY_REPLY);
}

void packet_read_memory(struct packet *p, unsigned block)
{
	const uint8_t data[] = {0, (uint8_t)block};
	close_with(p, READ_MEMORY, data, sizeof data, MEMORY_REPLY);
}

void packet_read_analog(struct packet *p, unsigned channel, unsigned options, unsigned settling)
{
	const uint8_t data[] = {0, AIN24, (uint8_t)channel, (uint8_t)options, (uint8_t)settling};
	close_with(p, FEEDBACK, data, sizeof data, ANALOG_REPLY);
}

void packet_read_digital(struct packet *p, unsigned line)
{
	const uint8_t data[] = {0, BIT_STATE_READ, (uint8_t)line};
	close_with(p, FEEDBACK, data, sizeof data, DIGITAL_REPLY);
}

static void make_normal(struct packet *p, uint8_t number)
{
	memset(p, 0, sizeof *p);
	p->bytes[1] = number;
	p->bytes[0] = packet_checksum8(p->bytes, 2);
	p->len = 2;
	p->reply = STREAM_REPLY;
}

void packet_start_stream(struct packet *p)
{
	make_normal(p, START_STREAM);
}

void packet_stop_stream(struct packet *p)
{
	make_normal(p, STOP_STREAM);
}

bool packet_fits(const struct packet *p, const uint8_t *reply, unsigned *error)
{
	bool is_extended = p->bytes[1] == EXTENDED;
	*error = is_extended ? reply[6] : reply[2];
	if (is_extended)
		return packet_is_whole(reply, p->reply) && reply[1] == EXTENDED &&
		       reply[3] == p->bytes[3];
	return reply[1] == p->bytes[1] + 1 && reply[3] == 0 &&
	       reply[0] == packet_checksum8(reply, STREAM_REPLY);
}

const char *packet_error(unsigned number)
{
	static const struct {
		unsigned number;
		const char *text;
	} errors[] = {
		{48, "a stream runs already"},
		{49, "the table of the stream is wrong"},
		{50, "the device rejects the settings of the stream"},
		{ERROR_NOT_RUNNING, "no stream runs"},
		{54, "the buffer of the converter is full"},
		{ERROR_SCAN_OVERLAP,
			"a scan was due before the one before it was complete; lower `rate` or "
			"`resolution_index`, or set a shorter `settling` or a wider `range`"},
		{56, "the number of samples per packet is wrong"},
		{57, "the range of an input is wrong"},
		{58, "the rate is wrong"},
		{ERROR_RECOVERY_ACTIVE, "the buffer is full"},
		{ERROR_RECOVERY_REPORT, "scans were dropped"},
		{63, "the resolution index is wrong"},
	};
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		if (errors[i].number == number)
			return errors[i].text;
	}
	return "see LabJack's list of error codes";
}

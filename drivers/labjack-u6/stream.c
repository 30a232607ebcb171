/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

enum {
	FIRST_BYTE = 0xF9,
	THIRD_BYTE = 0xC0,
	DROPPED_AT = 6,
	COUNTER_AT = 10,
	ERROR_AT = 11,
	NO_SAMPLE = 0xFFFF,
};

bool stream_is_packet(const struct setup *setup, const uint8_t *bytes)
{
	return bytes[1] == FIRST_BYTE && bytes[3] == THIRD_BYTE &&
	       packet_is_whole(bytes, setup_packet(setup));
}

unsigned stream_error(const uint8_t *packet)
{
	return packet[ERROR_AT];
}

bool stream_has_samples(unsigned error)
{
	return error == 0 || error == ERROR_RECOVERY_ACTIVE || error == ERROR_RECOVERY_REPORT;
}

unsigned stream_backlog(const struct setup *setup, const uint8_t *packet)
{
	return packet[setup_packet(setup) - 2];
}

static bool is_none(const struct setup *setup, const uint8_t *packet, size_t scan)
{
	const uint8_t *at = packet + PACKET_SAMPLES_AT + 2 * scan * setup->inputs;
	size_t i = 0;
	while (i < setup->inputs && packet_u16(at + 2 * i) == NO_SAMPLE)
		i++;
	return i == setup->inputs;
}

void stream_step(const struct setup *setup, const uint8_t *packet, struct stream_place *place,
	struct stream_scans *out)
{
	uint8_t missing = (uint8_t)(packet[COUNTER_AT] - place->counter);
	out->lost = missing * (uint64_t)setup->scans;
	out->dropped = 0;
	out->gap = setup->scans;
	out->first = place->scan + out->lost;
	if (stream_error(packet) == ERROR_RECOVERY_REPORT) {
		out->dropped = packet_u16(packet + DROPPED_AT);
		out->gap = 0;
		while (out->gap < setup->scans && !is_none(setup, packet, out->gap))
			out->gap++;
		if (out->gap == setup->scans)
			out->first += out->dropped;
		else if (out->dropped == 0)
			out->dropped = 1;
	}
	out->resumes = out->first + out->gap + out->dropped;
	place->scan = stream_position(out, setup->scans);
	place->counter = (uint8_t)(packet[COUNTER_AT] + 1);
}

uint64_t stream_position(const struct stream_scans *scans, size_t i)
{
	return i <= scans->gap ? scans->first + i : scans->resumes + (i - scans->gap - 1);
}

void stream_write_place(const struct stream_place *place, uint8_t bytes[PLACE_BYTES])
{
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(place->scan >> 8 * i);
	bytes[8] = place->counter;
}

void stream_read_place(const uint8_t bytes[PLACE_BYTES], struct stream_place *place)
{
	place->scan = 0;
	for (unsigned i = 0; i < 8; i++)
		place->scan |= (uint64_t)bytes[i] << 8 * i;
	place->counter = bytes[8];
}

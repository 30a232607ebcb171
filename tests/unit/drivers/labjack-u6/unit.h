/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A LabJack U6 for tests of the driver: replies to its commands by an own reading of the published
 * facts, and complains about each command that could write to the device, or is damaged.
 */
#ifndef LABJACK_TEST_UNIT_H
#define LABJACK_TEST_UNIT_H

#include "host.h"

#define UNIT_PACKET 64

struct unit {
	struct host *h;
	uint32_t serial;
	uint16_t product;
	uint8_t info; /* last byte of the identity */
	uint8_t memory[10][32];
	uint8_t setup[64]; /* the last StreamConfig */
	size_t setup_len;
	unsigned line, line_reads; /* level of all digital lines; how often one was read */
	unsigned rises_at;         /* the level changes with this read of it; 0: never */
	uint32_t raw24;
	uint8_t setup_error, start_error;
	bool is_streaming, is_silent, is_damaged; /* replies */
	bool loses_start;                         /* the reply to StreamStart */
	unsigned starts, stops;
	const char *complaint; /* NULL: none */
};

/* A unit at `h`, with the nominal constants, each a little different; it gets all commands of the driver. */
void unit_init(struct unit *u, struct host *h);

/* Constant number i of the memory becomes `value`, to 2^-32. */
void unit_set_constant(struct unit *u, unsigned i, double value);
double unit_constant(const struct unit *u, unsigned i);

/* The volts of a raw value at a gain, by the published formula. */
double unit_volts(const struct unit *u, unsigned gain, double raw);

/* Checksums of an extended packet. */
void unit_close(uint8_t *packet, size_t len);

/*
 * Writes a packet of the stream: `count` samples.  Returns its length.
 */
size_t unit_packet(uint8_t *packet, const uint16_t *samples, size_t count, unsigned counter,
	unsigned error, unsigned dropped, unsigned backlog);

/* The ten replies to ReadMem, 400 bytes. */
void unit_memory(const struct unit *u, uint8_t *replies);

#endif

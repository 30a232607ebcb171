/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One packet in its two envelopes: reports of 64 bytes over USB, frames with a checksum over the UART.
 * Pure.  A packet is flags, sequence, length (16 bits, little-endian) and that many bytes: those of a
 * request start with the opcode, those of a reply only over the UART.
 */
#ifndef NIRSCAN_PACKET_H
#define NIRSCAN_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	REPORT_BYTES = 64,
	PACKET_HEAD = 4,
	PACKET_DATA_MAX = 512, /* the opcode of a UART's reply included */
	FRAME_HEAD = 12,       /* "ABCD", checksum, the packet's head */
	FRAME_TAIL = 4,        /* "DCBA" */
	FRAME_MAX = FRAME_HEAD + PACKET_DATA_MAX + FRAME_TAIL,
	ARGUMENTS_MAX = 8,
	/* Of the flags. */
	PACKET_READ = 0x80,
	PACKET_WANTS_REPLY = 0x40,
	PACKET_RESULT = 0x30,
	RESULT_OK = 0x00,
	RESULT_ERROR = 0x10,
	RESULT_BUSY = 0x20,
};

struct packet {
	uint8_t flags, sequence;
	uint16_t opcode; /* of a USB reply: 0, it has none */
	const uint8_t *data;
	size_t len;
};

uint16_t packet_u16(const uint8_t *at);
uint32_t packet_u32(const uint8_t *at);

/* One report, filled up with zeros. */
void packet_to_report(const struct packet *p, uint8_t out[REPORT_BYTES]);

/*
 * Reads the reply that the reports joined at `bytes` start with: its length without filling when all
 * of it is there, 0 if more reports follow, -EBADMSG.
 */
ssize_t packet_from_reports(const uint8_t *bytes, size_t len, struct packet *out);

/* Returns the frame's length, at most FRAME_HEAD + 2 + ARGUMENTS_MAX + FRAME_TAIL. */
size_t packet_to_frame(const struct packet *p, uint8_t *out);

/* Number of bytes before the first place where a frame may start. */
size_t packet_skip(const uint8_t *bytes, size_t len);

/*
 * Reads the frame that `bytes` start with: its length when all of it is there and right, 0 if more
 * bytes follow, -EBADMSG.
 */
ssize_t packet_from_frame(const uint8_t *bytes, size_t len, struct packet *out);

#endif

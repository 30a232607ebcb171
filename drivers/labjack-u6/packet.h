/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands and replies of a LabJack U6 as bytes, with their checksums.
 *
 * Facts: LabJack's own examples for the U6 (exodriver).  A normal command is its
 * checksum, its number and its data.  An extended one is checksum8, 0xF8, the number of 16-bit words
 * after byte 5, its number, checksum16 (low byte first), and its data from byte 6 on.
 */
#ifndef LABJACK_PACKET_H
#define LABJACK_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PACKET_MAX = 64, /* of one packet of USB, in each direction */
	PACKET_HEAD = 6, /* of an extended command, and of its reply */
	MEMORY_BLOCKS = 10,
	MEMORY_REPLY = 40,
	IDENTITY_REPLY = 38,
	SETUP_REPLY = 8,
	STREAM_REPLY = 4,      /* to a start or stop of the stream */
	STREAM_STOPPED = 0xB1, /* byte 1 of the reply to a stop */
	ANALOG_REPLY = 12,
	DIGITAL_REPLY = 10,
};

/* Numbers of errors that the driver acts on; packet_error() has more of them. */
enum {
	ERROR_NOT_RUNNING = 52,
	ERROR_SCAN_OVERLAP = 55,
	ERROR_RECOVERY_ACTIVE =
		59, /* the buffer was full: new scans are dropped until it is empty */
	ERROR_RECOVERY_REPORT = 60, /* this packet has the number of scans that were dropped */
};

/* One command, ready to be sent, and its reply. */
struct packet {
	uint8_t bytes[PACKET_MAX];
	size_t len;
	size_t reply; /* length of its reply */
};

/* Sums bytes 1 to len - 1 and adds the carry to the low byte, twice. */
uint8_t packet_checksum8(const uint8_t *bytes, size_t len);

/* Whether length and both checksums of an extended packet are right: a command, reply or stream packet. */
bool packet_is_whole(const uint8_t *bytes, size_t len);

/* The meaning of an error number in words; never NULL. */
const char *packet_error(unsigned number);

/*
 * Commands.  ConfigU6 has a mask of zeros, so that it only reads.  None of them writes to the memory
 * of the device, and there is no other command in this driver.
 */
void packet_read_identity(struct packet *p);
void packet_read_memory(struct packet *p, unsigned block);
void packet_read_analog(struct packet *p, unsigned channel, unsigned options, unsigned settling);
void packet_read_digital(struct packet *p, unsigned line);
void packet_start_stream(struct packet *p);
void packet_stop_stream(struct packet *p);

/* Writes head and checksums around data that is at byte 6 and has `len` bytes, rounded up to even. */
void packet_close(struct packet *p, unsigned number, size_t len);

/*
 * Whether `reply` belongs to the command and is undamaged.  `*error` becomes the error number in it,
 * 0 for none.
 */
bool packet_fits(const struct packet *p, const uint8_t *reply, unsigned *error);

uint16_t packet_u16(const uint8_t *at);
uint32_t packet_u32(const uint8_t *at);

#endif

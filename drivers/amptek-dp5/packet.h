/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet of Amptek's "FW6" protocol, in both directions and on every link alike:
 *
 *	F5 FA  PID1 PID2  LEN (2, big-endian)  data[LEN]  checksum (2, big-endian)
 *
 * The checksum makes the 16-bit sum of all bytes and itself zero.  Pure functions on bytes.
 */
#ifndef ASSAY_AMPTEK_DP5_PACKET_H
#define ASSAY_AMPTEK_DP5_PACKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	PACKET_HEADER = 6,
	PACKET_OVERHEAD = 8,
	PACKET_REQUEST_DATA_MAX = 512,
	PACKET_REQUEST_MAX = PACKET_REQUEST_DATA_MAX + PACKET_OVERHEAD,
	PACKET_REPLY_MAX = 32767 + PACKET_OVERHEAD,
};

/* PID1 and PID2 as one number. */
enum packet_request {
	REQUEST_STATUS = 0x0101,
	REQUEST_SPECTRUM = 0x0203,           /* with status, in one packet */
	REQUEST_SPECTRUM_AND_CLEAR = 0x0204, /* with status, too */
	REQUEST_CONFIGURE_SAVED = 0x2002,
	REQUEST_READBACK = 0x2003,
	REQUEST_CONFIGURE = 0x2004, /* not saved; firmware 6.08 and later */
	REQUEST_CLEAR = 0xf001,
	REQUEST_ENABLE = 0xf002,
	REQUEST_DISABLE = 0xf003,
};

/* PID1 of replies. */
enum packet_reply {
	REPLY_STATUS = 0x80,
	REPLY_SPECTRUM = 0x81,
	REPLY_OTHER = 0x82, /* PID2 07: configuration readback */
	REPLY_ACK = 0xff,
};

enum packet_ack {
	ACK_OK = 0x00,
	ACK_SYNC = 0x01,
	ACK_LENGTH = 0x03,
	ACK_CHECKSUM = 0x04,
	ACK_OK_SHARE = 0x0c, /* OK, and another host asks to share the interface */
	ACK_BUSY = 0x0d,
};

struct packet {
	uint8_t pid1, pid2;
	const uint8_t *data; /* borrowed from the bytes that were parsed */
	size_t len;
};

/*
 * Writes a request into `out`, which has room for len + PACKET_OVERHEAD bytes, and returns its
 * length.  `len` is at most PACKET_REQUEST_DATA_MAX.
 */
size_t packet_build(uint8_t *out, enum packet_request request, const void *data, size_t len);

/*
 * The length of the packet that starts with these bytes, 0 if more bytes are needed, or -EBADMSG if
 * no packet starts so.
 */
ssize_t packet_length(const uint8_t *bytes, size_t have);

/* Splits exactly one whole packet; -EBADMSG if length or checksum is wrong. */
int packet_parse(const uint8_t *bytes, size_t len, struct packet *out);

/* The channels of a spectrum with status (81 02 ... 81 0C) of the right length; else 0. */
size_t packet_channels(const struct packet *p);

/* The meaning of an acknowledge code, in words. */
const char *packet_ack_text(uint8_t code);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packet "F5 FA PID1 PID2 LEN(2) data CSUM(2)" on the side of the instrument: finds requests in
 * the host's bytes, with the error codes of the instrument, and builds replies.
 */
#ifndef ASSAY_SIM_AMPTEK_FRAME_H
#define ASSAY_SIM_AMPTEK_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_OVERHEAD    8
#define FRAME_REQUEST_MAX 512 /* data bytes, host to device */
#define FRAME_PACKET_MAX  (FRAME_REQUEST_MAX + FRAME_OVERHEAD)
#define FRAME_REPLY_MAX   32767 /* data bytes, device to host */

enum ack {
	ACK_OK = 0x00,
	ACK_SYNC = 0x01,
	ACK_PID = 0x02,
	ACK_LEN = 0x03,
	ACK_CHECKSUM = 0x04,
	ACK_PARAMETER = 0x05,
	ACK_COMMAND = 0x07,
	ACK_NO_SCOPE_DATA = 0x0A,
	ACK_SHARE = 0x0C,
	ACK_BUSY = 0x0D,
	ACK_UNSUPPORTED = 0x10,
	ACK_NO_CALIBRATION = 0x11,
};

struct request {
	uint8_t pid1, pid2;
	const uint8_t *data;
	size_t len;
};

/* The receiver of a byte stream (RS-232, TCP). */
struct receiver {
	uint8_t data[FRAME_PACKET_MAX];
	size_t len;
	uint64_t last_byte;
};

/*
 * Reads one whole datagram or transfer.  Returns ACK_OK with `request` pointing into `data`, or
 * the error to reply with.
 */
enum ack frame_read(const uint8_t *data, size_t len, struct request *request);

/*
 * Takes bytes of a stream until one request is complete or broken, and adds their number to
 * `*used`.  Returns true with `error` (ACK_OK: `request` is good and points into the receiver until
 * the next call); false if all `len` bytes were taken and more are needed.  Bytes before a sync are
 * skipped without a reply.
 */
bool frame_receive(struct receiver *receiver, const uint8_t *data, size_t len, size_t *used,
	struct request *request, enum ack *error);

/* Drops a half-received packet. */
void frame_reset(struct receiver *receiver);

/*
 * Writes a reply into `out` of at least `len` + FRAME_OVERHEAD bytes, `data` may already stand at
 * out + 6; returns the total.
 */
size_t frame_write(uint8_t *out, uint8_t pid1, uint8_t pid2, const uint8_t *data, size_t len);

#endif

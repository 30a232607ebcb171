/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds requests in the bytes of one connection.  TCP: the MBAP header says how long a frame is.
 * RTU: the function code does; a frame whose CRC is wrong, or whose function is unknown, ends at
 * the silence behind it, as on a real line.
 */
#ifndef ASSAY_SIM_MODBUS_FRAME_H
#define ASSAY_SIM_MODBUS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FRAME_MAX 260

/* Modbus CRC-16 (polynomial 0xA001, start 0xFFFF); goes on the line low byte first. */
uint16_t frame_crc(const uint8_t *data, size_t len);

/* Writes the CRC behind `len` bytes and returns the new length. */
size_t frame_add_crc(uint8_t *frame, size_t len);

/*
 * The length of the whole request at the start of `len` bytes, 0 when more bytes are needed, or
 * -EBADMSG when the stream cannot be followed any more (close the connection).  `*skip` is set
 * when the frame is to be passed over in silence (not the Modbus protocol).
 */
ssize_t frame_find_tcp(const uint8_t *data, size_t len, bool *skip);

/*
 * As above for RTU; never fails.  `silent` says that a silence has followed the bytes: then all
 * of them are one frame, and `*skip` is set when its CRC is wrong.
 */
size_t frame_find_rtu(const uint8_t *data, size_t len, bool silent, bool *skip);

#endif

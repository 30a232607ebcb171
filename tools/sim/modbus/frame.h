/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds requests in the bytes of one connection.  TCP: the MBAP header gives the length of a frame.
 * RTU: the function code gives it; a frame with a wrong CRC or an unknown function ends at the
 * silence after it, as on a real line.
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

/* Appends the CRC of `len` bytes and returns the new length. */
size_t frame_add_crc(uint8_t *frame, size_t len);

/*
 * The length of the whole request at the start of `len` bytes, 0 if more bytes are needed, or
 * -EBADMSG if no frame boundary can be found any more (close the connection).  `*skip` is set if
 * the frame gets no reply (not the Modbus protocol).
 */
ssize_t frame_find_tcp(const uint8_t *data, size_t len, bool *skip);

/*
 * As above for RTU; never fails.  With `silent`, a silence followed the bytes: then all of them are
 * one frame, and `*skip` is set if its CRC is wrong.
 */
size_t frame_find_rtu(const uint8_t *data, size_t len, bool silent, bool *skip);

#endif

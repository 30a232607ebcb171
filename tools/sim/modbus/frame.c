/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "frame.h"

#define MBAP_LEN     6 /* up to and with the length field */
#define TCP_BODY_MIN 2 /* unit, function */
#define TCP_BODY_MAX (FRAME_MAX - MBAP_LEN)
#define RTU_MIN      4
#define RTU_MAX      256
#define VENDOR_FIRST 0x42
#define VENDOR_LAST  0x48

uint16_t frame_crc(const uint8_t *data, size_t len)
{
	uint16_t crc = 0xffff;
	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (uint16_t)((crc & 1) != 0 ? crc >> 1 ^ 0xa001 : crc >> 1);
	}
	return crc;
}

size_t frame_add_crc(uint8_t *frame, size_t len)
{
	uint16_t crc = frame_crc(frame, len);
	frame[len] = (uint8_t)crc;
	frame[len + 1] = (uint8_t)(crc >> 8);
	return len + 2;
}

ssize_t frame_find_tcp(const uint8_t *data, size_t len, bool *skip)
{
	*skip = false;
	if (len < MBAP_LEN)
		return 0;
	size_t body = (size_t)data[4] << 8 | data[5];
	if (body < TCP_BODY_MIN || body > TCP_BODY_MAX)
		return -EBADMSG;
	if (len < MBAP_LEN + body)
		return 0;
	*skip = data[2] != 0 || data[3] != 0;
	return (ssize_t)(MBAP_LEN + body);
}

static bool crc_fits(const uint8_t *data, size_t len)
{
	uint16_t crc = frame_crc(data, len - 2);
	return data[len - 2] == (uint8_t)crc && data[len - 1] == (uint8_t)(crc >> 8);
}

/* The length by the function code; 0: unknown, or more bytes are needed. */
static size_t rtu_length(const uint8_t *data, size_t len)
{
	if (len < 2)
		return 0;
	uint8_t function = data[1];
	if ((function >= 1 && function <= 6) ||
		(function >= VENDOR_FIRST && function <= VENDOR_LAST))
		return 8;
	if ((function == 15 || function == 16) && len >= 7)
		return 9 + (size_t)data[6];
	return 0;
}

size_t frame_find_rtu(const uint8_t *data, size_t len, bool silent, bool *skip)
{
	*skip = false;
	size_t need = rtu_length(data, len);
	if (need != 0 && len >= need && crc_fits(data, need))
		return need;
	if (!silent)
		return 0;
	*skip = len < RTU_MIN || len > RTU_MAX || !crc_fits(data, len);
	return len;
}

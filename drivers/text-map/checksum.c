/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"

#include <stdio.h>
#include <strings.h>

enum kind { NONE, SUM8, NEG8, XOR8, SUM16, CRC16_MODBUS, CRC16_CCITT, CRC16_XMODEM };

const char *const checksum_names[] = {"none", "sum8", "neg8", "xor8", "sum16", "crc16-modbus",
	"crc16-ccitt", "crc16-xmodem", NULL};
const char *const checksum_forms[] = {"hex", "bytes", "bytes_low_first", NULL};

static unsigned crc_reflected(const char *data, size_t len)
{
	unsigned crc = 0xFFFF;
	for (size_t i = 0; i < len; i++) {
		crc ^= (uint8_t)data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
	}
	return crc;
}

static unsigned crc_plain(const char *data, size_t len, unsigned crc)
{
	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned)(uint8_t)data[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xFFFF;
	}
	return crc;
}

static unsigned sum_of(enum kind kind, const char *data, size_t len)
{
	unsigned sum = 0, parity = 0;
	for (size_t i = 0; i < len; i++) {
		sum += (uint8_t)data[i];
		parity ^= (uint8_t)data[i];
	}
	switch (kind) {
	case NONE: return 0;
	case SUM8: return sum & 0xFF;
	case NEG8: return -sum & 0xFF;
	case XOR8: return parity;
	case SUM16: return sum & 0xFFFF;
	case CRC16_MODBUS: return crc_reflected(data, len);
	case CRC16_CCITT: return crc_plain(data, len, 0xFFFF);
	case CRC16_XMODEM: return crc_plain(data, len, 0);
	}
	return 0;
}

size_t checksum_width(unsigned kind, enum checksum_form form)
{
	size_t bytes = kind == NONE ? 0 : kind < SUM16 ? 1 : 2;
	return form == CHECKSUM_HEX ? 2 * bytes : bytes;
}

bool checksum_fits(
	unsigned kind, enum checksum_form form, const char *data, size_t len, const char *written)
{
	size_t width = checksum_width(kind, form);
	unsigned sum = sum_of((enum kind)kind, data, len);
	char hex[8];
	if (form == CHECKSUM_HEX) {
		snprintf(hex, sizeof(hex), "%0*X", (int)width, sum);
		return strncasecmp(hex, written, width) == 0;
	}
	unsigned first = (uint8_t)written[0], second = width > 1 ? (uint8_t)written[1] : 0;
	if (width < 2)
		return first == sum;
	return sum == (form == CHECKSUM_BYTES ? first << 8 | second : second << 8 | first);
}

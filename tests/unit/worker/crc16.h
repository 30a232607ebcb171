/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum of Modbus RTU, written from its specification and not shared with the worker. */
#ifndef ASSAY_TESTS_WORKER_CRC16_H
#define ASSAY_TESTS_WORKER_CRC16_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t crc_of(const uint8_t *data, size_t len)
{
	uint16_t crc = 0xffff;
	for (size_t i = 0; i < len; i++) {
		crc ^= data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 1) != 0 ? (uint16_t)(crc >> 1 ^ 0xa001) : crc >> 1;
	}
	return crc;
}

#endif

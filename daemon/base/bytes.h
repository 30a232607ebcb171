/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian numbers in files and messages, at any alignment. */
#ifndef ASSAY_BASE_BYTES_H
#define ASSAY_BASE_BYTES_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_le16(const uint8_t *at)
{
	uint16_t le;
	memcpy(&le, at, sizeof le);
	return le16toh(le);
}

static inline uint32_t get_le32(const uint8_t *at)
{
	uint32_t le;
	memcpy(&le, at, sizeof le);
	return le32toh(le);
}

static inline uint64_t get_le64(const uint8_t *at)
{
	uint64_t le;
	memcpy(&le, at, sizeof le);
	return le64toh(le);
}

static inline void put_le16(uint8_t *at, uint16_t value)
{
	value = htole16(value);
	memcpy(at, &value, sizeof value);
}

static inline void put_le32(uint8_t *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof value);
}

static inline void put_le64(uint8_t *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof value);
}

#endif

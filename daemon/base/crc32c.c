/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>

#include "base/crc32c.h"

#define POLYNOMIAL UINT32_C(0x82f63b78)
#define LANE_LONG  2048
#define LANE_SHORT 256

static uint32_t bytewise[8][256];
static uint32_t skip_long[4][256], skip_short[4][256];
static bool has_instruction;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* a * b modulo the polynomial; bit 31 is x^0. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
	uint32_t product = 0;
	for (uint32_t bit = UINT32_C(1) << 31; bit != 0; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = b & 1 ? (b >> 1) ^ POLYNOMIAL : b >> 1;
	}
	return product;
}

/* Multiplication by x^(8 * len), which is the effect of `len` zero bytes on a checksum. */
static void fill_skip(uint32_t table[4][256], size_t len)
{
	uint32_t factor = UINT32_C(1) << 31, square = UINT32_C(1) << 23;
	for (; len != 0; len >>= 1) {
		if (len & 1)
			factor = multiply(factor, square);
		square = multiply(square, square);
	}
	for (int byte = 0; byte < 4; byte++) {
		for (uint32_t value = 0; value < 256; value++)
			table[byte][value] = multiply(factor, value << (8 * byte));
	}
}

static void fill_tables(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
		bytewise[0][i] = crc;
	}
	for (uint32_t i = 0; i < 256; i++) {
		for (int t = 1; t < 8; t++) {
			uint32_t crc = bytewise[t - 1][i];
			bytewise[t][i] = (crc >> 8) ^ bytewise[0][crc & 0xff];
		}
	}
#ifdef __x86_64__
	has_instruction = __builtin_cpu_supports("sse4.2");
	fill_skip(skip_long, LANE_LONG);
	fill_skip(skip_short, LANE_SHORT);
#endif
}

uint32_t crc32c_portable(uint32_t crc, const void *data, size_t len)
{
	pthread_once(&once, fill_tables);
	const uint8_t *p = data;
	crc = ~crc;
	for (; len >= 8; p += 8, len -= 8) {
		uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
					     (uint32_t)p[3] << 24);
		crc = bytewise[7][low & 0xff] ^ bytewise[6][low >> 8 & 0xff] ^
		      bytewise[5][low >> 16 & 0xff] ^ bytewise[4][low >> 24] ^ bytewise[3][p[4]] ^
		      bytewise[2][p[5]] ^ bytewise[1][p[6]] ^ bytewise[0][p[7]];
	}
	for (; len > 0; p++, len--)
		crc = (crc >> 8) ^ bytewise[0][(crc ^ *p) & 0xff];
	return ~crc;
}

#ifdef __x86_64__
static uint32_t skip(uint32_t table[4][256], uint64_t crc)
{
	return table[0][crc & 0xff] ^ table[1][crc >> 8 & 0xff] ^ table[2][crc >> 16 & 0xff] ^
	       table[3][crc >> 24 & 0xff];
}

static inline uint64_t word(const uint8_t *p)
{
	uint64_t value;
	memcpy(&value, p, sizeof value);
	return value;
}

/* The instruction takes three cycles, but one can start in each: three lanes in parallel. */
__attribute__((target("sse4.2"))) static uint64_t lanes(
	uint64_t crc, const uint8_t **data, size_t *len, size_t lane, uint32_t table[4][256])
{
	const uint8_t *p = *data;
	for (; *len >= 3 * lane; *len -= 3 * lane) {
		uint64_t second = 0, third = 0;
		for (const uint8_t *end = p + lane; p < end; p += 8) {
			crc = __builtin_ia32_crc32di(crc, word(p));
			second = __builtin_ia32_crc32di(second, word(p + lane));
			third = __builtin_ia32_crc32di(third, word(p + 2 * lane));
		}
		crc = skip(table, crc) ^ second;
		crc = skip(table, crc) ^ third;
		p += 2 * lane;
	}
	*data = p;
	return crc;
}

__attribute__((target("sse4.2"))) static uint32_t with_instruction(
	uint32_t seed, const uint8_t *p, size_t len)
{
	uint64_t crc = ~seed;
	crc = lanes(crc, &p, &len, LANE_LONG, skip_long);
	crc = lanes(crc, &p, &len, LANE_SHORT, skip_short);
	for (; len >= 8; p += 8, len -= 8)
		crc = __builtin_ia32_crc32di(crc, word(p));
	for (; len > 0; p++, len--)
		crc = __builtin_ia32_crc32qi((uint32_t)crc, *p);
	return ~(uint32_t)crc;
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	pthread_once(&once, fill_tables);
#ifdef __x86_64__
	if (has_instruction)
		return with_instruction(crc, data, len);
#endif
	return crc32c_portable(crc, data, len);
}

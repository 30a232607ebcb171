/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "record/uuid.h"

#define POOL_UUIDS 16 /* getentropy() gives at most 256 bytes in one call */

void uuid_random(uint8_t uuid[ASSAY_UUID_SIZE])
{
	static _Thread_local uint8_t pool[POOL_UUIDS * ASSAY_UUID_SIZE];
	static _Thread_local size_t left;
	if (left == 0 && getentropy(pool, sizeof pool) != 0)
		abort();
	left = left > 0 ? left - 1 : POOL_UUIDS - 1;
	memcpy(uuid, pool + left * ASSAY_UUID_SIZE, ASSAY_UUID_SIZE);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

char *hex_write(char *out, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	out[2 * len] = '\0';
	return out;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_read(struct assay_string text, uint8_t *data, size_t len)
{
	size_t at = 0;
	for (size_t i = 0; i < len; i++) {
		if (i > 0 && at < text.len && text.data[at] == '-')
			at++;
		if (text.len - at < 2)
			return -EINVAL;
		int high = digit(text.data[at]), low = digit(text.data[at + 1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		data[i] = (uint8_t)(high << 4 | low);
		at += 2;
	}
	return at == text.len ? 0 : -EINVAL;
}

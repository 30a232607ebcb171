/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/zmtp.h"

/* The greeting: signature, version, mechanism, role. */
#define GREETING_SIZE  64
#define SIGNATURE_SIZE 10
#define MAJOR_AT       10
#define MECHANISM_AT   12
#define MECHANISM_SIZE 20

#define FLAG_MORE     0x01
#define FLAG_LONG     0x02
#define FLAG_COMMAND  0x04
#define FLAGS_UNKNOWN 0xf8

/* Peers of older versions begin with another signature or send a smaller version. */
static bool take_greeting(struct zmtp *z, uint8_t byte)
{
	static const uint8_t null[MECHANISM_SIZE] = "NULL", curve[MECHANISM_SIZE] = "CURVE";
	unsigned at = z->at++;
	if (at == 0)
		z->is_null = z->is_curve = true;
	if ((at == 0 && byte != 0xff) || (at == SIGNATURE_SIZE - 1 && (byte & 1) == 0) ||
		(at == MAJOR_AT && byte < 3))
		return false;
	if (at >= MECHANISM_AT && at < MECHANISM_AT + MECHANISM_SIZE) {
		z->is_null = z->is_null && byte == null[at - MECHANISM_AT];
		z->is_curve = z->is_curve && byte == curve[at - MECHANISM_AT];
	}
	if (z->at == GREETING_SIZE)
		z->state = z->needs_curve && !z->is_curve ? ZMTP_NOT_CURVE
			   : z->is_null                   ? ZMTP_FLAGS
							  : ZMTP_ENCRYPTED;
	return z->state != ZMTP_NOT_CURVE;
}

static bool is_command(const struct zmtp *z, const char *name)
{
	size_t len = strlen(name);
	return (z->flags & FLAG_COMMAND) != 0 && z->size > len && z->head[0] == len &&
	       memcmp(z->head + 1, name, len) == 0;
}

/* A publisher's peers change subscriptions by a command, or by a message of one part. */
static bool count_change(struct zmtp *z, size_t len)
{
	z->changes++;
	z->topics += len;
	return z->changes <= ZMTP_CHANGES_MAX && z->topics <= ZMTP_TOPICS_MAX;
}

static bool count_part(struct zmtp *z)
{
	z->parts++;
	z->bytes += z->size;
	if (z->parts > ZMTP_PARTS_MAX || z->bytes > ZMTP_MESSAGE_MAX)
		return false;
	if ((z->flags & FLAG_MORE) == 0)
		z->parts = z->bytes = 0;
	return true;
}

/* A whole frame. */
static bool end_frame(struct zmtp *z)
{
	z->state = ZMTP_FLAGS;
	bool is_change = is_command(z, "SUBSCRIBE") || is_command(z, "CANCEL");
	if ((z->flags & FLAG_COMMAND) != 0 && !is_change)
		return true;
	if (z->is_publisher)
		return (z->flags & FLAG_MORE) == 0 && count_change(z, (size_t)z->size);
	return !is_change && count_part(z);
}

static bool begin_body(struct zmtp *z)
{
	z->state = ZMTP_BODY;
	z->left = z->size;
	z->at = 0;
	memset(z->head, 0, sizeof z->head);
	if (z->size > ZMTP_MESSAGE_MAX)
		return false;
	return z->size > 0 || end_frame(z);
}

static bool take_flags(struct zmtp *z, uint8_t byte)
{
	z->flags = byte;
	z->state = ZMTP_SIZE;
	z->at = 0;
	z->size = 0;
	return (byte & FLAGS_UNKNOWN) == 0 &&
	       (byte & (FLAG_COMMAND | FLAG_MORE)) != (FLAG_COMMAND | FLAG_MORE);
}

static bool take_size(struct zmtp *z, uint8_t byte)
{
	z->size = z->size << 8 | byte;
	return ++z->at < ((z->flags & FLAG_LONG) != 0 ? 8u : 1u) || begin_body(z);
}

static bool take_body(struct zmtp *z, const uint8_t *data, size_t len)
{
	size_t kept = sizeof z->head - z->at;
	kept = kept < len ? kept : len;
	memcpy(z->head + z->at, data, kept);
	z->at += (unsigned)kept;
	z->left -= len;
	return z->left > 0 || end_frame(z);
}

bool zmtp_take(struct zmtp *z, const uint8_t *data, size_t len)
{
	bool is_fine = true;
	for (size_t i = 0, step = 1; is_fine && i < len; i += step) {
		step = 1;
		switch (z->state) {
		case ZMTP_GREETING: is_fine = take_greeting(z, data[i]); break;
		case ZMTP_FLAGS: is_fine = take_flags(z, data[i]); break;
		case ZMTP_SIZE: is_fine = take_size(z, data[i]); break;
		case ZMTP_BODY:
			step = z->left < len - i ? (size_t)z->left : len - i;
			is_fine = take_body(z, data + i, step);
			break;
		case ZMTP_ENCRYPTED: return true;
		case ZMTP_NOT_CURVE: return false;
		}
	}
	return is_fine;
}

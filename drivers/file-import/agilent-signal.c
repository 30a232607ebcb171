/* SPDX-License-Identifier: Apache-2.0 */
#include "agilent-signal.h"

#include <math.h>

#include "bytes.h"

#define SEGMENT (2 + 255 * 6) /* the longest item */

static void put(struct signal_reader *r, double value)
{
	if (r->to != NULL)
		r->to[r->count] = value;
	r->count++;
}

/* Takes one segment: its length; 0: it is not all there. */
static size_t take_segment(struct signal_reader *r, const uint8_t *p, size_t len)
{
	if (len < 2)
		return 0;
	if (p[0] != 0x10) {
		r->has_ended = true;
		return p[0] == 0 && p[1] == 0 ? 2 : 0;
	}
	size_t at = 2;
	for (unsigned i = 0; i < p[1]; i++) {
		if (len - at < 2)
			return 0;
		int16_t delta = (int16_t)get_be16(p + at);
		at += 2;
		if (delta != INT16_MIN) {
			r->value += delta;
		} else if (len - at >= 4) {
			r->value = (int32_t)get_be32(p + at);
			at += 4;
		} else {
			return 0;
		}
		put(r, (double)r->value);
	}
	return at;
}

/* Takes one second difference, or the absolute value of 48 bits in its place. */
static size_t take_difference(struct signal_reader *r, const uint8_t *p, size_t len)
{
	if (len < 2)
		return 0;
	int16_t difference = (int16_t)get_be16(p);
	if (difference == INT16_MAX) {
		if (len < 8)
			return 0;
		r->value = (int64_t)(int16_t)get_be16(p + 2) * ((int64_t)1 << 32) + get_be32(p + 4);
		r->slope = 0;
	} else {
		r->slope += difference;
		r->value += r->slope;
	}
	put(r, (double)r->value);
	return difference == INT16_MAX ? 8 : 2;
}

static size_t take_double(struct signal_reader *r, const uint8_t *p, size_t len)
{
	if (len < 8 || !isfinite(get_le_f64(p)))
		return 0;
	put(r, get_le_f64(p));
	return 8;
}

size_t signal_take(enum signal_encoding encoding, struct signal_reader *r, const uint8_t *p,
	size_t len, bool more)
{
	size_t at = 0;
	while (at < len && !r->has_ended && (!more || len - at >= SEGMENT)) {
		size_t n = encoding == SIGNAL_SEGMENTS      ? take_segment(r, p + at, len - at)
			   : encoding == SIGNAL_DIFFERENCES ? take_difference(r, p + at, len - at)
							    : take_double(r, p + at, len - at);
		if (n == 0)
			break;
		at += n;
	}
	return at;
}

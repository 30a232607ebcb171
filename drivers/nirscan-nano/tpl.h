/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A serialised structure ("tpl"): head, format string, lengths of the arrays, packed values.  Pure.
 * The format's letters are c (8 bits), j and v (16), i and u (32), f (64); # after a letter or a
 * structure in brackets is an array (confirmed).
 */
#ifndef NIRSCAN_TPL_H
#define NIRSCAN_TPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TPL_ARRAYS_MAX 8

/* Points into the bytes that were read. */
struct tpl {
	const char *format;
	const uint8_t *values;
	uint32_t lengths[TPL_ARRAYS_MAX];
	/* The next value, for the functions below. */
	const char *at;
	size_t array;
};

/* Reads the structure that `bytes` start with: its length, or -EBADMSG with `why`. */
ssize_t tpl_open(const uint8_t *bytes, size_t len, struct tpl *out, const char **why);

bool tpl_is(const struct tpl *t, const char *format);

/*
 * The next value in the order of the format, or an array of `*count` values; the caller knows the
 * format, and has compared it with tpl_is().
 */
const uint8_t *tpl_take(struct tpl *t, size_t *count);
int64_t tpl_integer(struct tpl *t);

/* An array of `max` doubles: false if it has another length. */
bool tpl_doubles(struct tpl *t, double *out, size_t max);

/* An array of characters as a text, which ends at its first 0 byte; others than printable ASCII become '?'. */
void tpl_text(struct tpl *t, char *out, size_t size);

#endif

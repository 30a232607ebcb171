/* SPDX-License-Identifier: Apache-2.0 */
/* The three encodings of the values in Agilent's files .ch. */
#ifndef FILE_IMPORT_AGILENT_SIGNAL_H
#define FILE_IMPORT_AGILENT_SIGNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum signal_encoding { SIGNAL_SEGMENTS, SIGNAL_DIFFERENCES, SIGNAL_DOUBLES };

/* The state between two values; zeroed before the first. */
struct signal_reader {
	int64_t value, slope;
	size_t count;   /* of values */
	bool has_ended; /* by the end mark of segments */
	double *to;     /* NULL: they are counted only */
};

/*
 * Takes whole items from the begin of `len` bytes and returns their length: less than `len` behind the end
 * mark, or where no item is.  With `more` bytes to come it leaves the last ones, which may be the begin of an item,
 * 1,532 at most.
 */
size_t signal_take(enum signal_encoding encoding, struct signal_reader *r, const uint8_t *p,
	size_t len, bool more);

#endif

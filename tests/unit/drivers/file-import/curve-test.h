/* SPDX-License-Identifier: Apache-2.0 */
/* Files of spectra, built byte by byte, and the values of their frames. */
#ifndef ASSAY_TESTS_FILE_IMPORT_CURVE_TEST_H
#define ASSAY_TESTS_FILE_IMPORT_CURVE_TEST_H

#include "harness.h"

/* --- building --- */

struct build {
	uint8_t bytes[1 << 16];
	size_t len;
};

/* Each writes little-endian numbers at a place, and makes the file as long as needed. */
void build_u16(struct build *b, size_t at, uint16_t value);
void build_u32(struct build *b, size_t at, uint32_t value);
void build_f32(struct build *b, size_t at, float value);
void build_f64(struct build *b, size_t at, double value);
void build_bytes(struct build *b, size_t at, const void *bytes, size_t len);
void build_text(struct build *b, size_t at, const char *text);

/* fits() and look() for a file of this name. */
int build_look(const struct build *b, const struct format *format, const char *name,
	struct format_facts *facts);

/* --- expecting --- */

/* Values of a sample file as texts; the digits of each number are compared, not more. */
struct curve_values {
	const char *x, *x_unit, *y, *y_unit;
	size_t points;
	const char *first, *last, *y_first, *y_last, *max, *max_at, *min, *min_at,
		*sum; /* or NULL */
};

/* Fails unless `value` has these digits. */
void expect_digits(const char *what, double value, const char *digits);

/* Of the frame in im->host. */
void expect_curve(const struct import *im, const struct curve_values *values);

/* A number of the frame's own settings; -1: there is none. */
double frame_setting(const struct import *im, const char *name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of numbers of an OPUS file that become frames. */
#ifndef FILE_IMPORT_OPUS_DECODE_H
#define FILE_IMPORT_OPUS_DECODE_H

#include "format.h"
#include "numbers.h"
#include "opus-file.h"

#define OPUS_ROWS 7

/* The results first. */
struct opus_row {
	const char *part;
	enum opus_of of;
	enum opus_data data;
	struct quantity quantity; /* a unit NULL: the values show if it is per cent */
	const char *channel;
};

extern const struct opus_row opus_rows[OPUS_ROWS];

/* The parameters of a block of numbers. */
struct opus_numbers {
	double points, first, last, factor;
};

/* True if all are there, and can be. */
bool opus_about_numbers(struct opus_parameters list, struct opus_numbers *to);

/* Of a frame: the block of numbers, their parameters, then those of the measurement. */
int opus_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out);

#endif

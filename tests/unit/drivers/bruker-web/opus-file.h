/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files in the OPUS format, written from the published facts by the tests' own reading of them.
 */
#ifndef ASSAY_TESTS_BRUKER_OPUS_FILE_H
#define ASSAY_TESTS_BRUKER_OPUS_FILE_H

#include <stddef.h>
#include <stdint.h>

#define OPUS_FILE_MAX    (4u << 20)
#define OPUS_FILE_BLOCKS 16

/* A file under construction: the directory has room for 40 blocks, as in real files. */
struct opus_file {
	uint8_t *bytes; /* OPUS_FILE_MAX of them */
	size_t len;
	uint32_t count;
};

/* Allocates; freed by opus_file_free(). */
struct opus_file *opus_file_new(void);
void opus_file_free(struct opus_file *f);

/* Starts a block of parameters, or one of numbers. */
void opus_file_block(struct opus_file *f, uint32_t type);

/* Parameters of the block that was started last; end with opus_file_end(). */
void opus_file_integer(struct opus_file *f, const char *name, int32_t value);
void opus_file_real(struct opus_file *f, const char *name, double value);
void opus_file_text(struct opus_file *f, const char *name, const char *text);
void opus_file_end(struct opus_file *f);

void opus_file_numbers(struct opus_file *f, const float *values, size_t count);

/* How the interferogram of a whole file was measured. */
struct opus_scan {
	const float *values;
	size_t count;
	int32_t peak, backward_peak; /* -1: not stated */
	int32_t forward, backward;   /* scans in each direction */
	double laser, high, low, resolution, phase_resolution, factor;
	uint32_t extra; /* bits that are added to each type */
};

/* A whole file as the instrument delivers it. */
struct opus_file *opus_file_of(const struct opus_scan *scan);

#endif

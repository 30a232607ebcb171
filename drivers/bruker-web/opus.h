/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file in Bruker's OPUS format, as the instrument's web server delivers it: a directory of blocks,
 * each with parameters or with numbers.  The bytes are hostile: opus_open() checks every block of
 * the directory against the file's size, so that the other functions cannot read past it.
 */
#ifndef BRUKER_WEB_OPUS_H
#define BRUKER_WEB_OPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPUS_MEDIA "application/x-bruker-opus"

/* Which measurement of the file a block belongs to: bits 2 and 3 of its type. */
enum opus_of { OPUS_SAMPLE = 1, OPUS_REFERENCE = 2, OPUS_RATIO = 3 };

/* The quantity of the numbers of a block: bits 10 to 15 of its type. */
enum opus_data { OPUS_SPECTRUM = 1, OPUS_INTERFEROGRAM = 2, OPUS_PHASE = 3, OPUS_ABSORBANCE = 4 };

/* The kind of a block of parameters: bits 4 to 9 of its type. */
enum opus_parameters {
	OPUS_INSTRUMENT = 2,
	OPUS_ACQUISITION = 3,
	OPUS_FOURIER = 4,
	OPUS_OPTICS = 6,
};

/* Borrows the bytes. */
struct opus {
	const uint8_t *bytes, *directory;
	size_t len, blocks;
};

struct opus_block {
	const uint8_t *bytes;
	size_t len;
};

/* 0 or -EBADMSG: no OPUS file, or one that ends before a block of its directory does. */
int opus_open(struct opus *file, const uint8_t *bytes, size_t len);

/*
 * Finds the numbers of that kind, and the block with their parameters; a derivative and other
 * extras do not count.  Returns the number of such blocks; `numbers` and `about` are those of the
 * first, `about->bytes` is NULL if there are none.
 */
size_t opus_find_data(const struct opus *file, enum opus_of of, enum opus_data kind,
	struct opus_block *numbers, struct opus_block *about);

/* Finds the parameters of that kind; an empty block if there are none. */
struct opus_block opus_find_parameters(
	const struct opus *file, enum opus_of of, enum opus_parameters kind);

/* A number, an integer or a float, of the parameter with that name of three letters; finite. */
bool opus_number(struct opus_block block, const char *name, double *out);

/*
 * A text: printable ASCII as it is, each other byte as '?', cut at the end of `out`.  False if the
 * parameter is not there, is not a text, or is empty.
 */
bool opus_text(struct opus_block block, const char *name, char *out, size_t size);

/* Number `i` of a block of numbers, as stored. */
float opus_value(const uint8_t *numbers, size_t i);

#endif

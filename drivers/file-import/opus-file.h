/* SPDX-License-Identifier: Apache-2.0 */
/* The words of an OPUS file: types of blocks, and parameters in a block. */
#ifndef FILE_IMPORT_OPUS_FILE_H
#define FILE_IMPORT_OPUS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fields of a block's type.  Bit 30 may be set on any block, so a type is never compared as a whole. */
enum opus_complex { OPUS_REAL = 1, OPUS_IMAGINARY = 2, OPUS_AMPLITUDE = 3 };
enum opus_of { OPUS_SAMPLE = 1, OPUS_REFERENCE = 2, OPUS_RATIO = 3 };
enum opus_about {
	OPUS_NUMBERS = 0,
	OPUS_ABOUT_NUMBERS = 1,
	OPUS_INSTRUMENT = 2,
	OPUS_ACQUISITION = 3,
	OPUS_FOURIER = 4,
	OPUS_SAMPLE_FACTS = 10,
};
enum opus_data {
	OPUS_SPECTRUM = 1,
	OPUS_INTERFEROGRAM = 2,
	OPUS_ABSORBANCE = 4,
	OPUS_TRANSMITTANCE = 5,
	OPUS_KUBELKA_MUNK = 6,
};

static inline unsigned opus_complex(uint32_t type)
{
	return type & 3;
}

static inline unsigned opus_of(uint32_t type)
{
	return type >> 2 & 3;
}

static inline unsigned opus_about(uint32_t type)
{
	return type >> 4 & 0x3f;
}

static inline unsigned opus_data(uint32_t type)
{
	return type >> 10 & 0x7f;
}

/* Derivatives and extras such as a history: bits 17 to 21. */
static inline unsigned opus_extra(uint32_t type)
{
	return type >> 17 & 0x1f;
}

/* A block of parameters, as it is in the file. */
struct opus_parameters {
	const uint8_t *bytes;
	size_t len;
};

/* True if the list ends with END. */
bool opus_is_ended(struct opus_parameters list);

/* A number, an integer or a float, of the parameter with that name of three letters; finite. */
bool opus_number(struct opus_parameters list, const char *name, double *to);

/* A text, which may be empty; false if the parameter is not there, or not a text. */
bool opus_text(struct opus_parameters list, const char *name, char *to, size_t size);

#endif

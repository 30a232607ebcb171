/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floats as decimal text: the fewest digits that read back as the same float, with a point in every
 * locale.  JSON, CSV and the tools write numbers with these functions only.  Any thread.
 */
#ifndef ASSAY_RECORD_DECIMAL_H
#define ASSAY_RECORD_DECIMAL_H

#include <stddef.h>

#define DECIMAL_SIZE 32

/* Writes a finite value, which JSON takes as a number, and returns its length. */
size_t decimal_from_double(char out[DECIMAL_SIZE], double value);
size_t decimal_from_float(char out[DECIMAL_SIZE], float value);

/* The same for a result of our own arithmetic, such as start + i * step: without its last error. */
size_t decimal_from_computed(char out[DECIMAL_SIZE], double value);

#endif

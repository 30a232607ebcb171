/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floats as decimal text that reads back as the same float, short where that is possible, with a
 * point in every locale.  Any thread.
 */
#ifndef ASSAY_RECORD_DECIMAL_H
#define ASSAY_RECORD_DECIMAL_H

#include <stddef.h>

#define DECIMAL_SIZE 32

/* Writes a finite value, which JSON takes as a number, and returns its length. */
size_t decimal_from_double(char out[DECIMAL_SIZE], double value);
size_t decimal_from_float(char out[DECIMAL_SIZE], float value);

#endif

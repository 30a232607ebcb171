/* SPDX-License-Identifier: Apache-2.0 */
/* The words of JCAMP-DX for quantities. */
#ifndef FILE_IMPORT_JCAMP_WORDS_H
#define FILE_IMPORT_JCAMP_WORDS_H

#include "numbers.h"

/* Of ##XUNITS and of the units of pages; `abscissa` if it is no known word. */
struct quantity jcamp_place(const char *units);

/*
 * The two sides of a table with ##DATA TYPE, ##XUNITS and ##YUNITS, and the kind of its frame.  A unit NULL
 * of `y`: the values show if it is per cent.
 */
enum assay_kind jcamp_sides(const char *type, const char *x_units, const char *y_units,
	struct quantity *x, struct quantity *y);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The numbers of JCAMP-DX tables: AFFN (plain), PAC (a sign separates), SQZ (a letter is sign and first
 * digit), DIF (a difference), DUP (a repetition).
 */
#ifndef FILE_IMPORT_ASDF_H
#define FILE_IMPORT_ASDF_H

#include <assay/driver.h>

/* A table (X++(Y..Y)): each line has a place, then ordinates.  `text` borrows. */
struct asdf {
	const struct assay_host *host;
	const char *text;
	size_t len;
	/* The check of each line's place: of point i it is first + i step; its unit is `factor`. */
	bool has_places;
	double first, step, factor;
};

struct asdf_result {
	size_t count;
	size_t wrong; /* lines whose place or checkpoint contradicts the rest, or with other signs */
	size_t wrong_at; /* the first of them, from 1 */
};

/*
 * Reads the ordinates into `to` without any factor, NaN for a missing one; NULL: counts only.  -EBADMSG:
 * more than `max`.
 */
int asdf_list(const struct asdf *table, double *to, size_t max, struct asdf_result *result);

/* The same of a table (XY..XY) of plain numbers; `xs` and `ys` may be NULL. */
int asdf_pairs(
	const struct asdf *table, double *xs, double *ys, size_t max, struct asdf_result *result);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes netCDF-3, the classic format: CDF-1, or CDF-2 with 64-bit offsets.  First dimensions,
 * attributes and variables are declared, then cdf_head() writes the header, then come the values of
 * all variables in the order of the file: variable by variable, then record by record.  So a file of
 * any length is written from its beginning to its end, in pieces.
 */
#ifndef ASSAY_EXPORT_CDF_H
#define ASSAY_EXPORT_CDF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define CDF_DIMS     32
#define CDF_VARS     512
#define CDF_VAR_DIMS 4
#define CDF_NAME     64
#define CDF_GLOBAL   SIZE_MAX /* attributes of the file, in place of a variable */

enum cdf_type { /* the numbers of the file format */
	CDF_BYTE = 1,
	CDF_CHAR,
	CDF_SHORT,
	CDF_INT,
	CDF_FLOAT,
	CDF_DOUBLE,
};

struct cdf_attributes {
	struct buffer bytes;
	uint32_t count;
};

struct cdf {
	bool is_64; /* CDF-2; the caller sets it */
	uint64_t
		records; /* the length of the record dimension; the caller sets it before cdf_head() */
	struct cdf_dim {
		char name[CDF_NAME];
		uint64_t length; /* 0: the record dimension */
	} dims[CDF_DIMS];
	struct cdf_var {
		char name[CDF_NAME];
		enum cdf_type type;
		size_t dims[CDF_VAR_DIMS], dims_count;
		struct cdf_attributes attributes;
		uint64_t count, bytes; /* values, and their bytes with padding; of one record */
		bool is_record;
	} vars[CDF_VARS];
	size_t dims_count, vars_count;
	struct cdf_attributes attributes;
	bool failed; /* too many declarations: cdf_head() returns that */

	/* by cdf_head(): the variables in the order of their values, and the place of the next value */
	size_t order[CDF_VARS], fixed_count, at;
	uint64_t value, record;
};

/* Frees the memory and makes it zero, which is a valid empty one. */
void cdf_finish(struct cdf *cdf);

/*
 * Declarations.  A name is cut to CDF_NAME - 1 bytes; the caller gives each once.  `length` 0 is the
 * record dimension, which can only be the first of a variable.
 */
size_t cdf_dim(struct cdf *cdf, const char *name, uint64_t length);
size_t cdf_var(struct cdf *cdf, const char *name, enum cdf_type type, size_t dims_count,
	const size_t *dims);
void cdf_text(struct cdf *cdf, size_t var, const char *name, const char *text);
void cdf_number(struct cdf *cdf, size_t var, const char *name, enum cdf_type type, double number);

/*
 * Appends the header.  0; -ENOMEM; -E2BIG: too many declarations; -EFBIG: the file would be larger
 * than the format allows, which is 2 GiB for CDF-1.
 */
int cdf_head(struct cdf *cdf, struct buffer *to);

/* Appends the next value in the type of its variable; of a text the bytes, filled up with zeros. */
void cdf_put(struct cdf *cdf, struct buffer *to, double value);
void cdf_put_text(struct cdf *cdf, struct buffer *to, const char *text, size_t size);

/* All values that the header announces are there. */
bool cdf_is_whole(const struct cdf *cdf);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of which the examples build the part of a frame that a worker encodes. */
#ifndef ASSAY_TESTS_PARTS_H
#define ASSAY_TESTS_PARTS_H

#include "record/encode.h"

/* The pairs "kind" and "vars" up to the head of its array. */
void part_begin(struct buffer *part, const char *kind, size_t vars);

/* A variable up to and with its unit, `dim` NULL for a single value; the caller adds the data. */
void part_open_var(struct map *var, struct buffer *to, const char *name, const char *role,
	const char *dim, const char *unit);

/* Whole variables: an array, an even axis, two single values. */
void part_typed(struct buffer *to, const char *name, const char *role, const char *dim,
	const char *unit, enum assay_element element, const void *data, size_t count);
void part_axis(
	struct buffer *to, const char *name, const char *unit, double start, double step, size_t n);
void part_number(struct buffer *to, const char *name, const char *unit, double value);
void part_integer(struct buffer *to, const char *name, int64_t value);

/* An array of texts. */
void part_texts(struct buffer *to, const char *const *texts, size_t count);

#endif

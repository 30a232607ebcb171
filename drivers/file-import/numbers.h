/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of a frame along its axis, with the names and units of config/names.csv. */
#ifndef FILE_IMPORT_NUMBERS_H
#define FILE_IMPORT_NUMBERS_H

#include <assay/driver.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUMBERS_MAX (1u << 20) /* of one frame: 8 MiB of f64 */

struct quantity {
	const char *name, *unit;
};

/* Places along an axis: `data` in f32 or f64, or NULL: even, from `first` to `last`. */
struct places {
	struct quantity of;
	const char *label; /* NULL: none */
	size_t count;
	double first, last;
	enum assay_value type;
	const void *data;
};

/*
 * Adds the axis, and returns its name.  Places that do not strictly ascend or descend are no axis by the
 * rules of a frame: they become data along the axis `point`.
 */
const char *numbers_add_places(struct assay_frame *out, const struct places *x);

/* Adds `count` values in f32 or f64 along `axis`. */
void numbers_add_values(struct assay_frame *out, const char *axis, const struct quantity *of,
	const char *label, enum assay_value type, const void *data, size_t count);

/*
 * "%" or "1": formats that call a quantity transmittance or reflectance, and no more, are written both ways.
 * One value above 1.5 makes it per cent, as other readers have it.
 */
const char *numbers_ratio_unit(enum assay_value type, const void *data, size_t count);

#endif

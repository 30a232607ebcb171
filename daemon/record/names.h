/* SPDX-License-Identifier: Apache-2.0 */
/* The names of variables, settings and setup fields: config/names.csv, compiled in. */
#ifndef ASSAY_RECORD_NAMES_H
#define ASSAY_RECORD_NAMES_H

#include <assay/record.h>

#include "record/text.h"

enum name_where {
	NAME_DATA = 1,
	NAME_AXIS,
	NAME_AUX,
	NAME_SETTING,
	NAME_SETUP,
};

struct name {
	const char *name;
	enum name_where where;
	unsigned techniques; /* bits of techniques.h */
	const char *unit;    /* usual UCUM code; NULL: none, or the instrument's own */
	const char *term;    /* CHMO or PSI-MS id for `qty`; NULL: none */
	const char *label;   /* name in export formats; NULL: none */
	const char *meaning; /* NULL: the name suffices */
	double least, most;  /* usual values in `unit`; both 0: not stated */
	const char *others;  /* units of other dimensions, by blanks; "*": all; NULL: none */
	const char *jcamp;   /* label in JCAMP-DX; NULL: none */
	const char *andi;    /* name in ANDI netCDF; NULL: none */
};

/* Static; NULL when the list does not have it. */
const struct name *name_find(struct assay_string name);

/*
 * Whether a variable of this name may be in this unit: one that has the dimension of the name's unit
 * or of one of its other units.  True for a name, NULL, or a unit that is not of the lists.
 */
bool name_takes_unit(const struct name *name, struct assay_string unit);

#define NAME_UNITS 120

/* "mg/m3, 1 or ug/cm2": the units that name_takes_unit() compares with.  Returns `text`. */
const char *name_units(const struct name *name, char text[NAME_UNITS]);

/*
 * The name of a variable that `text` is probably a slip of, such as signal of "sginal".  NULL for
 * the names of the list, for one that goes on after such a name ("signal_2"), and if none is near.
 */
const struct name *name_near(const char *text);

/* The i-th name, sorted; NULL after the last. */
const struct name *name_at(size_t i);

#endif

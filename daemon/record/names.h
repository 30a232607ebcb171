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
};

/* Static; NULL when the list does not have it. */
const struct name *name_find(struct assay_string name);

/* The i-th name, sorted; NULL after the last. */
const struct name *name_at(size_t i);

#endif

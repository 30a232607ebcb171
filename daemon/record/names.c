/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "record/names.h"
#include "record/techniques.h"
#include "record/units.h"

/* In strcmp() order; made by make-names.py. */
static const struct name names[] = {
#include "names.inc"
};

#define COUNT (sizeof names / sizeof names[0])

const struct name *name_at(size_t i)
{
	return i < COUNT ? &names[i] : NULL;
}

const struct name *name_find(struct assay_string name)
{
	return bsearch(&name, names, COUNT, sizeof names[0], string_compare_row);
}

static bool has_dimension(struct assay_string code, enum dimension_id dimension)
{
	const struct ucum_unit *unit = unit_find(code);
	return unit != NULL && unit->dimension == dimension;
}

bool name_takes_unit(const struct name *name, struct assay_string code)
{
	const struct ucum_unit *unit = unit_find(code);
	if (name == NULL || name->unit == NULL || unit == NULL ||
		has_dimension(string_of(name->unit), unit->dimension))
		return true;
	const char *at = name->others != NULL ? name->others : "";
	while (*at != '\0') {
		size_t len = strcspn(at, " ");
		if (*at == '*' || has_dimension((struct assay_string){at, len}, unit->dimension))
			return true;
		at += len + (at[len] == ' ');
	}
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
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

const char *name_units(const struct name *name, char text[NAME_UNITS])
{
	const char *at = name->others != NULL ? name->others : "";
	int len = snprintf(text, NAME_UNITS, "%s", name->unit);
	while (*at != '\0' && len < NAME_UNITS) {
		int word = (int)strcspn(at, " ");
		bool is_last = at[word] == '\0';
		len += snprintf(text + len, NAME_UNITS - (size_t)len, "%s%.*s",
			is_last ? " or " : ", ", word, at);
		at += word + !is_last;
	}
	return text;
}

const struct name *name_near(const char *text)
{
	struct suggest near;
	const struct name *name;
	suggest_init(&near, text);
	for (size_t i = 0; (name = name_at(i)) != NULL; i++) {
		size_t len = strlen(name->name);
		if (strncmp(text, name->name, len) == 0 &&
			(text[len] == '\0' || text[len] == '_' ||
				isdigit((unsigned char)text[len])))
			return NULL;
		if (name->where == NAME_DATA || name->where == NAME_AXIS || name->where == NAME_AUX)
			suggest_offer(&near, name->name);
	}
	/* A distance of 0: `text` is the first word of a name. */
	return near.best != NULL && near.distance > 0 ? name_find(string_of(near.best)) : NULL;
}

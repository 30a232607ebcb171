/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdlib.h>

#include "record/names.h"
#include "record/techniques.h"

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

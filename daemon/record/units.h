/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UCUM codes that a record may carry, by technique.  A list and not a parser: UCUM reads Th
 * as terahour and takes any {annotation}, and a typing error must not become a unit.
 */
#ifndef ASSAY_RECORD_UNITS_H
#define ASSAY_RECORD_UNITS_H

#include <assay/record.h>

struct ucum_unit {
	const char *code;
	const char *meaning;
	unsigned techniques; /* bits of techniques.h */
};

/* The unit of this code, static; NULL when the list does not have it. */
const struct ucum_unit *unit_find(struct assay_string code);

/* True when one of these techniques (0: any) uses this code. */
bool unit_is_allowed(struct assay_string code, unsigned techniques);

/* A code near to a wrong one, for "did you mean": same letters in another case, or a common slip
 * such as "Th" or "ppm".  NULL when there is none. */
const char *unit_suggest(struct assay_string wrong);

#endif

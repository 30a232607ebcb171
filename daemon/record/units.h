/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UCUM codes that a record may carry, by technique.  A list and not a parser: UCUM reads Th
 * as terahour and takes any {annotation}, and a typing error must not become a unit.
 */
#ifndef ASSAY_RECORD_UNITS_H
#define ASSAY_RECORD_UNITS_H

#include <assay/record.h>

/* What a unit measures.  Units of one dimension convert into each other, except for rates of counts
 * and annotations, which UCUM does not tell from plain numbers. */
enum dimension_id {
	DIM_PLAIN,
	DIM_TIME,
	DIM_DATA,
	DIM_ENERGY,
	DIM_LENGTH,
	DIM_WAVENUMBER,
	DIM_TEMPERATURE,
	DIM_PRESSURE,
	DIM_CURRENT,
	DIM_VOLTAGE,
	DIM_POWER,
	DIM_RESISTANCE,
	DIM_FREQUENCY,
	DIM_COUNT_RATE,
	DIM_MASS,
	DIM_ATOMIC_MASS,
	DIM_MOLAR_MASS,
	DIM_MOLAR_ENERGY,
	DIM_AREA,
	DIM_AREAL_MASS,
	DIM_VOLUME,
	DIM_FLOW,
	DIM_MASS_CONCENTRATION,
	DIM_HEATING_VALUE,
	DIM_RAMP,
	DIM_ANGLE,
	DIM_SPEED,
	DIM_PEAK_AREA,
	DIM_ACIDITY,
	DIM_FORCE,
	DIM_CONDUCTIVITY,
	DIM_ILLUMINANCE,
	DIM_COUNT,
};

struct dimension {
	const char *name, *example; /* with article, "a pressure", "1000 mbar" */
};

struct ucum_unit {
	const char *code;
	const char *meaning;
	enum dimension_id dimension;
	unsigned techniques; /* bits of techniques.h */
};

/* The unit of this code, static; NULL when the list does not have it. */
const struct ucum_unit *unit_find(struct assay_string code);

/* Static. */
const struct dimension *unit_dimension(enum dimension_id id);

/* True when one of these techniques (0: any) uses this code. */
bool unit_is_allowed(struct assay_string code, unsigned techniques);

/* A code near to a wrong one, for "did you mean": same letters in another case, or a common slip
 * such as "Th" or "ppm".  NULL when there is none. */
const char *unit_suggest(struct assay_string wrong);

#endif

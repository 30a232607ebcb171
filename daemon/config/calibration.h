/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `calibration:` of an instrument: its id, the days on which it holds, and the driver's settings
 * that are flagged ASSAY_CALIBRATION, written as nested maps whose keys are joined by '_'.
 */
#ifndef ASSAY_CONFIG_CALIBRATION_H
#define ASSAY_CONFIG_CALIBRATION_H

#include "config/fields.h"

struct calibration_section {
	const char *id;              /* NULL: none */
	uint64_t from, to;           /* UTC ns; `to` is the end of the last day; 0: no limit */
	const struct node *settings; /* a flat map by setting name */
};

/* Reads `map` (NULL: left out). */
void calibration_read(struct load *load, const struct node *map, struct calibration_section *out);

extern const struct field calibration_fields[];

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `calibration:` of an instrument: which one, how long it holds, and the driver's settings that
 * are flagged ASSAY_CALIBRATION, written as nested maps whose keys are joined by '_'.
 */
#ifndef ASSAY_CONFIG_CALIBRATION_H
#define ASSAY_CONFIG_CALIBRATION_H

#include "config/fields.h"

struct calibration {
	const char *id;              /* NULL: none */
	uint64_t from, to;           /* UTC ns, 0: not said; the last day is included */
	const struct node *settings; /* a flat map by setting name */
};

/* Reads `map` (NULL: not said). */
void calibration_read(struct load *load, const struct node *map, struct calibration *out);

extern const struct field calibration_fields[];

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `calibration:` of an instrument, a method or a step: its id, the days on which it holds, the
 * settings that it holds for, and the driver's settings that are flagged ASSAY_CALIBRATION, written
 * as nested maps whose keys are joined by '_'.
 */
#ifndef ASSAY_CONFIG_CALIBRATION_H
#define ASSAY_CONFIG_CALIBRATION_H

#include "config/fields.h"

struct calibration_section {
	const char *id;               /* NULL: none */
	uint64_t from, to;            /* UTC ns; `to` is the end of the last day; 0: no limit */
	const struct node *holds_for; /* NULL: left out */
	const struct node *settings;  /* a flat map by setting name */
};

/* Reads `map` (NULL: left out). */
void calibration_read(struct load *load, const struct node *map, struct calibration_section *out);

/* The same without the driver's settings, which settings_read() takes. */
void calibration_keep(struct load *load, const struct catalog_driver *driver,
	const struct calibration_section *section, struct config_calibration *out);

/*
 * Warns of methods and settings known at load for which a calibration of an instrument does not
 * hold.  Called once everything is read without an error.
 */
void calibration_warn(struct load *load);

extern const struct field calibration_fields[];

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filament and electron multiplier: on only when the settings say so, off again after.
 */
#ifndef ASSAY_SRS_RGA_HAZARD_H
#define ASSAY_SRS_RGA_HAZARD_H

#include <assay/driver.h>

/*
 * Switches on what `emission_current` and `detector_voltage` ask for, or off where they are 0,
 * and compares.  What is not set is not touched.  Everything is noted before it is switched on, so
 * that rga_hazards_off() after a failure takes all of it back.
 */
int rga_hazards_on(struct assay_instrument *ins);

/* Switches off what this driver switched on. */
int rga_hazards_off(struct assay_instrument *ins);

/* Switches filament and multiplier off, whoever switched them on. */
int rga_make_safe(struct assay_instrument *ins);

#endif

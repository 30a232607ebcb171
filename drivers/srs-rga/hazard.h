/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filament and electron multiplier: switched on only if the settings request it, off afterwards.
 */
#ifndef ASSAY_SRS_RGA_HAZARD_H
#define ASSAY_SRS_RGA_HAZARD_H

#include <assay/driver.h>

/*
 * Switches filament and multiplier as `emission_current` and `detector_voltage` request, 0 is off,
 * and compares the readback.  Without the setting neither is changed.  Each is marked as on before
 * it is switched on, so that rga_hazards_off() switches it off after a failure, too.
 */
int rga_hazards_on(struct assay_instrument *ins);

/* Switches off the parts that this driver switched on. */
int rga_hazards_off(struct assay_instrument *ins);

/* Switches filament and multiplier off, from any state of the protocol. */
int rga_make_safe(struct assay_instrument *ins);

#endif

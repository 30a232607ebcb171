/* SPDX-License-Identifier: Apache-2.0 */
/* Filament and multiplier: on only if the settings request it, off afterwards. */
#ifndef ASSAY_HIDEN_RGA_HAZARD_H
#define ASSAY_HIDEN_RGA_HAZARD_H

#include <assay/driver.h>

/*
 * Sets operating mode 1 up and enters it if `emission_current` requests that, and waits for the
 * emission; switches off with an emission of 0; changes nothing without the setting.  They are
 * reported as on before the first command.  `row_mode` of the state becomes the unit's mode.
 */
int hiden_hazard_on(struct assay_instrument *ins);

/* Switches both filaments and the multiplier off, enters mode 0, and reads that back. */
int hiden_hazard_off(struct assay_instrument *ins);

/* The driver's make_safe slot: from any state of the protocol. */
int hiden_hazard_make_safe(struct assay_instrument *ins);

#endif

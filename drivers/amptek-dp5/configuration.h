/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the settings to the instrument's text configuration and back: which commands are wanted,
 * which of them this device has, sending them, and comparing what it reads back.
 */
#ifndef ASSAY_AMPTEK_DP5_CONFIGURATION_H
#define ASSAY_AMPTEK_DP5_CONFIGURATION_H

#include "state.h"

/* The table that the driver declares. */
extern const struct assay_setting configuration_settings[];

/*
 * The configure slot: what already is as wanted is not sent again, so that an instrument that
 * always saves to its flash is not worn out.
 */
int configuration_configure(struct assay_instrument *ins);

/*
 * Before a measurement: sends everything again if the instrument restarted or reads back otherwise
 * than after the last configure.  Leaves st->status fresh.
 */
int configuration_keep(struct assay_instrument *ins);

#endif

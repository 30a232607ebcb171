/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends the settings as the instrument's text configuration, reads it back and compares.
 */
#ifndef ASSAY_AMPTEK_DP5_CONFIGURATION_H
#define ASSAY_AMPTEK_DP5_CONFIGURATION_H

#include "state.h"

/* The table that the driver declares. */
extern const struct assay_setting configuration_settings[];

/*
 * The configure slot.  Commands whose value already reads back as wanted are not sent again: an
 * instrument that saves every configuration would wear out its flash.
 */
int configuration_configure(struct assay_instrument *ins);

/* The read_back slot. */
int configuration_read_back(struct assay_instrument *ins);

/*
 * Before a measurement: configures again if the instrument restarted or its readback differs from
 * that after the last configure.  Updates st->status.
 */
int configuration_keep(struct assay_instrument *ins);

#endif

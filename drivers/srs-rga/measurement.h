/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One measurement from start to stop: the slots of <assay/driver.h>.
 */
#ifndef ASSAY_SRS_RGA_MEASUREMENT_H
#define ASSAY_SRS_RGA_MEASUREMENT_H

#include <assay/driver.h>

/*
 * Switches on what the settings ask for, notes what the head says about the scan to come, and
 * checks that decode will be able to work from it.
 */
int rga_start(struct assay_instrument *ins);

/* One scan or series, and the head's status after it. */
int rga_acquire(struct assay_instrument *ins, struct assay_raw *raw);

/* Ends a scan that may be running, closes a series, switches off what start switched on. */
int rga_stop(struct assay_instrument *ins);

#endif

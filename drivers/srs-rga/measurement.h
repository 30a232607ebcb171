/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One measurement from start to stop: the slots of <assay/driver.h>.
 */
#ifndef ASSAY_SRS_RGA_MEASUREMENT_H
#define ASSAY_SRS_RGA_MEASUREMENT_H

#include <assay/driver.h>

/*
 * Switches filament and multiplier, stores the head's replies about the coming scan, and checks
 * that decode can use them.
 */
int rga_start(struct assay_instrument *ins);

/* One scan or series, and the head's status after it. */
int rga_acquire(struct assay_instrument *ins, struct assay_raw *raw);

/* Ends a running scan, closes a series, switches off the parts that start switched on. */
int rga_stop(struct assay_instrument *ins);

#endif

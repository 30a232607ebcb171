/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of a measurement: start, acquire, stop. */
#ifndef ASSAY_AMPTEK_DP5_ACQUISITION_H
#define ASSAY_AMPTEK_DP5_ACQUISITION_H

#include <assay/driver.h>

/* Checks configuration and detector, then disables, clears, enables. */
int acquisition_start(struct assay_instrument *ins);

/* Waits for the end of the measurement, its next partial spectrum, or its next slice. */
int acquisition_acquire(struct assay_instrument *ins, struct assay_raw *raw);

/* Ends counting.  Detector bias and cooler stay as they are. */
int acquisition_stop(struct assay_instrument *ins);

#endif

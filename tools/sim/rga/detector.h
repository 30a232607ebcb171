/* SPDX-License-Identifier: Apache-2.0 */
/* The electrometer and the multiplier before it: from ions to counts of 1e-16 A. */
#ifndef ASSAY_SIM_RGA_DETECTOR_H
#define ASSAY_SIM_RGA_DETECTOR_H

#include "rga.h"

/* How long one peak-locked mass takes at the noise floor setting, in seconds. */
double detector_seconds(int noise_floor);

/* One reading with the filter at `mass`, for `seconds`, saturating as int32. */
int32_t detector_read(struct rga *rga, double mass, double seconds);

/* The largest of seven readings over +-0.3 u; `seconds` for all. */
int32_t detector_read_peak(struct rga *rga, int mass, double seconds);

/* Total pressure; 0 while its flag is off. */
int32_t detector_read_total(struct rga *rga, double seconds);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What moves slowly: detector bias, cooler and temperatures. */
#ifndef ASSAY_SIM_AMPTEK_CLIMATE_H
#define ASSAY_SIM_AMPTEK_CLIMATE_H

#include <stdbool.h>
#include <stdint.h>

struct climate {
	double ambient_k;
	double bias_target_v, cooler_target_k; /* 0: off */
	double bias_v, detector_k, board_c, tec_v;
	uint64_t stepped; /* until here; in steps of 100 ms */
};

/* Everything off and at the ambient temperature, in degrees Celsius. */
void climate_init(struct climate *climate, double ambient_c);

/* Goes to the targets at once: an instrument that has been on for long. */
void climate_settle(struct climate *climate);

/* One step of 100 ms if it is due before `now`: false when there was none to do. */
bool climate_step(struct climate *climate, uint64_t now);

/* The share of the charge-carrying photons that make a pulse, 0..1: none without bias. */
double climate_efficiency(const struct climate *climate);

#endif

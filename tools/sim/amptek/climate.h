/* SPDX-License-Identifier: Apache-2.0 */
/* The slow quantities: detector bias, cooler and temperatures. */
#ifndef ASSAY_SIM_AMPTEK_CLIMATE_H
#define ASSAY_SIM_AMPTEK_CLIMATE_H

#include <stdbool.h>
#include <stdint.h>

struct climate {
	double ambient_k;
	double bias_target_v, cooler_target_k; /* 0: off */
	double bias_v, detector_k, board_c, tec_v;
	uint64_t stepped; /* time of the last step of 100 ms */
};

/* Everything off and at the ambient temperature, in degrees Celsius. */
void climate_init(struct climate *climate, double ambient_c);

/* Reaches the targets at once, as after a long time of operation. */
void climate_settle(struct climate *climate);

/* Does one step of 100 ms if it ends by `now`; false if not. */
bool climate_step(struct climate *climate, uint64_t now);

/* The share of photons that make a pulse, 0..1; 0 without bias. */
double climate_efficiency(const struct climate *climate);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of the family and the differences between them. */
#ifndef ASSAY_SIM_AMPTEK_DEVICE_H
#define ASSAY_SIM_AMPTEK_DEVICE_H

#include <stdint.h>

enum device_bit { DP5 = 1, PX5 = 2, DP5G = 4, MCA8000D = 8, TB5 = 16, DP5X = 32 };

struct device {
	const char *name;  /* for --device */
	const char *title; /* as the instrument reports it */
	uint8_t id;        /* status byte 39 */
	enum device_bit bit;
	double gain_min, gain_max, nominal_gain; /* nominal: 10 eV per channel of 2048 */
	double hv_limit;                         /* V; 0: no bias supply */
	const char *configuration;               /* of its flash, as delivered, without the bias */
};

/* In the order of their ids. */
extern const struct device devices[6];

/* For options_choice(): the names, in the same order, then NULL. */
extern const char *const device_names[7];

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vacuum in which the head measures: gases whose partial pressures drift slowly, and one leak
 * if an option plans it.  Pressures are in Torr, as in the instrument's manual.
 */
#ifndef ASSAY_SIM_RGA_CHAMBER_H
#define ASSAY_SIM_RGA_CHAMBER_H

#include <stddef.h>
#include <stdint.h>

#include "framework/random.h"
#include "gas.h"

#define RGA_CHAMBER_GASES_MAX 16

struct rga_chamber {
	struct rga_partial {
		const struct rga_gas *gas;
		double usual, now; /* Torr */
		double drift;      /* in standard deviations */
	} partials[RGA_CHAMBER_GASES_MAX];
	size_t n;
	double leak_from, leak_until; /* seconds */
	double time;
};

/* Reads "N2:4e-7,O2:1e-7,ethanol"; without a pressure 1e-7 Torr.  0 or -EINVAL. */
int chamber_parse(struct rga_chamber *chamber, const char *text);

/* Advances the time to `seconds` and the gases with it; an earlier time is ignored. */
void chamber_advance(struct rga_chamber *chamber, double seconds, struct sim_random *random);

/* Total pressure. */
double chamber_pressure(const struct rga_chamber *chamber);

/*
 * Ions that pass the filter at `mass`, as the partial pressure of nitrogen that would give as many
 * ions of mass 28.  Peaks are one mass unit wide at a tenth of their height.
 */
double chamber_ions(const struct rga_chamber *chamber, double mass);

#endif

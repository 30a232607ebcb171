/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The true gas in a stack, in the units that plants use: mg/m3 for pollutants, % for water and
 * oxygen, mg/m3 or ppm for CO2 as the operator configured it.  Every quantity drifts slowly about
 * its usual value (an Ornstein-Uhlenbeck process); false air dilutes all combustion gases together,
 * and NOx is NO (as NO2) plus NO2.  The components of natural gas, in mole %, belong to a process GC.
 */
#ifndef ASSAY_SIM_MODBUS_GAS_H
#define ASSAY_SIM_MODBUS_GAS_H

#include <stdint.h>

#include "framework/random.h"

enum gas {
	GAS_SO2,
	GAS_NOX,
	GAS_NO,
	GAS_NO2,
	GAS_NH3,
	GAS_CO,
	GAS_CO2,
	GAS_HCL,
	GAS_HF,
	GAS_H2O,
	GAS_O2,
	GAS_N2O,
	GAS_CH4,
	GAS_C2H4,
	GAS_SF6,
	GAS_THC,
	GAS_PRESSURE,
	GAS_TEMPERATURE,
	GAS_C6_PLUS,
	GAS_NITROGEN,
	GAS_METHANE,
	GAS_CARBON_DIOXIDE,
	GAS_ETHANE,
	GAS_PROPANE,
	GAS_ISOBUTANE,
	GAS_BUTANE,
	GAS_ISOPENTANE,
	GAS_PENTANE,
	GAS_COUNT,
};

struct gas_stack {
	double value[GAS_COUNT]; /* now */
	double drift[GAS_COUNT]; /* in standard deviations */
	struct sim_random random;
};

/* Starts at the usual values: those of the examples in the register maps. */
void gas_init(struct gas_stack *stack, uint64_t seed);

/* Advances by `seconds`. */
void gas_advance(struct gas_stack *stack, double seconds);

/* Full scale of the analyser's range. */
double gas_range(enum gas gas);

/* "SO2"; static. */
const char *gas_name(enum gas gas);

#endif

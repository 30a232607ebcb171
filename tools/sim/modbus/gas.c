/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "gas.h"

#define DRIFT_TIME_S  600.0
#define AIR_OXYGEN    20.95
#define NO_AS_NO2     (46.0055 / 30.0061)
#define REPEATABILITY 0.003

static const struct {
	const char *name;
	double usual, spread, range; /* spread: relative standard deviation of the drift */
} gases[GAS_COUNT] = {
	[GAS_SO2] = {"SO2", 35.75, 0.12, 75},
	[GAS_NOX] = {"NOx", 187.3, 0.08, 400},
	[GAS_NO] = {"NO", 120.5, 0.08, 250},
	[GAS_NO2] = {"NO2", 2.5, 0.15, 50},
	[GAS_NH3] = {"NH3", 3.25, 0.20, 10},
	[GAS_CO] = {"CO", 45.0, 0.15, 75},
	[GAS_CO2] = {"CO2", 98000, 0.02, 200000},
	[GAS_HCL] = {"HCl", 12.5, 0.15, 15},
	[GAS_HF] = {"HF", 0.5, 0.20, 5},
	[GAS_H2O] = {"H2O", 14.2, 0.06, 40},
	[GAS_O2] = {"O2", 10.9, 0.05, 25},
	[GAS_N2O] = {"N2O", 6.0, 0.15, 50},
	[GAS_CH4] = {"CH4", 2.0, 0.20, 15},
	[GAS_C2H4] = {"C2H4", 0.8, 0.20, 10},
	[GAS_SF6] = {"SF6", 0.1, 0.25, 5},
	[GAS_THC] = {"THC", 4.0, 0.20, 15},
	[GAS_PRESSURE] = {"P", 1013.25, 0.004, 1100},
	[GAS_TEMPERATURE] = {"T", 180.0, 0.003, 250},
	[GAS_C6_PLUS] = {"C6+", 0.031, 0.06, 1},
	[GAS_NITROGEN] = {"N2", 1.25, 0.04, 20},
	[GAS_METHANE] = {"methane", 94.2, 0.001, 100},
	[GAS_CARBON_DIOXIDE] = {"carbon dioxide", 0.85, 0.04, 20},
	[GAS_ETHANE] = {"ethane", 2.9, 0.04, 20},
	[GAS_PROPANE] = {"propane", 0.5, 0.05, 10},
	[GAS_ISOBUTANE] = {"isobutane", 0.1, 0.06, 5},
	[GAS_BUTANE] = {"butane", 0.1, 0.06, 5},
	[GAS_ISOPENTANE] = {"isopentane", 0.035, 0.06, 1},
	[GAS_PENTANE] = {"pentane", 0.034, 0.06, 1},
};

void gas_init(struct gas_stack *stack, uint64_t seed)
{
	*stack = (struct gas_stack){0};
	random_init(&stack->random, seed);
	for (int i = 0; i < GAS_COUNT; i++)
		stack->value[i] = gases[i].usual;
}

void gas_advance(struct gas_stack *stack, double seconds)
{
	double keep = exp(-seconds / DRIFT_TIME_S);
	double kick = sqrt(1 - keep * keep);
	for (int i = 0; i < GAS_COUNT; i++) {
		stack->drift[i] = stack->drift[i] * keep + kick * random_normal(&stack->random);
		double noise = REPEATABILITY * random_normal(&stack->random);
		double off = gases[i].spread * (stack->drift[i] + noise);
		stack->value[i] = gases[i].usual * fmax(1 + off, 0);
	}
	double o2 = fmin(stack->value[GAS_O2], AIR_OXYGEN);
	double fire = (AIR_OXYGEN - o2) / (AIR_OXYGEN - gases[GAS_O2].usual);
	for (int i = 0; i < GAS_PRESSURE; i++)
		if (i != GAS_O2 && i != GAS_H2O && i != GAS_NOX)
			stack->value[i] *= fire;
	stack->value[GAS_NOX] = stack->value[GAS_NO] * NO_AS_NO2 + stack->value[GAS_NO2];
}

double gas_range(enum gas gas)
{
	return gases[gas].range;
}

const char *gas_name(enum gas gas)
{
	return gases[gas].name;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "residue.h"

#define ADDED 0.2  /* share of the added gas */
#define WIDTH 0.22 /* u, one standard deviation of a peak */

struct residue_gas {
	const char *name;
	double share;
	struct {
		double mass, height;
	} peaks[12];
};

/* Shares of an unbaked chamber; heights are relative to the base peak. */
static const struct residue_gas residue[] = {
	{"H2O", 0.55, {{18, 1}, {17, 0.21}, {16, 0.02}}},
	{"N2", 0.22, {{28, 1}, {14, 0.07}, {29, 0.007}}},
	{"H2", 0.1, {{2, 1}, {1, 0.02}}},
	{"O2", 0.05, {{32, 1}, {16, 0.11}}},
	{"CO2", 0.06, {{44, 1}, {28, 0.11}, {16, 0.08}, {12, 0.06}}},
	{"Ar", 0.02, {{40, 1}, {20, 0.15}}},
};

static const struct residue_gas added_gases[] = {
	{"none", 0, {{0, 0}}},
	{"ethanol", 1, {{31, 1}, {45, 0.5}, {46, 0.22}, {29, 0.3}, {27, 0.23}, {43, 0.08}}},
	{"toluene", 1, {{91, 1}, {92, 0.75}, {65, 0.12}, {39, 0.11}, {51, 0.06}, {63, 0.07}}},
	{"argon", 1, {{40, 1}, {20, 0.15}}},
};

const struct residue_gas *residue_find(const char *name)
{
	for (size_t i = 0; i < sizeof added_gases / sizeof added_gases[0]; i++)
		if (strcmp(added_gases[i].name, name) == 0)
			return &added_gases[i];
	return NULL;
}

static double peaks_at(const struct residue_gas *gas, double mass)
{
	double sum = 0;
	for (size_t i = 0; i < sizeof gas->peaks / sizeof gas->peaks[0]; i++) {
		double away = (mass - gas->peaks[i].mass) / WIDTH;
		sum += gas->peaks[i].height * exp(-away * away / 2);
	}
	return sum * gas->share;
}

double residue_at(const struct residue_gas *added, double total, double mass)
{
	double sum = 0, rest = added->share > 0 ? 1 - ADDED : 1;
	for (size_t i = 0; i < sizeof residue / sizeof residue[0]; i++)
		sum += peaks_at(&residue[i], mass);
	return total * (rest * sum + ADDED * peaks_at(added, mass));
}

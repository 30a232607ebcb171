/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "column.h"

#define BASELINE 1500
#define DRIFT    0.05 /* per s */

static const struct column_method methods[] = {
	{"NaturalGas",
		{{{"hydrogen", 22, 0.5, 0.2, 90000}, {"oxygen", 31, 0.6, 0.05, 11000},
			 {"nitrogen", 38, 0.7, 1.25, 10500}, {"methane", 52, 0.9, 94.0, 16000},
			 {"carbon monoxide", 81, 1.3, 0.01, 10800}},
			{{"carbon dioxide", 48, 0.8, 0.85, 13500}, {"ethane", 69, 1.0, 2.9, 21000},
				{NULL, 95, 1.2, 0.02, 20000}, {"propane", 142, 1.9, 0.5, 26000}}}},
	{"Air", {{{"oxygen", 31, 0.6, 20.95, 11000}, {"nitrogen", 38, 0.7, 78.08, 10500}},
			{{"carbon dioxide", 48, 0.8, 0.04, 13500},
				{"water", 160, 3.0, 0.9, 12000}}}},
};

const struct column_method *column_method(size_t index)
{
	return index < sizeof methods / sizeof methods[0] ? &methods[index] : NULL;
}

const struct column_method *column_find(const char *name)
{
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

double column_signal(
	const struct column_method *method, size_t module, double seconds, double scale)
{
	double signal = BASELINE + DRIFT * seconds;
	for (size_t i = 0; i < COLUMN_PEAKS && method->peaks[module][i].time > 0; i++) {
		const struct column_peak *peak = &method->peaks[module][i];
		double away = (seconds - peak->time) / peak->sigma;
		double area = peak->share * peak->response * scale;
		if (fabs(away) < 8)
			signal += area / (peak->sigma * sqrt(2 * M_PI)) * exp(-away * away / 2);
	}
	return signal;
}

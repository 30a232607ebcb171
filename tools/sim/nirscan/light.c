/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "nirscan.h"

const char *const light_samples[] = {"white", "ethanol", "water", "polystyrene", NULL};

/* Overtones and combinations; absorbance at the centre. */
static const struct {
	double centre, width, absorbance;
} bands[4][5] = {
	{{0, 0, 0}},
	{{1190, 30, 0.15}, {1390, 30, 0.1}, {1580, 120, 0.5}, {1690, 25, 0.6}},
	{{970, 40, 0.1}, {1190, 60, 0.2}, {1450, 70, 1.2}},
	{{1142, 18, 0.25}, {1210, 25, 0.2}, {1410, 30, 0.2}, {1680, 25, 0.7}},
};

double light_returned(int sample, double nm)
{
	double absorbance = 0.02;
	for (int i = 0; i < 5 && bands[sample][i].width > 0; i++) {
		double away = (nm - bands[sample][i].centre) / bands[sample][i].width;
		absorbance += bands[sample][i].absorbance * exp(-away * away);
	}
	return pow(10, -absorbance);
}

double light_lamp(double nm)
{
	double away = (nm - 1250) / 420;
	return exp(-away * away);
}

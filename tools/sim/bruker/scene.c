/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "scene.h"

#define SECOND_RADIATION 1.438777 /* cm K */
#define SOURCE_OFF       0
#define SOURCE_NIR       104
#define GLOBAR_K         1300.0
#define TUNGSTEN_K       2800.0

static const struct scene_band none[] = {{0, 0, 0}};
/* The usual wavenumber check. */
static const struct scene_band polystyrene[] = {{3060.0, 12, 0.9}, {3026.0, 10, 1.2},
	{2924.0, 20, 1.3}, {2849.5, 12, 0.8}, {1942.9, 12, 0.25}, {1601.2, 8, 0.8},
	{1583.0, 8, 0.3}, {1493.0, 10, 1.3}, {1452.0, 12, 1.2}, {1154.5, 8, 0.25},
	{1028.3, 10, 0.6}, {757.0, 12, 1.2}, {698.0, 12, 1.8}, {0, 0, 0}};
static const struct scene_band ethanol[] = {{3670.0, 30, 0.1}, {2980.0, 60, 0.5},
	{1394.0, 40, 0.15}, {1241.0, 40, 0.15}, {1050.0, 40, 0.6}, {880.0, 30, 0.12}, {0, 0, 0}};
static const struct scene_band co2[] = {
	{2361.0, 25, 0.9}, {2337.0, 25, 0.8}, {667.0, 8, 0.9}, {0, 0, 0}};
static const struct scene_band air[] = {{2361.0, 25, 0.03}, {2337.0, 25, 0.027},
	{1595.0, 120, 0.02}, {3750.0, 120, 0.02}, {0, 0, 0}};

static const struct scene_sample samples[] = {
	{"none", none}, {"polystyrene", polystyrene}, {"ethanol", ethanol}, {"co2", co2}};

const struct scene_sample *scene_find(const char *name)
{
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
		if (strcmp(samples[i].name, name) == 0)
			return &samples[i];
	return NULL;
}

/* 0 far below `at`, 1 far above. */
static double edge(double wavenumber, double at, double width)
{
	return 1 / (1 + exp(-(wavenumber - at) / width));
}

double scene_source(int code, double wavenumber)
{
	if (code == SOURCE_OFF || wavenumber <= 0)
		return 0;
	bool is_nir = code == SOURCE_NIR;
	double kelvin = is_nir ? TUNGSTEN_K : GLOBAR_K;
	double x = SECOND_RADIATION * wavenumber / kelvin;
	double power = x * x * x / expm1(x); /* Planck, at most 1.42 */
	double low = is_nir ? 1800 : 420, high = is_nir ? 12500 : 7000;
	return power / 1.4214 * edge(wavenumber, low, low / 20) *
	       (1 - edge(wavenumber, high, high / 20));
}

static double absorbance(const struct scene_band *bands, double wavenumber)
{
	double sum = 0;
	for (; bands->width > 0; bands++) {
		double away = 2 * (wavenumber - bands->centre) / bands->width;
		sum += bands->absorbance / (1 + away * away);
	}
	return sum;
}

double scene_transmittance(const struct scene_sample *sample, double wavenumber)
{
	return pow(10, -absorbance(air, wavenumber) - absorbance(sample->bands, wavenumber));
}

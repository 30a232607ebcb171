/* SPDX-License-Identifier: Apache-2.0 */
#include "tube.h"

#include <math.h>
#include <stdbool.h>

#include "xrl.h"

#define BREMSSTRAHLUNG 1.35e9
#define CHARACTERISTIC 5e13
#define SIN_IN         1.0 /* electrons meet the anode at a right angle */
#define SIN_OUT        0.5
#define WINDOW_CM      0.0125
#define WINDOW_DENSITY 1.848
#define BERYLLIUM      4
#define BREMS_STEPS    600

/* Mean depth in g/cm2 at which photons of energy `e` arise. */
static double depth(const struct tube *tube, double e)
{
	int z = tube->anode;
	double e0 = tube->kv, lz = log(z), u = log(e0 / e), j = 0.0135 * z;
	double m = 0.1382 - 0.9211 / sqrt(z);
	double eta = pow(e0, m) * (0.1904 - 0.2236 * lz + 0.1292 * lz * lz - 0.0149 * lz * lz * lz);
	double deepest = XRL(AtomicWeight, z) / z *
			 (0.787e-5 * sqrt(j) * pow(e0, 1.5) + 0.735e-6 * e0 * e0);
	return deepest * u * (0.49269 - 1.0987 * eta + 0.78557 * eta * eta) /
	       (0.70256 - 1.09865 * eta + 1.0046 * eta * eta + u);
}

/* The share of photons of energy `at`, made at the depth of `e`, that leaves anode and window. */
static double escape(const struct tube *tube, double e, double at)
{
	double path = 2 * XRL(CS_Total, tube->anode, at) * depth(tube, e) * SIN_IN / SIN_OUT;
	double window = XRL(CS_Total, BERYLLIUM, at) * WINDOW_CM * WINDOW_DENSITY;
	return (path > 1e-9 ? (1 - exp(-path)) / path : 1) * exp(-window);
}

static size_t add_bremsstrahlung(const struct tube *tube, struct photons *out)
{
	size_t n = 0;
	double step = tube->kv / BREMS_STEPS;
	double x = 1.109 - 0.00435 * tube->anode + 0.00175 * tube->kv;
	for (int i = 0; i < BREMS_STEPS - 1; i++) {
		double e = (i + 0.5) * step;
		if (e < 0.5)
			continue;
		double number = BREMSSTRAHLUNG * tube->anode * pow(tube->kv / e - 1, x) * step;
		out[n++] = (struct photons){e, number * escape(tube, e, e)};
	}
	return n;
}

/* The stopping power factor 1/S of one shell. */
static double stopping(int z, double edge, double e0, bool is_k)
{
	double u = e0 / edge, j = 0.0135 * z, core = u * log(u) + 1 - u;
	double correction = (sqrt(u) * log(u) + 2 * (1 - sqrt(u))) / core;
	return (is_k ? 2 * 0.35 : 8 * 0.25) / z * core * (1 + 16.05 * sqrt(j / edge) * correction);
}

static double backscatter(int z, double u, double e0)
{
	return 1 - 0.0081517 * z + 3.613e-5 * z * z + 0.009583 * z * exp(-u) + 0.001141 * e0;
}

static size_t add_shell(const struct tube *tube, int shell, int first, int last, double factor,
	struct photons *out, size_t room)
{
	size_t n = 0;
	int z = tube->anode;
	double edge = XRL(EdgeEnergy, z, shell);
	if (edge <= 0 || edge >= tube->kv)
		return 0;
	double vacancies = CHARACTERISTIC * factor * stopping(z, edge, tube->kv, shell == K_SHELL) *
			   backscatter(z, tube->kv / edge, tube->kv) * XRL(FluorYield, z, shell);
	for (int line = first; line >= last && n < room; line--) {
		double rate = XRL(RadRate, z, line), e = XRL(LineEnergy, z, line);
		if (rate > 0 && e > 0.5)
			out[n++] = (struct photons){e, vacancies * rate * escape(tube, edge, e)};
	}
	return n;
}

size_t tube_spectrum(const struct tube *tube, struct photons out[TUBE_PHOTONS_MAX])
{
	if (tube->kv < 1 || tube->ua <= 0)
		return 0;
	size_t n = add_bremsstrahlung(tube, out);
	n += add_shell(tube, K_SHELL, KL1_LINE, KP5_LINE, 1, out + n, TUBE_PHOTONS_MAX - n);
	n += add_shell(
		tube, L1_SHELL, L1L2_LINE, L2L3_LINE + 1, 0.142, out + n, TUBE_PHOTONS_MAX - n);
	n += add_shell(
		tube, L2_SHELL, L2L3_LINE, L3M1_LINE + 1, 0.54, out + n, TUBE_PHOTONS_MAX - n);
	n += add_shell(
		tube, L3_SHELL, L3M1_LINE, M1M2_LINE + 1, 0.988, out + n, TUBE_PHOTONS_MAX - n);
	return n;
}

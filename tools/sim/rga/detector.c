/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "detector.h"

#define COUNT_A         1e-16
#define ELECTRON_C      1.602176634e-19
#define A_PER_MA        1e-3
#define ELECTROMETER_A  4e-15 /* noise of one reading that takes READING_S */
#define READING_S       (2.4 / 7)
#define IONIZATION_EV   15.0
#define ENERGY_SCALE_EV 25.0
#define ENERGY_USUAL_EV 70.0
#define FOCUS_BEST_V    90.0
#define FOCUS_WIDTH_V   80.0
#define GAIN_EXPONENT   12.0 /* 10 at 1 kV to 1e6 at 2.5 kV */
#define CDEM_LEAST_V    10.0
#define LOW_ION_ENERGY  0.9 /* of the signal at 12 eV */
#define PEAK_READINGS   7

double detector_seconds(int noise_floor)
{
	static const double seconds[] = {2.4, 1.21, 0.48, 0.25, 0.163, 0.060, 0.043, 0.025};
	return seconds[noise_floor];
}

static double energy_yield(double volts)
{
	return 1 - exp(-(volts - IONIZATION_EV) / ENERGY_SCALE_EV);
}

/* The share of the nominal sensitivity that the ionizer's settings give. */
static double ionizer_yield(const struct rga_settings *set)
{
	double off_focus = (set->focus - FOCUS_BEST_V) / FOCUS_WIDTH_V;
	double energy = energy_yield(set->electron_energy) / energy_yield(ENERGY_USUAL_EV);
	double extraction = set->ion_energy == 0 ? LOW_ION_ENERGY : 1;
	return set->emission * energy * extraction * exp(-off_focus * off_focus);
}

static double cdem_gain(const struct rga *rga)
{
	if (rga->set.cdem == 0)
		return 1;
	double volts = fmax(rga->eeprom.mv, CDEM_LEAST_V);
	return rga->eeprom.mg * 1000 * pow(rga->set.cdem / volts, GAIN_EXPONENT);
}

/* Shot noise of the ions, multiplied with them, and the electrometer's own. */
static int32_t read_current(struct rga *rga, double ions_a, double gain, double seconds)
{
	struct sim_random *random = sim_random_of(rga->m);
	double shot = sqrt(ions_a * ELECTRON_C / seconds) * gain;
	double own = ELECTROMETER_A * sqrt(READING_S / seconds);
	double current = ions_a * gain + shot * random_normal(random) + own * random_normal(random);
	double counts = nearbyint(current / COUNT_A);
	return counts >= INT32_MAX ? INT32_MAX : counts <= INT32_MIN ? INT32_MIN : (int32_t)counts;
}

int32_t detector_read(struct rga *rga, double mass, double seconds)
{
	static const int32_t manual[] = {12345, -250, 100000000}; /* of the manual's session */
	if (rga->plan.is_fixed)
		return manual[rga->scan.at % 3];
	double ions = chamber_ions(&rga->chamber, mass) * rga->eeprom.sp * A_PER_MA;
	return read_current(rga, ions * ionizer_yield(&rga->set), cdem_gain(rga), seconds);
}

int32_t detector_read_peak(struct rga *rga, int mass, double seconds)
{
	int32_t best = INT32_MIN;
	for (int i = 0; i < PEAK_READINGS; i++) {
		double at = mass + 0.1 * (i - PEAK_READINGS / 2);
		int32_t counts = detector_read(rga, at, seconds / PEAK_READINGS);
		best = counts > best ? counts : best;
	}
	return best;
}

int32_t detector_read_total(struct rga *rga, double seconds)
{
	if (!rga->set.total_pressure)
		return 0;
	if (rga->plan.is_fixed)
		return 100000000;
	double ions = chamber_pressure(&rga->chamber) * rga->eeprom.st * A_PER_MA;
	return read_current(rga, ions * ionizer_yield(&rga->set), 1, seconds);
}

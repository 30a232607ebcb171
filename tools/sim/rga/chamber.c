/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "framework/options.h"
#include "chamber.h"

#define PRESSURE_USUAL 1e-7
#define PRESSURE_MAX   1e-3
#define LEAK_PRESSURE  1e-3
#define DRIFT_TIME_S   900.0
#define DRIFT          0.06 /* relative, one standard deviation */
#define PEAK_REACH     2.5  /* at a larger distance in u a peak adds nothing */

/* "4e-7" or "0.0000004"; `text` is modified. */
static int parse_pressure(char *text, double *pressure)
{
	char *exponent = strpbrk(text, "eE");
	double power = 0;
	if (exponent != NULL) {
		*exponent++ = '\0';
		if (number_parse(exponent, &power) < 0 || power != floor(power))
			return -EINVAL;
	}
	if (number_parse(text, pressure) < 0)
		return -EINVAL;
	*pressure *= pow(10, power);
	return *pressure >= 0 && *pressure <= PRESSURE_MAX ? 0 : -EINVAL;
}

static int parse_partial(const char *text, size_t len, struct rga_partial *partial)
{
	char part[64];
	if (len >= sizeof part)
		return -EINVAL;
	memcpy(part, text, len);
	part[len] = '\0';
	size_t name_len = strcspn(part, ":");
	*partial = (struct rga_partial){.gas = rga_gas_find(part, name_len)};
	partial->usual = PRESSURE_USUAL;
	if (partial->gas == NULL)
		return -EINVAL;
	if (part[name_len] == ':' && parse_pressure(part + name_len + 1, &partial->usual) < 0)
		return -EINVAL;
	partial->now = partial->usual;
	return 0;
}

int chamber_parse(struct rga_chamber *chamber, const char *text)
{
	*chamber = (struct rga_chamber){.leak_from = INFINITY};
	for (;;) {
		size_t len = strcspn(text, ",");
		if (chamber->n == RGA_CHAMBER_GASES_MAX ||
			parse_partial(text, len, &chamber->partials[chamber->n]) < 0)
			return -EINVAL;
		chamber->n++;
		if (text[len] == '\0')
			return 0;
		text += len + 1;
	}
}

void chamber_advance(struct rga_chamber *chamber, double seconds, struct sim_random *random)
{
	if (seconds <= chamber->time)
		return;
	double keep = exp(-(seconds - chamber->time) / DRIFT_TIME_S);
	double kick = sqrt(1 - keep * keep);
	for (size_t i = 0; i < chamber->n; i++) {
		struct rga_partial *partial = &chamber->partials[i];
		partial->drift = partial->drift * keep + kick * random_normal(random);
		partial->now = partial->usual * exp(DRIFT * partial->drift);
	}
	chamber->time = seconds;
}

double chamber_pressure(const struct rga_chamber *chamber)
{
	bool leaks = chamber->time >= chamber->leak_from && chamber->time < chamber->leak_until;
	double total = leaks ? LEAK_PRESSURE : 0;
	for (size_t i = 0; i < chamber->n; i++)
		total += chamber->partials[i].now;
	return total;
}

/* 1 at the centre, 0.1 half a mass unit away. */
static double peak_shape(double away)
{
	return exp(-M_LN10 * 4 * away * away);
}

double chamber_ions(const struct rga_chamber *chamber, double mass)
{
	double ions = 0;
	for (size_t i = 0; i < chamber->n; i++) {
		const struct rga_partial *partial = &chamber->partials[i];
		double base = partial->now * partial->gas->ionization;
		for (const struct rga_fragment *f = partial->gas->fragments; f->mass != 0; f++)
			if (fabs(mass - f->mass) < PEAK_REACH)
				ions += base * f->percent / 100 * peak_shape(mass - f->mass);
	}
	return ions;
}

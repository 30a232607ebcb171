/* SPDX-License-Identifier: Apache-2.0 */
#include "climate.h"

#include <math.h>

#define ZERO_CELSIUS  273.15
#define STEP_NS       UINT64_C(100000000)
#define STEP_S        0.1
#define BIAS_V_PER_S  50
#define COOLER_TAU_S  15
#define COOLER_SPAN_K 85 /* the coldest below ambient */
#define BOARD_RISE_C  4
#define BOARD_TAU_S   900
#define FULL_BIAS_V   60

void climate_init(struct climate *c, double ambient_c)
{
	*c = (struct climate){.ambient_k = ambient_c + ZERO_CELSIUS};
	c->detector_k = c->ambient_k;
	c->board_c = ambient_c;
}

/* The temperature that the cooler reaches. */
static double goal_k(const struct climate *c)
{
	if (c->cooler_target_k <= 0 || c->cooler_target_k > c->ambient_k)
		return c->ambient_k;
	return fmax(c->cooler_target_k, c->ambient_k - COOLER_SPAN_K);
}

static void follow(struct climate *c)
{
	double t = (double)c->stepped / 1e9;
	c->tec_v = 3.5 * (c->ambient_k - c->detector_k) / COOLER_SPAN_K;
	/* The room's temperature swings with a period of 20 minutes. */
	c->board_c += 0.0001 * sin(2 * M_PI * t / 1200);
}

void climate_settle(struct climate *c)
{
	c->bias_v = c->bias_target_v;
	c->detector_k = goal_k(c);
	c->board_c = c->ambient_k - ZERO_CELSIUS + BOARD_RISE_C;
	follow(c);
}

bool climate_step(struct climate *c, uint64_t now)
{
	if (c->stepped + STEP_NS > now)
		return false;
	c->stepped += STEP_NS;
	double missing = c->bias_target_v - c->bias_v, most = BIAS_V_PER_S * STEP_S;
	c->bias_v = fabs(missing) <= most ? c->bias_target_v : c->bias_v + copysign(most, missing);
	c->detector_k += (goal_k(c) - c->detector_k) * (1 - exp(-STEP_S / COOLER_TAU_S));
	double board = c->ambient_k - ZERO_CELSIUS + BOARD_RISE_C;
	c->board_c += (board - c->board_c) * (1 - exp(-STEP_S / BOARD_TAU_S));
	follow(c);
	return true;
}

double climate_efficiency(const struct climate *c)
{
	return fmin(1, fabs(c->bias_v) / FULL_BIAS_V);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "random.h"

#include <math.h>

static uint64_t rotate(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

void random_init(struct sim_random *random, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		random->s[i] = z ^ (z >> 31);
	}
}

uint64_t random_u64(struct sim_random *random)
{
	uint64_t *s = random->s;
	uint64_t result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

double random_unit(struct sim_random *random)
{
	return (double)(random_u64(random) >> 11) * 0x1p-53;
}

bool random_chance(struct sim_random *random, double p)
{
	if (p <= 0)
		return false;
	return p >= 1 || random_unit(random) < p;
}

double random_normal(struct sim_random *random)
{
	double u = 1 - random_unit(random), v = random_unit(random);
	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only random generator of a simulator: xoshiro256** seeded by splitmix64, so that the same
 * --seed repeats a run exactly.  Not for keys.  A generator belongs to one thread.
 */
#ifndef ASSAY_SIM_RANDOM_H
#define ASSAY_SIM_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct sim_random {
	uint64_t s[4];
};

/* Starts the sequence of `seed`; any value is valid, 0 too. */
void random_init(struct sim_random *random, uint64_t seed);

/* The next 64 bits. */
uint64_t random_u64(struct sim_random *random);

/* Uniform in [0, 1), 53 bits. */
double random_unit(struct sim_random *random);

/* True with probability `p`; draws nothing for p <= 0 and p >= 1. */
bool random_chance(struct sim_random *random, double p);

/* Standard normal deviate. */
double random_normal(struct sim_random *random);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes to the analyser; 0xFF and a byte n mean that n tenths of a second pass. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "hiden/hiden.h"

#define TENTH 100000000ULL
#define PAUSE 0xFF

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sim_random random;
	random_init(&random, 1);
	struct sim_env env = {.random = &random, .speed = 1};
	struct sim_model *m;
	uint64_t now = 0;
	if (sim_model_create(&hiden_model, NULL, &env, &m) < 0)
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (data[i] == PAUSE && i + 1 < len) {
			now += data[++i] * TENTH;
			sim_model_tick(m, now);
		} else {
			sim_model_input(m, data + i, 1, now);
		}
		assert(sim_model_next_wakeup(m, now) >= now);
	}
	sim_model_link_reset(m, now);
	sim_model_destroy(m);
	return 0;
}

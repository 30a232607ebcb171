/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the analysers.  The first byte chooses profile and framing; the rest is a stream that
 * is split and answered by libmodbus as in the simulator.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "modbus/frame.h"
#include "modbus/plant.h"

#define PROFILES 3
#define SECOND   1000000000ULL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct sim_model *models[PROFILES];
static struct sim_random chance;

static void make_models(void)
{
	static const char *const names[PROFILES] = {"sick-mcs100ft", "gasmet-cx4000", "generic"};
	random_init(&chance, 1);
	struct sim_env env = {.random = &chance, .speed = 1};
	for (int i = 0; i < PROFILES; i++) {
		struct sim_options options = {.table = modbus_model.options};
		options_set(&options, "profile", names[i]);
		options_set(&options, "units", "1,2");
		options_set(&options, "extras", "");
		options_set(
			&options, "cycle", "normal:3,zero:1,calibrating:1,maintenance:1,fault:1");
		if (sim_model_create(&modbus_model, &options, &env, &models[i]) < 0)
			abort();
	}
}

static void take_tcp(struct sim_model *m, const uint8_t *data, size_t len)
{
	while (len > 0) {
		bool skip;
		uint8_t reply[ENGINE_FRAME_MAX];
		ssize_t n = frame_find_tcp(data, len, &skip);
		if (n <= 0)
			return;
		assert((size_t)n <= len);
		size_t replied = skip ? 0
				      : plant_answer(m->state, m, 0, FRAMING_TCP, data, (size_t)n,
						reply);
		assert(replied == 0 || (replied > 8 && replied <= sizeof reply));
		assert(replied == 0 || (size_t)(reply[4] << 8 | reply[5]) == replied - 6);
		data += n;
		len -= (size_t)n;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (models[0] == NULL)
		make_models();
	if (len == 0)
		return 0;
	struct sim_model *m = models[data[0] % PROFILES];
	if ((data[0] & 0x80) != 0) {
		sim_model_tick(m, m->now + SECOND);
		take_tcp(m, data + 1, len - 1);
		return 0;
	}
	sim_model_input(m, data + 1, len - 1, m->now + SECOND);
	sim_model_tick(m, m->now + SECOND);
	assert(sim_model_next_wakeup(m, m->now) == SIM_NEVER);
	return 0;
}

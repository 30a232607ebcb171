/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each part starts with a byte: below 0x80 its length, and a transfer of the host follows; from 0x80 on
 * time passes, a tenth of a second for each unit, and the host takes the stream if the number is even.
 */
#include <assert.h>

#include "labjack/labjack.h"

#define TENTH 100000000ULL

static bool has_room(void *context)
{
	const bool *takes = context;
	return *takes;
}

static void take_packet(void *context, const uint8_t *data, size_t len)
{
	assert(len >= 16 && len <= U6_PACKET && len == 14 + 2 * (size_t)(data[2] - 4));
	assert(frame_sum(data, 6) == data[0]);
}

static void take_reply(void *context, const uint8_t *data, size_t len)
{
	assert(len >= 2 && len <= U6_PACKET && len % 2 == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sim_random random;
	bool takes = true;
	random_init(&random, 1);
	struct sim_env env = {.random = &random,
		.speed = 1,
		.transport = SIM_USB,
		.context = &takes,
		.emit = take_reply,
		.emit_stream = take_packet,
		.stream_has_room = has_room};
	struct sim_model *m;
	uint64_t now = 0;
	if (sim_model_create(&labjack_model, NULL, &env, &m) < 0)
		return 0;
	for (size_t i = 0; i < len && now < 100 * TENTH;) {
		size_t part = data[i] & 0x7F;
		if (data[i++] >= 0x80) {
			takes = part % 2 == 0;
			now += (part % 8) * TENTH;
			sim_model_tick(m, now);
		} else {
			part = part < len - i ? part : len - i;
			sim_model_input(m, data + i, part, now);
			i += part;
		}
		(void)sim_model_next_wakeup(m, now);
	}
	sim_model_link_reset(m, now);
	sim_model_destroy(m);
	return 0;
}

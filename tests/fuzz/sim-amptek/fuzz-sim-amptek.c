/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte chooses transport and device.  Chunks follow: a length, a time to pass in
 * hundredths of a second, and the bytes.  A length of 255 makes a good packet of the next 3 bytes,
 * PID1, PID2, LEN, and LEN bytes of data.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "amptek/dpp.h"

#define HUNDREDTH   10000000ULL
#define GOOD_PACKET 255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void emitted(void *context, const uint8_t *data, size_t len)
{
	const enum sim_transport *transport = context;
	assert(len > 0 && len <= FRAME_REPLY_MAX + FRAME_OVERHEAD);
	assert(*transport != SIM_UDP || len <= 520);
}

static struct sim_model *make(uint8_t choice, struct sim_random *random, enum sim_transport *t)
{
	static const enum sim_transport transports[] = {SIM_PTY, SIM_UDP, SIM_TCP, SIM_USB};
	struct sim_options options = {.table = amptek_model.options};
	struct sim_model *m;
	*t = transports[choice % 4];
	options_set(&options, "device", device_names[choice / 4 % 6]);
	options_set(&options, "tube-kv",
		"0"); /* computing its table takes longer than a thousand inputs */
	options_set(&options, "firmware", choice & 0x80 ? "6.07.00" : "6.09.06");
	random_init(random, choice);
	struct sim_env env = {
		.emit = emitted, .context = t, .random = random, .transport = *t, .speed = 1};
	return sim_model_create(&amptek_model, &options, &env, &m) == 0 ? m : NULL;
}

/* Returns the number of bytes used. */
static size_t send_packet(struct sim_model *m, const uint8_t *data, size_t len, uint64_t now)
{
	uint8_t packet[256 + FRAME_OVERHEAD];
	if (len < 3)
		return len;
	size_t body = data[2] < len - 3 ? data[2] : len - 3;
	sim_model_input(m, packet, frame_write(packet, data[0], data[1], data + 3, body), now);
	return body + 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sim_random random;
	enum sim_transport transport;
	struct sim_model *m = len > 0 ? make(data[0], &random, &transport) : NULL;
	if (m == NULL)
		return 0;
	uint64_t now = 0;
	for (size_t at = 1; at + 2 <= len;) {
		size_t chunk = data[at], left = len - at - 2;
		now += data[at + 1] * HUNDREDTH;
		at += 2;
		if (chunk == GOOD_PACKET) {
			at += send_packet(m, data + at, left, now);
			continue;
		}
		chunk = chunk < left ? chunk : left;
		sim_model_input(m, data + at, chunk, now);
		at += chunk;
		sim_model_next_wakeup(m, now);
	}
	sim_model_link_reset(m, now);
	sim_model_destroy(m);
	return 0;
}

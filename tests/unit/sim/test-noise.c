/* SPDX-License-Identifier: Apache-2.0 */
/* Noise and unfinished requests on the link: the next proper request gets its reply. */
#include "bench.h"
#include "amptek/dpp.h"
#include "modbus/plant.h"
#include "rga/rga.h"

#define ROUNDS    1000
#define NOISE_MAX 64

struct probe {
	const struct sim_model_ops *model;
	enum sim_transport transport;
	const char *hex, *reply; /* the reply's first bytes */
	const char *wake;        /* ends a scan, degassing or an unfinished line; or NULL */
};

/* Status; the head's name; a register of unit 1. */
static const struct probe probes[] = {
	{&amptek_model, SIM_USB, "F5FA01010000FE0F", "F5FA80010040", NULL},
	{&amptek_model, SIM_PTY, "F5FA01010000FE0F", "F5FA80010040", NULL},
	{&rga_model, SIM_PTY, "49443F0D", "535253524741", "0D"},
	{&modbus_model, SIM_PTY, "010300000001840A", "01", NULL},
};

static void disturb(struct bench *b, const struct probe *r, struct sim_random *random)
{
	uint8_t noise[NOISE_MAX];
	size_t len = from_hex(r->hex, noise, sizeof(noise));
	static const char letters[] = "AIMNSDGFLHVEPC?0123456789\r\r";
	switch (random_u64(random) % 3) {
	case 0: /* the start of the request */ len = random_u64(random) % len; break;
	case 1:
		len = 1 + random_u64(random) % NOISE_MAX;
		for (size_t i = 0; i < len; i++)
			noise[i] = (uint8_t)random_u64(random);
		break;
	default:
		len = 1 + random_u64(random) % NOISE_MAX;
		for (size_t i = 0; i < len; i++)
			noise[i] = (uint8_t)letters[random_u64(random) % (sizeof(letters) - 1)];
	}
	send_bytes(b, noise, len);
}

static void next_request_is_answered_after_noise(void **state)
{
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		const struct probe *r = &probes[i];
		struct bench b;
		struct sim_random random;
		uint8_t reply[16];
		size_t len = from_hex(r->reply, reply, sizeof(reply));
		random_init(&random, 20 + i);
		bench_start(&b, r->model, r->transport, NULL, (const char *const[]){NULL});
		for (int round = 0; round < ROUNDS; round++) {
			disturb(&b, r, &random);
			wait_until(&b, b.now + 200 * MS);
			if (r->wake != NULL) {
				send_hex(&b, r->wake);
				wait_until(&b, b.now + 60 * S);
				send_hex(&b, r->wake);
				wait_until(&b, b.now + 10 * S);
			}
			send_hex(&b, r->hex);
			wait_until(&b, b.now + S);
			if (b.len < len || memcmp(b.sent, reply, len) != 0)
				fail_msg("%s, round %d: no reply", r->model->name, round);
		}
		bench_stop(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(next_request_is_answered_after_noise)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

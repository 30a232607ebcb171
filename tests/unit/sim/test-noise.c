/* SPDX-License-Identifier: Apache-2.0 */
/* Noise and unfinished requests on the link: the next proper request gets its reply. */
#include "bench.h"
#include "amptek/dpp.h"
#include "hiden/hiden.h"
#include "labjack/labjack.h"
#include "modbus/plant.h"
#include "nirscan/nirscan.h"
#include "rga/rga.h"
#include "text/text.h"

#define ROUNDS    1000
#define NOISE_MAX 64

struct probe {
	const struct sim_model_ops *model;
	enum sim_transport transport;
	const char *hex, *reply; /* the reply's first bytes */
	size_t len;              /* of the whole reply */
	const char *wake;        /* ends a scan, degassing or an unfinished line; or NULL */
	const char *option[3];
};

#define STATUS "F5FA01010000FE0F", "F5FA80010040", 72
#define NAME   "49443F0D", "535253524741", 27
#define GASES  "0104008A002251F9", GASES_REPLY, 73
#define CONFIGURE      \
	"0BF80A080000" \
	"0000000000000000000000000000000000000000"
#define GASES_REPLY                                                                         \
	"01 04 44 00 00 41 48 00 00 00 00 00 00 40 50 00 00 42 34 00 00 42 F1 00 00 00 00 " \
	"00 00 42 0F 00 00 40 20 00 00 00 00 00 00 00 00 33 33 41 63 66 66 41 2E "          \
	"00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 4C CD 43 3B EF D8"

/* Over TCP nothing ends half a request but the end of the connection: there the client reconnects. */
static const struct probe probes[] = {
	{&amptek_model, SIM_USB, STATUS, NULL, {NULL}},
	{&amptek_model, SIM_UDP, STATUS, NULL, {NULL}},
	{&amptek_model, SIM_PTY, STATUS, NULL, {NULL}},
	{&amptek_model, SIM_TCP, STATUS, NULL, {NULL}},
	{&rga_model, SIM_PTY, NAME, "0D", {NULL}},
	{&rga_model, SIM_TCP, NAME, "0D", {NULL}},
	{&hiden_model, SIM_PTY, "70676574206E616D650D", "2248414C", 27, "0D", {NULL}},
	{&nirscan_model, SIM_PTY, "41424344C9000000C0000200030444434241", "41424344CE000000", 22,
		NULL, {NULL}},
	{&labjack_model, SIM_USB, CONFIGURE, "", 38, NULL, {NULL}},
	{&text_model, SIM_PTY, "49340D0A", "4934204120223939", 16, "0D0A400D0A",
		{"instrument", "mt-sics", NULL}},
	{&text_model, SIM_PTY, "0220414B454E204B3003", "0220414B454E203020", 21, NULL,
		{"instrument", "ak", NULL}},
	{&modbus_model, SIM_PTY, GASES, NULL, {"fixed", "example", NULL}},
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
		uint8_t reply[128];
		size_t len = from_hex(r->reply, reply, sizeof(reply));
		random_init(&random, 20 + i);
		bench_start(&b, r->model, r->transport, NULL, r->option);
		for (int round = 0; round < ROUNDS; round++) {
			disturb(&b, r, &random);
			wait_until(&b, b.now + 200 * MS);
			if (r->transport == SIM_TCP)
				sim_model_link_reset(b.model, b.now);
			if (r->wake != NULL) {
				send_hex(&b, r->wake);
				wait_until(&b, b.now + 60 * S);
				send_hex(&b, r->wake);
				wait_until(&b, b.now + 10 * S);
			}
			send_hex(&b, r->hex);
			wait_until(&b, b.now + S);
			if (b.len != r->len || memcmp(b.sent, reply, len) != 0)
				fail_msg("%s, probe %zu, round %d: no reply", r->model->name, i,
					round);
		}
		bench_stop(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(next_request_is_answered_after_noise)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

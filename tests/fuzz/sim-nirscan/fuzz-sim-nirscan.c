/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte selects the link.  USB: reports of 64 bytes.  UART: bytes, where 0xFF and a byte n mean
 * that n tenths of a second pass.
 */
#include <assert.h>
#include <string.h>

#include "nirscan/nirscan.h"

#define TENTH 100000000ULL
#define PAUSE 0xFF

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sim_random random;
	random_init(&random, 1);
	bool is_usb = len > 0 && data[0] % 2 == 1;
	struct sim_env env = {
		.random = &random, .speed = 1, .transport = is_usb ? SIM_USB : SIM_PTY};
	struct sim_model *m;
	uint64_t now = 0;
	if (sim_model_create(&nirscan_model, NULL, &env, &m) < 0)
		return 0;
	for (size_t i = 1; i < len;) {
		uint8_t report[NIRSCAN_REPORT] = {0};
		size_t part = !is_usb ? 1 : len - i < sizeof report ? len - i : sizeof report;
		memcpy(report, data + i, part);
		if (report[0] == PAUSE && i + 1 < len) {
			now += data[i + 1] * TENTH;
			sim_model_tick(m, now);
			part = part > 2 ? part : 2;
		} else {
			sim_model_input(m, report, is_usb ? sizeof report : 1, now);
		}
		i += part;
		assert(sim_model_next_wakeup(m, now) >= now);
	}
	sim_model_link_reset(m, now);
	sim_model_destroy(m);
	return 0;
}

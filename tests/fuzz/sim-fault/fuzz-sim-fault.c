/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of fault switches, numbers and durations, as received on the control socket. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "framework/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char text[256], out[64] = "";
	struct sim_faults faults = {0};
	double number;
	uint64_t ns;
	if (len >= sizeof(text))
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	if (number_parse(text, &number) == 0)
		assert(number > -1e19 && number < 1e19);
	if (duration_parse(text, &ns) == 0)
		assert(ns <= 1000000000000000000u);
	if (fault_set(&faults, text, 1, out, sizeof(out)) == 0)
		fault_print(&faults, out, sizeof(out));
	assert(memchr(out, 0, sizeof(out)) != NULL);
	return 0;
}

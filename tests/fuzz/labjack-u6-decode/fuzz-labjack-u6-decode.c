/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame of a real setup: the first byte is the number of inputs, the next one a bit for each block
 * that comes from the input instead; then 9 bytes of the place, and packets.  Packets of the right
 * length get right checksums, so that the input reaches their contents.
 */
#include <stdlib.h>
#include <string.h>

#include "../../unit/drivers/labjack-u6/unit.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUTS_MAX 14

static size_t write_setup(uint8_t *setup, size_t inputs)
{
	size_t len = 14 + 2 * inputs;
	memset(setup, 0, len);
	setup[1] = 0xf8;
	setup[2] = (uint8_t)(4 + inputs);
	setup[3] = 0x11;
	setup[6] = (uint8_t)inputs;
	setup[8] = (uint8_t)(25 / inputs * inputs);
	setup[12] = 80;
	unit_close(setup, len);
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t memory[400], setup[64];
	struct unit u;
	if (size < 11)
		return 0;
	size_t inputs = 1 + data[0] % INPUTS_MAX;
	unsigned bits = data[1];
	struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
	h->quiet = true;
	for (size_t i = 0; i < inputs; i++)
		host_settings_set(
			host_add_row(h, "inputs"), "name", (const char[]){(char)('a' + i), 0});
	unit_init(&u, h);
	unit_memory(&u, memory);
	size_t setup_len = write_setup(setup, inputs);
	size_t len = size - 11, packet = 14 + 2 * (25 / inputs * inputs);
	uint8_t *packets = malloc(len + 1);
	memcpy(packets, data + 11, len);
	for (size_t at = 0; !(bits & 4) && at + packet <= len; at += packet) {
		packets[at + 1] = 0xf9;
		packets[at + 2] = (uint8_t)(packet / 2 - 3);
		packets[at + 3] = 0xc0;
		unit_close(packets + at, packet);
	}
	const struct assay_bytes raw[] = {
		{"application/x-labjack-u6", "setup", bits & 1 ? packets : setup,
			bits & 1 ? len : setup_len},
		{"application/x-labjack-u6", "calibration", bits & 2 ? packets : memory,
			bits & 2 ? len : sizeof memory},
		{"application/x-labjack-u6", "place", data + 2, 9},
		{"application/x-labjack-u6", "packets", packets, len},
	};
	host_decode_bytes(h, raw, bits & 8 ? 3 : 4, NULL, 0);
	free(packets);
	host_destroy(h);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stdio.h>

static uint32_t get32(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static unsigned get16_big(const uint8_t *b)
{
	return (unsigned)b[0] << 8 | b[1];
}

void status_parse(const uint8_t b[STATUS_BYTES], struct status *out)
{
	uint32_t tenths = get32(b + 12) >> 8;
	*out = (struct status){
		.fast_count = get32(b),
		.slow_count = get32(b + 4),
		.accumulation_ms = b[12] + 100 * tenths,
		.live_ms = get32(b + 16),
		.real_ms = get32(b + 20),
		.firmware = b[24],
		.fpga = b[25],
		.serial = get32(b + 26),
		.has_serial = b[29] < 0x80,
		.high_voltage = 0.5 * (int16_t)get16_big(b + 30),
		.detector_kelvin = (get16_big(b + 32) & 0xfff) / 10.0,
		.board_celsius = (int8_t)b[34],
		.real_time_reached = b[35] & 0x80,
		.enabled = b[35] & 0x20,
		.counts_reached = b[35] & 0x10,
		.configured = b[35] & 0x02,
		.rebooted = b[36] & 0x20,
		.build = b[37] & 0x0f,
		.device = b[39],
	};
	/* On other devices these bits have other meanings (automatic threshold, PC5 presence). */
	out->live_time_reached = out->device == DEVICE_MCA8000D && (b[35] & 0x40);
	out->high_voltage_fault = out->device == DEVICE_PX5 && !(b[38] & 0x80);
}

const char *status_device_name(unsigned device)
{
	static const char *const names[DEVICE_COUNT] = {[DEVICE_DP5] = "DP5",
		[DEVICE_PX5] = "PX5",
		[DEVICE_DP5G] = "DP5G",
		[DEVICE_MCA8000D] = "MCA8000D",
		[DEVICE_TB5] = "TB-5",
		[DEVICE_DP5X] = "DP5-X"};
	return device < DEVICE_COUNT ? names[device] : NULL;
}

bool status_has_live_time(const struct status *s)
{
	return s->device == DEVICE_MCA8000D && s->firmware >= 0x67;
}

bool status_has_real_time(const struct status *s)
{
	return s->firmware >= 0x61;
}

bool status_has_high_voltage(const struct status *s)
{
	return s->device != DEVICE_MCA8000D;
}

bool status_has_cooler(const struct status *s)
{
	return s->device != DEVICE_MCA8000D && s->device != DEVICE_DP5G;
}

void status_firmware_text(const struct status *s, char *out, size_t size)
{
	snprintf(out, size, "%u.%02u build %u, FPGA %u.%02u", s->firmware >> 4, s->firmware & 15u,
		s->build, s->fpga >> 4, s->fpga & 15u);
}

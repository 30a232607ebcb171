/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "dpp.h"

static void put_u32(uint8_t *out, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(v >> 8 * i);
}

static void put_be16(uint8_t *out, long v)
{
	out[0] = (uint8_t)(v >> 8);
	out[1] = (uint8_t)v;
}

static uint8_t nibbles(uint8_t high, uint8_t low)
{
	return (uint8_t)(high << 4 | (low & 15));
}

struct status dpp_status(struct dpp *d)
{
	const struct acquisition *a = &d->acquisition;
	const struct settings *s = &d->settings;
	uint32_t serial = d->serial;
	if (sim_fault_active(d->model, FAULT_WRONG_IDENTITY)) /* another one, also reserved */
		serial = sim_serial_is_reserved(d->model, serial + 1) ? serial + 1 : serial - 1;
	bool is_8v5 = settings_is(s, "PAPS", "8.5") || settings_is(s, "PAPS", "ON");
	bool has_live = d->device->bit == MCA8000D && d->firmware >= 60700;
	return (struct status){.fast = a->fast,
		.slow = a->slow,
		.general = a->general,
		.accumulation_ms = a->accumulation_ns / NS_PER_MS,
		.real_ms = a->real_ns / NS_PER_MS,
		.live_ms = has_live ? (uint32_t)(a->live_ns / NS_PER_MS) : 0,
		.firmware_major = (uint8_t)(d->firmware / 10000),
		.firmware_minor = (uint8_t)(d->firmware / 100 % 100),
		.firmware_build = (uint8_t)(d->firmware % 100),
		.fpga_major = 6,
		.fpga_minor = 11,
		.serial = serial,
		.bias_v = d->device->hv_limit > 0 ? d->climate.bias_v : 0,
		.detector_k = d->climate.detector_k,
		.board_c = d->climate.board_c,
		.tec_v = d->device->bit == PX5 ? d->climate.tec_v : 0,
		.preset_real = a->real_reached,
		.preset_live = a->can_live && a->live_reached,
		.preset_counts = a->counts_reached,
		.fast_locked = s->is_fast_locked,
		.enabled = a->enabled,
		.gate_inactive = true,
		.configured = s->is_configured,
		.mcs_finished = a->mcs_finished,
		.first_since_boot = !d->first_status_sent,
		.clock_80 = !settings_is(s, "CLCK", "20"),
		.clock_auto = settings_is(s, "CLCK", "AUTO"),
		.pc5_good = d->device->hv_limit > 0,
		.hv_positive = s->is_hv_positive,
		.preamp_8v5 = is_8v5 && d->device->bit != DP5X,
		.hpge_supply = s->hv_limit > d->device->hv_limit,
		.device_id = d->device->id,
		.bootloader = d->bootloader};
}

void status_write(const struct status *s, uint8_t out[STATUS_LEN])
{
	memset(out, 0, STATUS_LEN);
	put_u32(out, s->fast);
	put_u32(out + 4, s->slow);
	put_u32(out + 8, s->general);
	/* A byte of milliseconds below a hundred, then 24 bits of tenths of a second. */
	put_u32(out + 12, (uint32_t)(s->accumulation_ms / 100) << 8);
	out[12] = (uint8_t)(s->accumulation_ms % 100);
	put_u32(out + 16, s->live_ms);
	put_u32(out + 20, (uint32_t)s->real_ms);
	out[24] = nibbles(s->firmware_major, s->firmware_minor);
	out[25] = nibbles(s->fpga_major, s->fpga_minor);
	put_u32(out + 26, s->serial);
	put_be16(out + 30, lround(s->bias_v * 2));
	put_be16(out + 32, lround(s->detector_k * 10) & 0xFFF);
	out[34] = (uint8_t)(int8_t)lround(s->board_c);
	out[35] = (uint8_t)(s->preset_real << 7 | (s->preset_live || s->fast_locked) << 6 |
			    s->enabled << 5 | s->preset_counts << 4 | s->gate_inactive << 3 |
			    s->configured << 1);
	out[36] = (uint8_t)(s->mcs_finished << 6 | s->first_since_boot << 5 | s->clock_80 << 1 |
			    s->clock_auto);
	out[37] = s->firmware_build & 15;
	out[38] = (uint8_t)(s->pc5_good << 7 | s->hv_positive << 6 | s->preamp_8v5 << 5);
	out[39] = s->device_id;
	put_be16(out + 40, lround(s->tec_v * 758.5));
	out[42] = s->hpge_supply;
	out[48] = s->bootloader;
}

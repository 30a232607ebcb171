/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <math.h>
#include <string.h>

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

static void write_counters(const struct status *s, uint8_t *out)
{
	put_u32(out, s->fast);
	put_u32(out + 4, s->slow);
	put_u32(out + 8, s->general);
	/* A byte of milliseconds below a hundred, then 24 bits of tenths of a second. */
	put_u32(out + 12, (uint32_t)(s->accumulation_ms / 100) << 8);
	out[12] = (uint8_t)(s->accumulation_ms % 100);
	put_u32(out + 16, s->live_ms);
	put_u32(out + 20, (uint32_t)s->real_ms);
}

static void write_identity(const struct status *s, uint8_t *out)
{
	out[24] = nibbles(s->firmware_major, s->firmware_minor);
	out[25] = nibbles(s->fpga_major, s->fpga_minor);
	put_u32(out + 26, s->serial);
	out[37] = s->firmware_build & 15;
	out[39] = s->device_id;
}

static void write_analogue(const struct status *s, uint8_t *out)
{
	put_be16(out + 30, lround(s->bias_v * 2));
	put_be16(out + 32, lround(s->detector_k * 10) & 0xFFF);
	out[34] = (uint8_t)(int8_t)lround(s->board_c);
	put_be16(out + 40, lround(s->tec_v * 758.5));
}

static void write_flags(const struct status *s, uint8_t *out)
{
	out[35] = (uint8_t)(s->preset_real << 7 | s->preset_live << 6 | s->enabled << 5 |
			    s->preset_counts << 4 | s->gate_inactive << 3 | s->configured << 1);
	out[36] = (uint8_t)(s->mcs_finished << 6 | s->first_since_boot << 5 | s->clock_80 << 1 |
			    s->clock_auto);
	out[38] = (uint8_t)(s->pc5_good << 7 | s->hv_positive << 6 | s->preamp_8v5 << 5);
}

void status_write(const struct status *s, uint8_t out[STATUS_LEN])
{
	memset(out, 0, STATUS_LEN);
	write_counters(s, out);
	write_identity(s, out);
	write_analogue(s, out);
	write_flags(s, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SICK MCS100FT behind its SCU.  Values are input registers 0-499; each of these 250 values has 12
 * status bits from discrete input 12 * i; plant flags are discrete inputs 4000-4499.  Larger
 * configurations go on above register 499 with the results of zero and span checks.
 */
#include "profile.h"

#define VALUE_COUNT      250
#define STATUS_BITS      12
#define REGISTERS        (2 * VALUE_COUNT)
#define REGISTERS_EXTRA  0x510
#define FLAG_FAULT       4000
#define FLAG_MEASURING   4003
#define FLAG_CALIBRATING 4006
#define FLAG_ZERO        4485
#define FLAG_MAINTENANCE 4487
#define REG_ZERO_TIME    0x2A6

enum value_status {
	STATUS_FAILURE,
	STATUS_MAINTENANCE_REQUEST,
	STATUS_CHECK,
	STATUS_UNCERTAIN,
	STATUS_EXTENDED,
};

static const struct profile_area areas[] = {
	{IMAGE_INPUT, 0, REGISTERS, false, false},
	{IMAGE_INPUT_BITS, 0, STATUS_BITS *VALUE_COUNT, false, false},
	{IMAGE_INPUT_BITS, 4000, 500, false, false},
	{IMAGE_INPUT, REGISTERS, REGISTERS_EXTRA - REGISTERS, true, false},
};

static const struct profile_value values[] = {
	{138, GAS_HCL},
	{142, GAS_NH3},
	{144, GAS_CO},
	{146, GAS_NO},
	{150, GAS_SO2},
	{152, GAS_NO2},
	{158, GAS_H2O},
	{160, GAS_O2},
	{170, GAS_NOX},
};

#define VALUES (sizeof values / sizeof values[0])

/* The plant's flags, and the status bits of each value. */
static void encode_bits(struct image *image, enum cycle_state state)
{
	image_set_bit(image, IMAGE_INPUT_BITS, FLAG_FAULT, state == CYCLE_FAULT);
	image_set_bit(image, IMAGE_INPUT_BITS, FLAG_MEASURING, state == CYCLE_NORMAL);
	image_set_bit(image, IMAGE_INPUT_BITS, FLAG_CALIBRATING, state == CYCLE_CALIBRATING);
	image_set_bit(image, IMAGE_INPUT_BITS, FLAG_ZERO, state == CYCLE_ZERO);
	image_set_bit(image, IMAGE_INPUT_BITS, FLAG_MAINTENANCE, state == CYCLE_MAINTENANCE);
	const bool bits[] = {
		[STATUS_FAILURE] = state == CYCLE_FAULT,
		[STATUS_MAINTENANCE_REQUEST] = state == CYCLE_FAULT || state == CYCLE_MAINTENANCE,
		[STATUS_CHECK] = state == CYCLE_ZERO || state == CYCLE_CALIBRATING,
		[STATUS_UNCERTAIN] = state == CYCLE_MAINTENANCE,
		[STATUS_EXTENDED] = false,
	};
	for (size_t i = 0; i < VALUES; i++) {
		int first = STATUS_BITS * (values[i].address / 2);
		for (size_t b = 0; b < sizeof bits / sizeof bits[0]; b++)
			image_set_bit(image, IMAGE_INPUT_BITS, (uint16_t)(first + (int)b), bits[b]);
	}
}

/* The order within the pair of floats is not published; here: found value, then full scale. */
static void encode_pair(struct image *image, uint16_t address, double found, enum gas gas)
{
	image_set_float(image, IMAGE_INPUT, address, (float)found);
	image_set_float(image, IMAGE_INPUT, (uint16_t)(address + 2), (float)gas_range(gas));
}

static void encode_checks(struct image *image, const struct analyser *analyser)
{
	static const struct {
		uint16_t zero, span_time, span[2];
		enum gas gas;
	} checks[] = {
		{0x2A8, 0x346, {0x348, 0x4C6}, GAS_HCL},
		{0x2B4, 0x344, {0x354, 0x4D2}, GAS_CO},
		{0x2C0, 0x340, {0x360, 0x4DE}, GAS_SO2},
	};
	image_set_int32(image, IMAGE_INPUT, REG_ZERO_TIME, (uint32_t)analyser->zeroed);
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		enum gas gas = checks[i].gas;
		encode_pair(image, checks[i].zero, analyser->zero[gas], gas);
		image_set_int32(
			image, IMAGE_INPUT, checks[i].span_time, (uint32_t)analyser->spanned);
		encode_pair(image, checks[i].span[0], analyser->span[gas], gas);
		encode_pair(image, checks[i].span[1], analyser->span[gas], gas);
	}
}

static void encode_status(struct image *image, const struct analyser *analyser)
{
	static const struct profile_value ranges[] = {{0x4F6, GAS_HCL}, {0x4FC, GAS_CO},
		{0x502, GAS_SO2}, {0x50C, GAS_O2}, {0x50E, GAS_NOX}};
	encode_bits(image, analyser->state);
	encode_checks(image, analyser);
	for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
		image_set_float(
			image, IMAGE_INPUT, ranges[i].address, (float)gas_range(ranges[i].gas));
}

const struct profile profile_sick_mcs100ft = {
	.name = "sick-mcs100ft",
	.summary = "SICK MCS100FT through its SCU: input registers, low word first, flags",
	.table = IMAGE_INPUT,
	.order = ORDER_CDAB,
	.areas = areas,
	.n_areas = sizeof areas / sizeof areas[0],
	.values = values,
	.n_values = VALUES,
	.encode_status = encode_status,
};

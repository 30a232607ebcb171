/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gasmet CX4000: values, fault, operating state and alarms as floats in holding registers 0-31, and
 * vendor functions 0x42-0x44 with 16-bit results of the range settings and checks.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "profile.h"

#define REG_FAULT   18
#define REG_STATE   20
#define REG_ALARM   22
#define ALARM_COUNT 5

#define FUNCTION_RANGES 0x42
#define FUNCTION_ZERO   0x43
#define FUNCTION_SPAN   0x44
#define RANGE_ITEMS     9
#define CHECK_ITEMS     0x20
#define CHECK_TIME_AT   58 /* byte 61 of the RTU frame */

static const struct profile_area areas[] = {{IMAGE_HOLDING, 0, 32, false, false}};

/* The vendor functions list them in the same order. */
static const struct profile_value values[] = {
	{0, GAS_SO2},
	{2, GAS_NOX},
	{4, GAS_NO2},
	{6, GAS_NH3},
	{8, GAS_CO},
	{10, GAS_CO2},
	{12, GAS_HCL},
	{14, GAS_HF},
	{16, GAS_H2O},
};

#define VALUES (sizeof values / sizeof values[0])

static void encode_status(struct image *image, const struct analyser *analyser)
{
	bool fault = analyser->state == CYCLE_FAULT;
	image_set_float(image, IMAGE_HOLDING, REG_FAULT, fault ? 1 : 0);
	float state = analyser->state == CYCLE_ZERO          ? 0
		      : analyser->state == CYCLE_CALIBRATING ? 1
							     : 4;
	image_set_float(image, IMAGE_HOLDING, REG_STATE, state);
	bool alarm = fault || analyser->state == CYCLE_MAINTENANCE;
	for (int i = 0; i < ALARM_COUNT; i++)
		image_set_float(image, IMAGE_HOLDING, (uint16_t)(REG_ALARM + 2 * i),
			i == 0 && alarm ? 1 : 0);
}

static void put_be16(uint8_t *to, long value)
{
	value = value > INT16_MAX ? 0 : value < INT16_MIN ? 0 : value;
	to[0] = (uint8_t)((uint16_t)value >> 8);
	to[1] = (uint8_t)value;
}

/* Drifts as parts of 32767 of the range, and the time when they were found. */
static ssize_t drifts(const double *found, int64_t when, uint8_t *data)
{
	time_t unix_s = (time_t)when;
	struct tm tm = {0};
	gmtime_r(&unix_s, &tm);
	memset(data, 0, 2 * CHECK_ITEMS);
	for (size_t i = 0; i < VALUES; i++) {
		double part = found[values[i].gas] / gas_range(values[i].gas);
		put_be16(data + 2 * i, (long)(part * INT16_MAX));
	}
	const int parts[] = {
		tm.tm_year, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec};
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		data[CHECK_TIME_AT + i] = (uint8_t)parts[i];
	return 2 * CHECK_ITEMS;
}

static ssize_t vendor(const struct analyser *analyser, uint8_t function, uint16_t start,
	uint16_t count, uint8_t *data)
{
	if (function == FUNCTION_RANGES && start == 0 && count == RANGE_ITEMS) {
		/* Full scales; CO2, which does not fit 16 bits, reads as 0. */
		for (size_t i = 0; i < VALUES; i++)
			put_be16(data + 2 * i, (long)gas_range(values[i].gas));
		return 2 * RANGE_ITEMS;
	}
	if (function == FUNCTION_ZERO && start == 0 && count == CHECK_ITEMS)
		return drifts(analyser->zero, analyser->zeroed, data);
	if (function == FUNCTION_SPAN && start == 0 && count == CHECK_ITEMS)
		return drifts(analyser->span, analyser->spanned, data);
	return -EOPNOTSUPP;
}

const struct profile profile_gasmet_cx4000 = {
	.name = "gasmet-cx4000",
	.summary = "Gasmet CX4000: holding registers, low word first, state and alarms as floats",
	.table = IMAGE_HOLDING,
	.order = ORDER_CDAB,
	.areas = areas,
	.n_areas = sizeof areas / sizeof areas[0],
	.values = values,
	.n_values = VALUES,
	.encode_status = encode_status,
	.vendor = vendor,
};

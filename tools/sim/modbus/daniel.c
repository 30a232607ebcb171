/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Daniel 2251 ("SIM_2251"), a process GC: component codes from 3001, mole % from 7001, each address one
 * float.  The other form has two registers for a float.  Codes of the lighter hydrocarbons and the
 * meaning of the results from 7033 are not published; the results read as 0.
 */
#include "profile.h"

#define REG_CODES       3001
#define REG_STREAM      3034
#define REG_ALARM       3046
#define REG_ANALYSIS    3059
#define REG_STATE       3062
#define REG_MOLE        7001
#define REG_RESULTS     7033
#define SLOTS           16
#define RESULTS         57
#define ALARM_FAULT     (1 << 14)
#define ALARM_2_SERVICE (1 << 0)
#define OTHER_STREAM    0.04 /* relative, of each further stream's lesser components */

/* In the order of the slots; further ones are empty. */
static const struct {
	uint16_t code;
	enum gas gas;
} components[] = {
	{108, GAS_C6_PLUS},
	{114, GAS_NITROGEN},
	{100, GAS_METHANE},
	{117, GAS_CARBON_DIOXIDE},
	{101, GAS_ETHANE},
	{102, GAS_PROPANE},
	{103, GAS_ISOBUTANE},
	{104, GAS_BUTANE},
	{105, GAS_ISOPENTANE},
	{106, GAS_PENTANE},
};

#define COMPONENTS (sizeof components / sizeof components[0])

static const struct profile_area areas[] = {
	{IMAGE_HOLDING, REG_CODES, REG_STATE - REG_CODES + 1, false, false},
	{IMAGE_HOLDING, REG_MOLE, SLOTS, false, true},
	{IMAGE_HOLDING, REG_RESULTS, RESULTS, true, true},
};

static const struct profile_area register_areas[] = {
	{IMAGE_HOLDING, REG_CODES, REG_STATE - REG_CODES + 1, false, false},
	{IMAGE_HOLDING, REG_MOLE, 2 * SLOTS, false, false},
	{IMAGE_HOLDING, REG_RESULTS, 2 * RESULTS, true, false},
};

/* For the truth log. */
#define MOLES(step)                                                                                \
	{REG_MOLE, GAS_C6_PLUS}, {REG_MOLE + (step), GAS_NITROGEN},                                \
		{REG_MOLE + 2 * (step), GAS_METHANE}, {REG_MOLE + 3 * (step), GAS_CARBON_DIOXIDE}, \
		{REG_MOLE + 4 * (step), GAS_ETHANE}, {REG_MOLE + 5 * (step), GAS_PROPANE},         \
		{REG_MOLE + 6 * (step), GAS_ISOBUTANE}, {REG_MOLE + 7 * (step), GAS_BUTANE},       \
		{REG_MOLE + 8 * (step), GAS_ISOPENTANE},                                           \
	{                                                                                          \
		REG_MOLE + 9 * (step), GAS_PENTANE                                                 \
	}

static const struct profile_value values[] = {MOLES(1)};
static const struct profile_value register_values[] = {MOLES(2)};

/* Methane is the rest to 100 %. */
static void encode_moles(
	struct image *image, const struct analyser *analyser, unsigned stream, int step)
{
	double rest = 100;
	uint16_t methane_at = 0;
	for (size_t i = 0; i < COMPONENTS; i++) {
		double share = analyser->shown[components[i].gas] * (1 + OTHER_STREAM * stream);
		uint16_t address = (uint16_t)(REG_MOLE + step * (int)i);
		if (components[i].gas == GAS_METHANE) {
			methane_at = address;
			continue;
		}
		rest -= share;
		image_set_float(image, IMAGE_HOLDING, address, (float)share);
	}
	image_set_float(image, IMAGE_HOLDING, methane_at, (float)rest);
}

static void encode(struct image *image, const struct analyser *analyser, int step)
{
	unsigned stream = analyser->analyses % analyser->streams;
	bool calibrates = analyser->state == CYCLE_CALIBRATING || analyser->state == CYCLE_ZERO;
	bool analyses = analyser->state == CYCLE_NORMAL;
	for (size_t i = 0; i < COMPONENTS; i++)
		image_set_register(
			image, IMAGE_HOLDING, (uint16_t)(REG_CODES + i), components[i].code);
	image_set_register(image, IMAGE_HOLDING, REG_STREAM, (uint16_t)(stream + 1));
	image_set_register(
		image, IMAGE_HOLDING, REG_ALARM, analyser->state == CYCLE_FAULT ? ALARM_FAULT : 0);
	image_set_register(image, IMAGE_HOLDING, REG_ALARM + 1,
		analyser->state == CYCLE_MAINTENANCE ? ALARM_2_SERVICE : 0);
	image_set_register(image, IMAGE_HOLDING, REG_ANALYSIS, !calibrates);
	image_set_register(image, IMAGE_HOLDING, REG_STATE, calibrates ? 2 : analyses ? 1 : 0);
	encode_moles(image, analyser, stream, step);
}

static void encode_enron(struct image *image, const struct analyser *analyser)
{
	encode(image, analyser, 1);
}

static void encode_registers(struct image *image, const struct analyser *analyser)
{
	encode(image, analyser, 2);
}

const struct profile profile_daniel_2251 = {
	.name = "daniel-2251",
	.summary = "Daniel 2251 process GC: codes, mole % with a float at each address",
	.table = IMAGE_HOLDING,
	.order = ORDER_ABCD,
	.areas = areas,
	.n_areas = sizeof areas / sizeof areas[0],
	.values = values,
	.n_values = sizeof values / sizeof values[0],
	.encode_status = encode_enron,
};

const struct profile profile_daniel_2251_registers = {
	.name = "daniel-2251-registers",
	.summary = "the same with two registers for a float",
	.table = IMAGE_HOLDING,
	.order = ORDER_ABCD,
	.areas = register_areas,
	.n_areas = sizeof register_areas / sizeof register_areas[0],
	.values = register_values,
	.n_values = sizeof register_values / sizeof register_values[0],
	.encode_status = encode_registers,
};

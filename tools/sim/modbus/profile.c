/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

/* A plant's own map (an FTIR pair before and after a treatment): holding registers, ABCD. */
static const struct profile_area generic_areas[] = {{IMAGE_HOLDING, 0, 58, false, false}};

static const struct profile_value generic_values[] = {
	{0, GAS_PRESSURE},
	{2, GAS_TEMPERATURE},
	{12, GAS_CH4},
	{14, GAS_CO},
	{16, GAS_CO2},
	{18, GAS_H2O},
	{22, GAS_NH3},
	{24, GAS_N2O},
	{26, GAS_NO},
	{28, GAS_NO2},
	{30, GAS_SO2},
	{34, GAS_C2H4},
	{54, GAS_SF6},
	{56, GAS_THC},
};

const struct profile profile_generic = {
	.name = "generic",
	.summary = "FTIR analyser with holding registers 0-57, high word first, no status",
	.table = IMAGE_HOLDING,
	.order = ORDER_ABCD,
	.areas = generic_areas,
	.n_areas = sizeof generic_areas / sizeof generic_areas[0],
	.values = generic_values,
	.n_values = sizeof generic_values / sizeof generic_values[0],
};

const struct profile *const profiles[PROFILE_COUNT] = {
	&profile_sick_mcs100ft,
	&profile_gasmet_cx4000,
	&profile_generic,
	&profile_daniel_2251,
	&profile_daniel_2251_registers,
};

int profile_lay_out(const struct profile *profile, bool extras, struct image *image)
{
	for (size_t i = 0; i < profile->n_areas; i++) {
		const struct profile_area *area = &profile->areas[i];
		if (area->extra && !extras)
			continue;
		int r = image_add(image, area->table, area->first, area->count, area->is_enron);
		if (r < 0)
			return r;
	}
	return 0;
}

void profile_encode(
	const struct profile *profile, const struct analyser *analyser, struct image *image)
{
	for (size_t i = 0; i < profile->n_values; i++) {
		const struct profile_value *value = &profile->values[i];
		image_set_float(
			image, profile->table, value->address, (float)analyser->shown[value->gas]);
	}
	if (profile->encode_status != NULL)
		profile->encode_status(image, analyser);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

const struct part parts[PARTS] = {
	{"emission", "setEmission", EMISSION_ON, EMISSION_PENDING, EMISSION_INTERLOCK},
	{"multiplier", "setEM", MULTIPLIER_ON, MULTIPLIER_PENDING, MULTIPLIER_INTERLOCK},
};

static const char *const system_bits[32] = {"restarted since the last request",
	"scan active", [10] = "scheduled measurement", "scheduled measurement", NULL,
	"scheduled measurement", [21] = "multiplier interlock", "multiplier pending",
	"multiplier on", "rod polarity", "RF on", "filament 2", "emission interlock",
	"emission pending", "degas", "constant power", "emission regulated"};

static const char *const error_bits[32] = {[11] = "DEC excursion",
	"cathode",
	"focus",
	"filament current",
	"filament potential",
	"peak find",
	"DEC communication",
	"DSP communication",
	"DDS",
	"detector",
	"ion source",
	"mass filter",
	"database",
	"electrometer",
	"temperature",
	"supply",
	"total pressure",
	"RF board",
	"anode",
	"multiplier",
	"emission"};

const struct part *status_lost(const struct assay_settings *s, uint32_t system)
{
	for (size_t i = 0; i < PARTS; i++)
		if (assay_flag(s, parts[i].setting) && (system & parts[i].on) == 0)
			return &parts[i];
	return NULL;
}

static void add_word(struct assay_frame *out, const char *name, const char *of, uint32_t word,
	const char *const *bits)
{
	struct assay_variable v = {.name = name,
		.role = ASSAY_FLAGS,
		.of = of,
		.unit = "1",
		.type = ASSAY_SCALAR_INT,
		.integer = word,
		.bits = bits,
		.bit_count = bits != NULL ? 32 : 0};
	assay_frame_add(out, &v);
}

void status_add(const struct assay_settings *s, const struct status *status, const char *of,
	struct assay_frame *out)
{
	const struct part *lost = status_lost(s, status->system);
	add_word(out, "status", of, status->system, system_bits);
	add_word(out, "hardware_errors", of, status->errors, error_bits);
	add_word(out, "hardware_warnings", of, status->warnings, NULL);
	if (status->warnings != 0)
		assay_frame_quality(out, ASSAY_SUSPECT, "device-warning");
	if (status->errors != 0)
		assay_frame_quality(out, ASSAY_BAD, "device-error");
	if (lost != NULL)
		assay_frame_quality(out, ASSAY_BAD,
			(status->system & lost->interlock) != 0 ? "interlock" : "device-error");
}

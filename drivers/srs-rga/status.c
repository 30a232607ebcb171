/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stdarg.h>
#include <stdio.h>

#define ONE_FILAMENT_LEFT    0x01
#define NO_MULTIPLIER_FITTED 0x80

const struct rga_detail_row rga_details[RGA_DETAILS] = {
	[RGA_COMMUNICATION] = {0, "EC?"},
	[RGA_FILAMENT] = {1, "EF?"},
	[RGA_MULTIPLIER] = {3, "EM?"},
	[RGA_QUADRUPOLE] = {4, "EQ?"},
	[RGA_ELECTROMETER] = {5, "ED?"},
	[RGA_SUPPLY] = {6, "EP?"},
};

static const char *const subjects[RGA_DETAILS] = {
	[RGA_COMMUNICATION] = "communication",
	[RGA_FILAMENT] = "filament",
	[RGA_MULTIPLIER] = "electron multiplier",
	[RGA_QUADRUPOLE] = "quadrupole",
	[RGA_ELECTROMETER] = "electrometer",
	[RGA_SUPPLY] = "24 V supply",
};

static const char *const causes[RGA_DETAILS][8] = {
	[RGA_COMMUNICATION] = {"bad command", "bad parameter", "command too long",
		"receive buffer overwritten", "transmit buffer overwritten",
		"protected by the calibration jumper", "parameters contradict each other", NULL},
	[RGA_FILAMENT] = {"one filament left", NULL, NULL, NULL, NULL, "pressure too high",
		"cannot reach the emission", "no filament"},
	[RGA_MULTIPLIER] = {NULL, NULL, NULL, NULL, NULL, NULL, NULL, "not fitted"},
	[RGA_QUADRUPOLE] = {NULL, NULL, NULL, NULL, "current limited", NULL,
		"primary current above 2 A", "RF drive above its supply at the last mass"},
	[RGA_ELECTROMETER] = {NULL, "op-amp offset out of range", NULL, "COMPENSATE fails at -5 nA",
		"COMPENSATE fails at +5 nA", "DETECT fails at -5 nA", "DETECT fails at +5 nA",
		"ADC test failed"},
	[RGA_SUPPLY] = {NULL, NULL, NULL, NULL, NULL, NULL, "below 22 V", "above 26 V"},
};

struct text {
	char *at;
	size_t left;
};

static void add(struct text *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *to, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(to->at, to->left, format, args);
	va_end(args);
	size_t used = n < 0 ? 0 : (size_t)n < to->left ? (size_t)n : to->left - 1;
	to->at += used;
	to->left -= used;
}

static void add_detail(struct text *to, enum rga_detail which, uint8_t detail, bool first)
{
	add(to, "%s%s", first ? "" : "; ", subjects[which]);
	const char *before = ": ";
	for (unsigned bit = 0; bit < 8; bit++) {
		if (!(detail & 1u << bit))
			continue;
		if (causes[which][bit] != NULL)
			add(to, "%s%s", before, causes[which][bit]);
		else
			add(to, "%sbit %u of %.2s", before, bit, rga_details[which].query);
		before = ", ";
	}
}

void rga_status_text(const struct rga_status *status, char *text, size_t size)
{
	struct text to = {text, size};
	bool first = true;
	add(&to, "%s", "");
	for (unsigned i = 0; i < RGA_DETAILS; i++) {
		if (!(status->status & 1u << rga_details[i].status_bit))
			continue;
		add_detail(&to, (enum rga_detail)i, status->detail[i], first);
		first = false;
	}
}

bool rga_status_filament_lost(const struct rga_status *status)
{
	return (status->detail[RGA_FILAMENT] & (uint8_t)~ONE_FILAMENT_LEFT) != 0;
}

static bool is_set(const struct rga_status *status, enum rga_detail which)
{
	return (status->status & 1u << rga_details[which].status_bit) != 0;
}

void rga_status_quality(
	const struct rga_status *status, bool multiplier_used, struct assay_frame *frame)
{
	if (is_set(status, RGA_COMMUNICATION))
		assay_frame_quality(frame, ASSAY_SUSPECT, "device-warning");
	if (rga_status_filament_lost(status))
		assay_frame_quality(frame, ASSAY_BAD, "interlock");
	else if (is_set(status, RGA_FILAMENT))
		assay_frame_quality(frame,
			status->detail[RGA_FILAMENT] & ONE_FILAMENT_LEFT ? ASSAY_GOOD
									 : ASSAY_SUSPECT,
			"device-warning");
	/* A head without multiplier always reports that; a Faraday cup's scan does not need one. */
	if (is_set(status, RGA_MULTIPLIER) &&
		(multiplier_used || status->detail[RGA_MULTIPLIER] != NO_MULTIPLIER_FITTED))
		assay_frame_quality(frame, ASSAY_SUSPECT, "device-warning");
	if (is_set(status, RGA_QUADRUPOLE) || is_set(status, RGA_ELECTROMETER) ||
		is_set(status, RGA_SUPPLY))
		assay_frame_quality(frame, ASSAY_BAD, "device-error");
}

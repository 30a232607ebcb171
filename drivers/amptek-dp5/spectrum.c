/* SPDX-License-Identifier: Apache-2.0 */
#include "spectrum.h"
#include "command.h"
#include "packet.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define CHANNEL_FULL 0xffffff /* the behaviour beyond is not documented */

/* --- is the instrument ready --- */

static void warn(
	char *text, size_t size, const char *what, double is, double should, const char *unit)
{
	size_t used = strlen(text);
	snprintf(text + used, size - used, "%s%s is %.1f %s, set is %.1f %s", used > 0 ? "; " : "",
		what, is, unit, should, unit);
}

static void add(char *text, size_t size, const char *what)
{
	size_t used = strlen(text);
	snprintf(text + used, size - used, "%s%s", used > 0 ? "; " : "", what);
}

bool spectrum_warning(const struct assay_host *host, const struct assay_settings *settings,
	const struct status *s, const char *readback, char *text, size_t size)
{
	double set;
	text[0] = '\0';
	if (status_has_cooler(s) && readback_number(host, readback, "TECS", &set) == 0 &&
		fabs(s->detector_kelvin - set) > assay_number(settings, "temperature_tolerance"))
		warn(text, size, "detector temperature", s->detector_kelvin, set, "K");
	if (status_has_high_voltage(s) && readback_number(host, readback, "HVSE", &set) == 0 &&
		fabs(s->high_voltage - set) > assay_number(settings, "bias_tolerance"))
		warn(text, size, "detector bias", s->high_voltage, set, "V");
	if (!s->configured)
		add(text, size, "the processor reports that it is not configured");
	if (s->high_voltage_fault)
		add(text, size, "the jumper of the bias supply does not fit");
	return text[0] != '\0';
}

/* --- decode --- */

static const struct assay_bytes *find_block(const struct assay_decoding *in, const char *media)
{
	for (size_t i = 0; i < in->raw_count; i++)
		if (strcmp(in->raw[i].media, media) == 0)
			return &in->raw[i];
	return NULL;
}

static bool is_named(const struct assay_bytes *block, const char *name)
{
	return block->name != NULL && strcmp(block->name, name) == 0;
}

static void add_axis_and_counts(
	const struct assay_decoding *in, struct assay_frame *out, const uint32_t *counts, size_t n)
{
	double gain = assay_number(in->settings, "energy_gain");
	bool calibrated = gain > 0;
	const char *axis = calibrated ? "energy" : "channel";
	if (!calibrated)
		assay_frame_quality(out, ASSAY_GOOD, "no-calibration");
	if (calibrated)
		assay_add_linear_axis(
			out, axis, "keV", assay_number(in->settings, "energy_zero"), gain, n);
	else
		assay_add_linear_axis(out, axis, "1", 0, 1, n);
	struct assay_variable v = {
		.name = "counts",
		.role = ASSAY_DATA,
		.dims = {axis},
		.unit = "{count}",
		.type = ASSAY_U32,
		.data = counts,
		.count = n,
	};
	assay_frame_add(out, &v);
}

static void add_seconds(struct assay_frame *out, const char *name, uint32_t ms)
{
	assay_add_float(out, name, ASSAY_AUX, ms / 1000.0, "s");
}

/* The values of the status; nothing is computed from them (no dead time, no live time). */
static void add_status(struct assay_frame *out, const struct status *s)
{
	add_seconds(out, "accumulation_time", s->accumulation_ms);
	if (status_has_real_time(s))
		add_seconds(out, "real_time", s->real_ms);
	if (status_has_live_time(s))
		add_seconds(out, "live_time", s->live_ms);
	assay_add_int(out, "fast_count", ASSAY_AUX, s->fast_count, "{count}");
	assay_add_int(out, "slow_count", ASSAY_AUX, s->slow_count, "{count}");
	if (status_has_cooler(s))
		assay_add_float(out, "detector_temperature", ASSAY_AUX, s->detector_kelvin, "K");
	assay_add_float(out, "board_temperature", ASSAY_AUX, s->board_celsius, "Cel");
	if (status_has_high_voltage(s))
		assay_add_float(out, "high_voltage", ASSAY_AUX, s->high_voltage, "V");
}

/* If the source is the slow channel, the slow count is the number of events in the spectrum. */
static void add_quality(const struct assay_decoding *in, struct assay_frame *out,
	const struct status *s, const uint32_t *counts, size_t n, const char *readback)
{
	const struct assay_bytes *block = find_block(in, SPECTRUM_MEDIA);
	char text[256], source[16] = "NORM";
	uint64_t sum = 0;
	uint32_t most = 0;
	for (size_t i = 0; i < n; i++) {
		sum += counts[i];
		most = counts[i] > most ? counts[i] : most;
	}
	readback_find(readback, "MCAS", source, sizeof(source));
	/* A DP5-X continues counting while it is read; the others pause. */
	bool comparable = strcmp(source, "NORM") == 0 && !(s->device == DEVICE_DP5X && s->enabled);
	if (most == CHANNEL_FULL)
		assay_frame_quality(out, ASSAY_SUSPECT, "saturated");
	else if (comparable && sum != s->slow_count)
		assay_frame_quality(out, ASSAY_SUSPECT, "malformed");
	if (is_named(block, SPECTRUM_SLICE_AFTER_LOSS))
		assay_frame_quality(out, ASSAY_SUSPECT, "checksum-retry");
	if (is_named(block, SPECTRUM_ENDED_EARLY) ||
		spectrum_warning(in->host, in->settings, s, readback, text, sizeof(text)))
		assay_frame_quality(out, ASSAY_SUSPECT, "device-warning");
}

int spectrum_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	const struct assay_bytes *block = find_block(in, SPECTRUM_MEDIA);
	struct packet packet;
	struct status status;
	if (block == NULL || packet_parse(block->data, block->len, &packet) < 0)
		return -EBADMSG;
	size_t n = packet_channels(&packet);
	if (n == 0)
		return -EBADMSG;
	status_parse(packet.data + 3 * n, &status);
	uint32_t *counts = assay_frame_scratch(out, n * sizeof(*counts));
	const struct assay_bytes *text = find_block(in, READBACK_MEDIA);
	char *readback = assay_frame_scratch(out, text != NULL ? text->len + 1 : 1);
	if (counts == NULL || readback == NULL)
		return -ENOMEM;
	if (text != NULL && text->len > 0)
		memcpy(readback, text->data, text->len);
	for (size_t i = 0; i < n; i++) {
		const uint8_t *b = packet.data + 3 * i;
		counts[i] = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16;
	}
	assay_frame_kind(out, ASSAY_SPECTRUM);
	add_axis_and_counts(in, out, counts, n);
	add_status(out, &status);
	add_quality(in, out, &status, counts, n, readback);
	bool slice = is_named(block, SPECTRUM_SLICE) || is_named(block, SPECTRUM_SLICE_AFTER_LOSS);
	if (status.enabled && !slice)
		assay_frame_partial(out);
	return 0;
}

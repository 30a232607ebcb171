/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "packet.h"
#include "spectrum.h"

enum result { SINGLE_BEAM, REFLECTANCE, TRANSMITTANCE, ABSORBANCE };

const char *const nano_results[] = {
	"single_beam", "reflectance", "transmittance", "absorbance", NULL};

static const char *const error_bits[] = {"scan", "ADC", "SD card", "EEPROM", "Bluetooth",
	"spectrum library", "hardware", "temperature sensor", "humidity sensor", "battery",
	"memory", "serial port"};
/* Those that spoil the samples: scan, ADC, hardware, memory. */
#define ERRORS_BAD 0x443u

static const char *const scan_causes[] = {"start of the light modulator",
	"settings of the light modulator", "lamp", "window of the mirrors", "ADC",
	"scan configuration", "stream of patterns", "reading the patterns"};

static void add_words(char *out, size_t size, const char *const *words, size_t count, uint32_t bits)
{
	size_t at = strlen(out);
	bool is_first = true;
	for (size_t i = 0; i < count && at < size; i++) {
		if ((bits >> i & 1) == 0)
			continue;
		at += (size_t)snprintf(out + at, size - at, "%s%s", is_first ? "" : ", ", words[i]);
		is_first = false;
	}
}

void nano_scan_causes(unsigned code, char *out, size_t size)
{
	out[0] = '\0';
	add_words(out, size, scan_causes, sizeof(scan_causes) / sizeof(*scan_causes), code);
}

static enum result result_of(const struct assay_settings *s)
{
	const char *name = assay_text(s, "result");
	size_t i = 0;
	while (nano_results[i + 1] != NULL && strcmp(nano_results[i], name) != 0)
		i++;
	return (enum result)i;
}

/* --- parts of a frame that every scan has ----------------------------------------------------- */

static void set_text(struct assay_frame *out, const char *name, const char *text)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_TEXT, .text = text};
	if (text[0] != '\0')
		assay_frame_setting(out, name, &v);
}

/* One number, or of several sections a list. */
static void set_numbers(struct assay_frame *out, const char *name, const char *unit,
	const uint32_t *numbers, size_t count)
{
	struct assay_variable v = {.type = count > 1 ? ASSAY_U32 : ASSAY_SCALAR_INT,
		.unit = unit,
		.dims = {count > 1 ? "section" : NULL},
		.data = numbers,
		.count = count > 1 ? count : 0,
		.integer = numbers[0]};
	assay_frame_setting(out, name, &v);
}

static void set_scan(struct assay_frame *out, const struct scan *s)
{
	static const char *const types[] = {"column", "hadamard", "slew"};
	const struct configuration *c = &s->configuration;
	uint32_t first[SECTIONS_MAX], last[SECTIONS_MAX], width[SECTIONS_MAX], us[SECTIONS_MAX];
	size_t n = c->section_count;
	bool has_exposures = n > 0;
	for (size_t i = 0; i < n; i++) {
		const struct section *t = &c->sections[i];
		first[i] = t->first, last[i] = t->last, width[i] = t->width;
		has_exposures = has_exposures && t->exposure < EXPOSURES;
		us[i] = t->exposure < EXPOSURES ? scan_exposures[t->exposure] : 0;
	}
	char gain[8];
	uint32_t repeats = c->repeats;
	snprintf(gain, sizeof(gain), "%u", s->gain);
	set_text(out, "scan_name", c->name);
	set_text(out, "scan_type", c->type <= SCAN_SLEW ? types[c->type] : "");
	set_text(out, "gain", gain);
	set_numbers(out, "scans", NULL, &repeats, 1);
	set_numbers(out, "wavelength_first", "nm", first, n);
	set_numbers(out, "wavelength_last", "nm", last, n);
	set_numbers(out, "column_width", NULL, width, n);
	if (has_exposures)
		set_numbers(out, "exposure_time", "us", us, n);
}

static void add_housekeeping(
	const struct assay_decoding *in, struct assay_frame *out, const struct scan *s)
{
	char time[32];
	const uint8_t *t = s->time;
	assay_add_float(out, "board_temperature", ASSAY_AUX, s->board / 100.0, "Cel");
	assay_add_float(out, "detector_temperature", ASSAY_AUX, s->detector / 100.0, "Cel");
	assay_add_float(out, "humidity", ASSAY_AUX, s->humidity / 100.0, "%");
	assay_add_int(out, "lamp_photodiode", ASSAY_AUX, s->photodiode, "1");
	assay_add_int(out, "scan_index", ASSAY_AUX, s->index, "1");
	snprintf(time, sizeof(time), "20%02u-%02u-%02uT%02u:%02u:%02u", t[0],
		(unsigned)(t[1] + 1 - assay_int(in->settings, "first_month")), t[2], t[4], t[5],
		t[6]);
	assay_frame_device_time(out, time);
}

/* The instrument's errors after the scan belong to the first variable of the data. */
static void add_errors(const struct assay_decoding *in, struct assay_frame *out,
	const struct assay_variable *data, char *text, size_t size)
{
	if (in->raw_count < 2) {
		assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
		return;
	}
	const uint8_t *errors = in->raw[1].data;
	uint32_t bits = packet_u32(errors);
	struct assay_variable v = {.name = "error_status",
		.role = ASSAY_FLAGS,
		.of = data->name,
		.channel = data->channel,
		.unit = "1",
		.type = ASSAY_SCALAR_INT,
		.integer = bits,
		.bits = error_bits,
		.bit_count = sizeof(error_bits) / sizeof(*error_bits)};
	assay_frame_add(out, &v);
	if (bits == 0)
		return;
	snprintf(text, size, "errors: ");
	add_words(text, size, error_bits, v.bit_count, bits);
	bool is_bad = (bits & ERRORS_BAD) != 0;
	assay_frame_quality(out, is_bad ? ASSAY_BAD : ASSAY_SUSPECT,
		is_bad ? "device-error" : "device-warning");
}

static void add_text(struct assay_frame *out, const char *text)
{
	struct assay_variable v = {.name = "status_text",
		.role = ASSAY_AUX,
		.unit = "1",
		.type = ASSAY_SCALAR_TEXT,
		.text = text};
	if (text[0] != '\0')
		assay_frame_add(out, &v);
}

/* --- data ------------------------------------------------------------------------------------- */

/* The frame of a scan that has no spectrum: the samples as they came. */
static int add_samples(struct assay_frame *out, const struct scan *s, struct assay_variable *data)
{
	int32_t *samples = assay_frame_scratch(out, s->sample_count * sizeof(*samples));
	if (samples == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < s->sample_count; i++)
		samples[i] = scan_sample(s, i);
	assay_add_linear_axis(out, "pattern", "1", 0, 1, s->sample_count);
	*data = (struct assay_variable){.name = "samples",
		.role = ASSAY_DATA,
		.dims = {"pattern"},
		.unit = "{count}",
		.type = ASSAY_I32,
		.data = samples,
		.count = s->sample_count};
	assay_frame_add(out, data);
	return 0;
}

/*
 * Each section has an axis of its own, because two sections may have wavelengths in common.  `values`
 * of the result, or NULL for the counts.  `data` becomes the first section's.
 */
static void add_sections(struct assay_frame *out, const struct scan *s, const struct spectrum *p,
	const double *values, enum result result, struct assay_variable *data)
{
	static const char *const axes[SECTIONS_MAX] = {
		"wavelength", "wavelength_2", "wavelength_3", "wavelength_4", "wavelength_5"};
	static const char *const channels[SECTIONS_MAX] = {"1", "2", "3", "4", "5"};
	const struct configuration *c = &s->configuration;
	for (size_t i = 0, at = 0; i < c->section_count; at += c->sections[i++].patterns) {
		struct assay_variable v = {.name = axes[i],
			.role = ASSAY_AXIS,
			.dims = {axes[i]},
			.unit = "nm",
			.type = ASSAY_F64,
			.data = p->nm + at,
			.count = c->sections[i].patterns};
		assay_frame_add(out, &v);
		v.name = nano_results[result];
		v.role = ASSAY_DATA;
		v.unit = result == SINGLE_BEAM  ? "{count}"
			 : result == ABSORBANCE ? "{absorbance}"
						: "1";
		v.channel = c->section_count > 1 ? channels[i] : NULL;
		v.type = values != NULL ? ASSAY_F64 : ASSAY_I32;
		v.data = values != NULL ? (const void *)(values + at) : p->counts + at;
		assay_frame_add(out, &v);
		if (i == 0)
			*data = v;
	}
}

static int make_spectrum(struct assay_frame *out, const struct scan *s, struct spectrum *p,
	char *why, bool *is_malformed)
{
	size_t points = spectrum_points(s) + 1;
	p->nm = assay_frame_scratch(out, points * sizeof(*p->nm));
	p->counts = assay_frame_scratch(out, points * sizeof(*p->counts));
	if (p->nm == NULL || p->counts == NULL)
		return -ENOMEM;
	return spectrum_compute(s, p, why, is_malformed);
}

static int find_background(
	const struct assay_decoding *in, const struct scan *s, struct scan *out, char *why)
{
	const struct assay_bytes *found = NULL;
	const char *mistake = "";
	int r = -EBADMSG;
	for (size_t i = 0; i < in->reference_count; i++) {
		if (strcmp(in->references[i].media, SCAN_MEDIA) != 0)
			continue;
		if (found != NULL) {
			snprintf(why, WHY_MAX, "several background runs, expected one");
			return r;
		}
		found = &in->references[i];
	}
	if (found == NULL)
		snprintf(why, WHY_MAX,
			"no background run: name one of this instrument in refs of "
			"the start");
	else if (scan_open(found->data, found->len, out, &mistake) < 0)
		snprintf(why, WHY_MAX, "the background's file %s", mistake);
	else
		r = spectrum_compare(s, out, why);
	return r;
}

/* The spectrum in relation to the background's, point by point; NaN where one of them has no light. */
static int relate(const struct assay_decoding *in, struct assay_frame *out, const struct scan *s,
	const struct spectrum *p, enum result result, double **values, char *why)
{
	struct scan background;
	struct spectrum b;
	bool is_malformed;
	int r = find_background(in, s, &background, why);
	if (r == 0)
		r = make_spectrum(out, &background, &b, why, &is_malformed);
	double *ratio = r == 0 ? assay_frame_scratch(out, p->count * sizeof(*ratio)) : NULL;
	if (r == 0 && ratio == NULL)
		r = -ENOMEM;
	if (r < 0)
		return r;
	bool has_gaps = false;
	for (size_t i = 0; i < p->count; i++) {
		ratio[i] = b.counts[i] > 0 ? (double)p->counts[i] / b.counts[i] : NAN;
		if (result == ABSORBANCE)
			ratio[i] = ratio[i] > 0 ? log10(1 / ratio[i]) : NAN;
		has_gaps = has_gaps || isnan(ratio[i]);
	}
	if (has_gaps)
		assay_frame_quality(out, ASSAY_UNCHECKED, "below-detection");
	*values = ratio;
	return 0;
}

/*
 * The data of the frame; a step that is not possible leaves those of the step before, and its reason
 * in `text`.
 */
static int add_data(const struct assay_decoding *in, struct assay_frame *out, const struct scan *s,
	struct assay_variable *data, char *text, size_t size)
{
	enum result wanted = result_of(in->settings);
	struct spectrum p;
	double *values = NULL;
	char why[WHY_MAX];
	bool is_malformed = false;
	int r = make_spectrum(out, s, &p, why, &is_malformed);
	if (r == -EBADMSG) {
		snprintf(text, size, "no spectrum: %s", why);
		assay_frame_quality(
			out, ASSAY_SUSPECT, is_malformed ? "malformed" : "not-processed");
		return add_samples(out, s, data);
	}
	if (r == 0 && wanted != SINGLE_BEAM)
		r = relate(in, out, s, &p, wanted, &values, why);
	if (r == -EBADMSG) {
		snprintf(text, size, "no %s: %s", nano_results[wanted], why);
		assay_frame_quality(out, ASSAY_SUSPECT, "no-background");
		r = 0;
	}
	if (r < 0)
		return r;
	add_sections(out, s, &p, values, values != NULL ? wanted : SINGLE_BEAM, data);
	assay_add_int(out, "dark_level", ASSAY_AUX, p.dark, "{count}");
	set_text(out, "dark_correction", "mean of the dark patterns subtracted");
	return 0;
}

int nano_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	struct scan s;
	struct assay_variable data;
	const char *mistake = "is missing";
	char text[WHY_MAX + 32] = "", errors[256] = "";
	bool is_complete = in->raw_count >= 1 &&
			   scan_open(in->raw[0].data, in->raw[0].len, &s, &mistake) == 0;
	if (!is_complete || (in->raw_count > 1 && in->raw[1].len < 4)) {
		assay_explain_decode(in, "the scan file %s", mistake);
		return -EBADMSG;
	}
	assay_frame_kind(out, ASSAY_SPECTRUM);
	set_scan(out, &s);
	int r = add_data(in, out, &s, &data, text, sizeof(text));
	if (r < 0)
		return r;
	add_errors(in, out, &data, errors, sizeof(errors));
	add_text(out, text[0] != '\0' ? text : errors);
	add_housekeeping(in, out, &s);
	return 0;
}

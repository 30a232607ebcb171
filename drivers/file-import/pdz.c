/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bruker `.pdz` 25 of handheld X-ray spectrometers: records {u16 type, u32 length, body}, all numbers with
 * the low byte first, texts as {u32 characters, UTF-16}.  Of the records: 25 the file's head, 1 the
 * instrument, 2 the measurement, 3 the spectrum of one phase, 6 a result, 9 fields of the user, 139 the
 * last one of every known file.
 *
 * It is whole if its records end with the file, there are as many spectra as the measurement has phases,
 * and record 139 is there.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "bytes.h"
#include "text.h"
#include "xray.h"

#define RECORD_HEAD   6
#define RECORDS_MAX   (1u << 16)
#define PHASES_MAX    64
#define RESULTS_MAX   240 /* a frame has 256 variables at most */
#define RESULTS_BYTES (1u << 20)
#define TEXTS_MAX     4096 /* bytes of a record of texts that are read */
#define NAME_BYTES    64   /* of a substance */

enum record {
	RECORD_INSTRUMENT = 1,
	RECORD_MEASUREMENT = 2,
	RECORD_SPECTRUM = 3,
	RECORD_RESULT = 6,
	RECORD_USER = 9,
	RECORD_FILE = 25,
	RECORD_LAST = 139,
};

/* In the body of a spectrum. */
enum {
	AT_DEAD = 28,
	AT_RESET = 32,
	AT_LIVE = 36,
	AT_PACKET = 24,
	AT_VOLTAGE = 40,
	AT_CURRENT = 44,
	AT_FILTERS = 48, /* 3 × {i16 element, i16 micrometres} */
	AT_DETECTOR = 62,
	AT_AMBIENT = 66,
	AT_STEP = 74,
	AT_FIRST = 80,
	AT_TIME = 84, /* year, month, day of the week, day, hour, minute, second, millisecond */
	AT_CHANNELS = 104,
	AT_TEXT = 110, /* and an i16 after it */
	SPECTRUM_FIXED = 114,
};

struct pdz {
	uint64_t spectrum[PHASES_MAX], spectrum_len[PHASES_MAX];
	uint64_t results, results_end;
	unsigned phases, given;
	bool has_last;
};

static bool fits(struct source *s)
{
	static const uint8_t start[] = {25, 0, 14, 0, 0, 0, 'p', 0, 'd', 0, 'z', 0, '2', 0, '5', 0};
	uint8_t head[sizeof start];
	return s->files == 1 && !s->is_folder && s->read(s, 0, 0, head, sizeof head) == 0 &&
	       memcmp(head, start, sizeof start) == 0;
}

/* --- the records of texts --- */

struct texts {
	const uint8_t *at;
	size_t left;
};

/* The next text; false: it is not there whole. */
static bool take_text(struct texts *t, char *to, size_t size)
{
	to[0] = '\0';
	if (t->left < 4 || !bytes_fit_items(4, get_le32(t->at), 2, t->left))
		return false;
	size_t len = (size_t)get_le32(t->at) * 2;
	text_convert(to, size, TEXT_UTF_16_LE, t->at + 4, len);
	t->at += 4 + len;
	t->left -= 4 + len;
	return true;
}

/* Pairs of a name and a value. */
static void read_user(struct texts t, struct format_facts *facts)
{
	char name[FORMAT_FACT], value[FORMAT_FACT];
	if (t.left < 2)
		return;
	t.at += 2;
	t.left -= 2;
	while (take_text(&t, name, sizeof name) && take_text(&t, value, sizeof value)) {
		if (strcmp(name, "Operator") == 0)
			memcpy(facts->person, value, sizeof value);
		if (strcmp(name, "ID") == 0)
			memcpy(facts->sample, value, sizeof value);
		if (strcmp(name, "Name") == 0)
			memcpy(facts->title, value, sizeof value);
	}
}

static int read_texts(
	struct source *s, enum record type, uint64_t at, uint32_t len, struct format_facts *facts)
{
	uint8_t body[TEXTS_MAX];
	struct texts t = {body, len < sizeof body ? len : sizeof body};
	int r = s->read(s, 0, at, body, t.left);
	if (r < 0)
		return r;
	if (type == RECORD_INSTRUMENT)
		take_text(&t, facts->serial, sizeof facts->serial);
	if (type == RECORD_USER)
		read_user(t, facts);
	if (type == RECORD_MEASUREMENT && t.left >= 44) {
		char part[FORMAT_FACT], user[FORMAT_FACT];
		t.at += 44;
		t.left -= 44;
		take_text(&t, facts->method, sizeof facts->method);
		take_text(&t, part, sizeof part);
		if (take_text(&t, user, sizeof user) && facts->person[0] == '\0')
			memcpy(facts->person, user, sizeof user);
	}
	return 0;
}

/* --- look and next --- */

/* The length of a spectrum's body: all counts come last. */
static uint64_t spectrum_length(const uint8_t *body)
{
	return SPECTRUM_FIXED + 2 * (uint64_t)get_le32(body + AT_TEXT) + 2 +
	       4 * (uint64_t)get_le16(body + AT_CHANNELS);
}

static bool is_spectrum(const uint8_t *body, uint64_t len)
{
	unsigned channels = get_le16(body + AT_CHANNELS);
	float step = get_le_f32(body + AT_STEP), first = get_le_f32(body + AT_FIRST);
	return channels > 0 && spectrum_length(body) == len && step > 0 && isfinite(step) &&
	       isfinite(first);
}

/* One spectrum or result: 0, or an enum format_found, or an error. */
static int look_spectrum(
	struct source *s, struct pdz *pdz, uint64_t at, uint32_t len, struct format_facts *facts)
{
	uint8_t body[SPECTRUM_FIXED];
	int r = len >= sizeof body ? s->read(s, 0, at, body, sizeof body) : 0;
	if (r < 0)
		return r;
	if (len < sizeof body || !is_spectrum(body, len) || pdz->phases == PHASES_MAX) {
		snprintf(facts->why, sizeof facts->why,
			"the spectrum at byte %llu is not as long as its channels need",
			(unsigned long long)at);
		return FORMAT_DAMAGED;
	}
	if (pdz->phases == 0) {
		xray_write_time(facts->acquired, body + AT_TIME);
	}
	pdz->spectrum[pdz->phases] = at - RECORD_HEAD;
	pdz->spectrum_len[pdz->phases++] = RECORD_HEAD + (uint64_t)len;
	return 0;
}

static int look_record(struct source *s, struct pdz *pdz, const uint8_t *head, uint64_t at,
	uint32_t *phases, struct format_facts *facts)
{
	unsigned type = get_le16(head);
	uint32_t len = get_le32(head + 2);
	uint8_t count[4];
	int r = 0;
	switch (type) {
	case RECORD_SPECTRUM: return look_spectrum(s, pdz, at, len, facts);
	case RECORD_LAST: pdz->has_last = true; return 0;
	case RECORD_RESULT:
		if (pdz->results_end == 0)
			pdz->results = at - RECORD_HEAD;
		pdz->results_end = at + len;
		return 0;
	case RECORD_MEASUREMENT:
		r = len >= 4 ? s->read(s, 0, at, count, 4) : 0;
		*phases = len >= 4 ? get_le32(count) : 0;
		break;
	case RECORD_INSTRUMENT:
	case RECORD_USER: break;
	default: return 0;
	}
	return r < 0 ? r : read_texts(s, type, at, len, facts);
}

static int unfinished(struct format_facts *facts, const char *place, uint64_t at)
{
	snprintf(facts->why, sizeof facts->why, "%s at byte %llu", place, (unsigned long long)at);
	return FORMAT_INCOMPLETE;
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	struct pdz *pdz = state;
	uint64_t size = s->file[0].size, at = 0;
	uint32_t phases = 0;
	uint8_t head[RECORD_HEAD];
	for (unsigned n = 0; at < size; n++) {
		if (size - at < RECORD_HEAD)
			return unfinished(facts, "the file ends in the head of a record", at);
		int r = s->read(s, 0, at, head, RECORD_HEAD);
		if (r < 0)
			return r;
		if (get_le16(head) == 0)
			return unfinished(facts, "nothing is written yet", at);
		at += RECORD_HEAD;
		if (get_le32(head + 2) > size - at)
			return unfinished(facts, "the file ends in the record", at);
		r = n < RECORDS_MAX ? look_record(s, pdz, head, at, &phases, facts)
				    : FORMAT_DAMAGED;
		if (r != 0)
			return r;
		at += get_le32(head + 2);
	}
	if (pdz->phases < phases || phases == 0)
		return unfinished(facts, "a spectrum of a phase is missing", at);
	if (!pdz->has_last)
		return unfinished(facts, "record 139 is missing", at);
	memcpy(facts->make, "Bruker", sizeof "Bruker");
	return FORMAT_WHOLE;
}

static int next(struct source *s, void *state, bool rewind, struct format_plan *plan)
{
	struct pdz *pdz = state;
	(void)s;
	if (rewind)
		pdz->given = 0;
	unsigned i = pdz->given++;
	plan->count = 1;
	if (i < pdz->phases) {
		plan->part = "spectrum";
		plan->slice[0] = (struct format_slice){0, pdz->spectrum[i], pdz->spectrum_len[i]};
		return 1;
	}
	uint64_t len = pdz->results_end - pdz->results;
	if (i > pdz->phases || len == 0 || len > RESULTS_BYTES)
		return 0;
	plan->part = "results";
	plan->slice[0] = (struct format_slice){0, pdz->results, len};
	return 1;
}

/* --- decode --- */

static void add_filters(struct assay_frame *out, const uint8_t *at)
{
	char text[80] = "";
	for (int i = 0; i < 3; i++, at += 4) {
		const char *element = xray_element(get_le16(at));
		size_t used = strlen(text);
		if (element != NULL)
			snprintf(text + used, sizeof text - used, "%s%s %u um",
				used > 0 ? ", " : "", element, get_le16(at + 2));
	}
	xray_add_setting_text(out, "filter", text);
}

static int decode_spectrum(const struct assay_bytes *raw, struct assay_frame *out)
{
	if (raw->len < RECORD_HEAD + SPECTRUM_FIXED)
		return -EBADMSG;
	const uint8_t *body = raw->data + RECORD_HEAD;
	size_t len = raw->len - RECORD_HEAD;
	if (get_le32(raw->data + 2) != len || !is_spectrum(body, len))
		return -EBADMSG;
	size_t n = get_le16(body + AT_CHANNELS);
	double *counts = assay_frame_scratch(out, n * sizeof *counts);
	if (counts == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		counts[i] = get_le32(body + len - 4 * (n - i));
	struct xray x = {.unit = "eV",
		.first = (double)get_le_f32(body + AT_FIRST),
		.step = (double)get_le_f32(body + AT_STEP),
		.counts = counts,
		.n = n,
		.live = (double)get_le_f32(body + AT_LIVE),
		.real = (double)get_le_f32(body + AT_PACKET),
		.voltage = (double)get_le_f32(body + AT_VOLTAGE),
		.current = (double)get_le_f32(body + AT_CURRENT),
		.current_unit = "uA"};
	int r = xray_add(&x, out);
	if (r < 0)
		return r;
	xray_add_aux(out, "dead_time", (double)get_le_f32(body + AT_DEAD), "s");
	xray_add_aux(out, "reset_time", (double)get_le_f32(body + AT_RESET), "s");
	xray_add_aux(out, "detector_temperature", (double)get_le_f32(body + AT_DETECTOR), "Cel");
	xray_add_aux(out, "ambient_temperature", (double)get_le_f32(body + AT_AMBIENT), "[degF]");
	add_filters(out, body + AT_FILTERS);
	struct assay_variable phase = {.type = ASSAY_SCALAR_INT, .integer = get_le32(body)};
	assay_frame_setting(out, "phase", &phase);
	char time[XRAY_TIME];
	xray_write_time(time, body + AT_TIME);
	if (time[0] != '\0')
		assay_frame_device_time(out, time);
	return 0;
}

/*
 * A result: its name, element, unit in which the instrument shows it (1 ppm, 2 %), then floats, all in %:
 * the result, the same by a type standard, the error of 1 sigma, two limits; two i16.  False: it
 * is none, or has the name of one of the `count` before it; a frame has each name once.
 */
static bool add_result(const uint8_t *body, size_t len, char (*names)[NAME_BYTES], unsigned count,
	struct assay_frame *out)
{
	struct texts t = {body, len};
	char *name = names[count];
	if (!take_text(&t, name, NAME_BYTES) || name[0] == '\0' || t.left < 29)
		return false;
	for (unsigned i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return false;
	float result = get_le_f32(t.at + 5), error = get_le_f32(t.at + 13);
	if (t.at[4] < 1 || t.at[4] > 2 || !isfinite(result) || !isfinite(error))
		return false;
	struct assay_variable v = {.name = "mass_fraction",
		.role = ASSAY_DATA,
		.unit = "%",
		.analyte = name,
		.type = ASSAY_SCALAR_F32,
		.real = (double)result};
	if (error > 0) {
		v.unc.kind = "standard";
		v.unc.src = "instrument";
		v.unc.value = (double)error;
	}
	assay_frame_add(out, &v);
	return true;
}

static int decode_results(const struct assay_bytes *raw, struct assay_frame *out)
{
	char(*names)[NAME_BYTES] = assay_frame_scratch(out, RESULTS_MAX * sizeof *names);
	unsigned count = 0;
	bool lacks_some = false;
	if (names == NULL)
		return -ENOMEM;
	assay_frame_kind(out, ASSAY_SCALARS);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	for (size_t at = 0; at < raw->len;) {
		if (raw->len - at < RECORD_HEAD)
			return -EBADMSG;
		size_t len = get_le32(raw->data + at + 2);
		const uint8_t *body = raw->data + at + RECORD_HEAD;
		if (len > raw->len - at - RECORD_HEAD)
			return -EBADMSG;
		if (get_le16(raw->data + at) == RECORD_RESULT) {
			bool is_added = count < RESULTS_MAX &&
					add_result(body, len, names, count, out);
			count += is_added;
			lacks_some = lacks_some || !is_added;
		}
		at += RECORD_HEAD + len;
	}
	if (lacks_some)
		assay_frame_quality(out, ASSAY_SUSPECT, "malformed");
	assay_add_int(out, "results", ASSAY_AUX, count, "1");
	return 0;
}

static int decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	if (in->raw_count == 0)
		return -EBADMSG;
	return strcmp(part, "results") == 0 ? decode_results(&in->raw[0], out)
					    : decode_spectrum(&in->raw[0], out);
}

const struct format format_pdz = {
	.name = "pdz",
	.summary = "Bruker handheld XRF: *.pdz, version 25",
	.techniques = "xrf",
	.state_size = sizeof(struct pdz),
	.fits = fits,
	.look = look,
	.next = next,
	.decode = decode,
};

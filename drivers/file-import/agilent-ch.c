/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals of Agilent's detectors, *.ch, of a gas chromatograph or a liquid one.  One frame is the whole file.
 * The version at its begin decides between three encodings and two places of the texts.
 */
#include "agilent.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "agilent-signal.h"
#include "bytes.h"
#include "text.h"

#define HEADER_OLD 1024
#define HEADER_NEW 6144
#define SECTOR     512
#define TAIL       512 /* zeros at the end: a program has set the length, and has not written the data */
#define WINDOW     4096
#define SEGMENT    (2 + 255 * 6)
#define POINTS_MIN 2
#define FRAME_MAX  (15u << 20) /* of a record: the file, and eight bytes of each point */

static const struct version {
	const char *name;
	bool is_new;       /* texts in UTF-16 */
	bool has_f32_time; /* else integers */
	enum signal_encoding encoding;
} versions[] = {
	{"8", false, false, SIGNAL_SEGMENTS},
	{"30", false, false, SIGNAL_SEGMENTS},
	{"81", false, true, SIGNAL_DIFFERENCES},
	{"130", true, false, SIGNAL_SEGMENTS},
	{"179", true, true, SIGNAL_DOUBLES},
	{"181", true, true, SIGNAL_DIFFERENCES},
};

static const struct version *version_of(const uint8_t *h)
{
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (h[0] == strlen(versions[i].name) && memcmp(h + 1, versions[i].name, h[0]) == 0)
			return &versions[i];
	return NULL;
}

static size_t header_size(const struct version *v)
{
	return v->is_new ? HEADER_NEW : HEADER_OLD;
}

bool agilent_ch_fits(struct source *s, unsigned file)
{
	uint8_t h[4];
	return name_ends(s->file[file].path, ".ch") && s->read(s, file, 0, h, sizeof h) == 0 &&
	       version_of(h) != NULL;
}

/* --- the head ---------------------------------------------------------------------------------- */

/* A text with its number of characters in front. */
static void take_text(
	const struct version *v, const uint8_t *h, size_t old, size_t new, char *to, size_t size)
{
	if (v->is_new)
		text_convert(to, size, TEXT_UTF_16_LE, h + new + 1, 2 * (size_t)h[new]);
	else if (old != 0)
		text_convert(to, size, TEXT_CP1252, h + old + 1, h[old]);
	else
		to[0] = '\0';
}

struct head {
	const struct version *version;
	double first, last; /* ms */
	double intercept, slope;
	uint32_t count; /* as stated: only where `has_count` */
	bool has_count; /* written by MassHunter's driver of gas chromatographs */
	bool is_scale_sure;
	char unit[32], signal[64], date[64];
};

/* Of a whole header. */
static void read_head(const struct version *v, const uint8_t *h, struct head *head)
{
	char type[64], software[64];
	*head = (struct head){.version = v, .count = get_be32(h + 278)};
	take_text(v, h, 0, 347, type, sizeof type);
	take_text(v, h, 0, 3089, software, sizeof software);
	take_text(v, h, 178, 2391, head->date, sizeof head->date);
	take_text(v, h, 580, 4172, head->unit, sizeof head->unit);
	take_text(v, h, 596, 4213, head->signal, sizeof head->signal);
	head->first = v->has_f32_time ? (double)get_be_f32(h + 282) : (int32_t)get_be32(h + 282);
	head->last = v->has_f32_time ? (double)get_be_f32(h + 286) : (int32_t)get_be32(h + 286);
	head->intercept = get_be_f64(h + (v->is_new ? 4724 : 636));
	head->slope = get_be_f64(h + (v->is_new ? 4732 : 644));
	head->has_count = v->encoding == SIGNAL_DOUBLES && strncmp(software, "Mustang", 7) == 0;
	head->is_scale_sure = strcmp(v->name, "8") != 0 &&
			      (v->encoding != SIGNAL_DOUBLES || head->has_count ||
				      strncmp(type, "OL", 2) == 0);
}

static const char *head_fault(const struct head *head)
{
	if (!isfinite(head->first) || !isfinite(head->last) || head->first >= head->last)
		return "its times do not ascend";
	if (!isfinite(head->intercept) || !isfinite(head->slope) || head->slope == 0)
		return "its scale is no number";
	return NULL;
}

static void take_facts(const struct version *v, const uint8_t *h, struct format_facts *facts)
{
	char date[FORMAT_FACT];
	take_text(v, h, 24, 858, facts->sample, sizeof facts->sample);
	take_text(v, h, 148, 1880, facts->person, sizeof facts->person);
	take_text(v, h, 208, 2492, facts->model, sizeof facts->model);
	take_text(v, h, 228, 2574, facts->method, sizeof facts->method);
	if (v->is_new)
		take_text(v, h, 0, 3089, facts->software, sizeof facts->software);
	else
		take_text(v, h, 86, 0, facts->title, sizeof facts->title);
	take_text(v, h, 178, 2391, date, sizeof date);
	agilent_date(date, facts);
	snprintf(facts->make, sizeof facts->make, "Agilent");
}

/*
 * Data rates of gas chromatographs, Hz.  Only the chain of segments has an end mark: a file of another
 * encoding is whole if its number of points makes one of these.
 */
static bool is_rate(const struct head *head, size_t count)
{
	static const double rates[] = {0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};
	double seconds = (head->last - head->first) / 1000;
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
		if (fabs(seconds * rates[i] - ((double)count - 0.5)) <= 1)
			return true;
	return false;
}

/* --- look -------------------------------------------------------------------------------------- */

/* Walks the data: an enum format_found or an error. */
static int walk(
	struct source *s, unsigned file, const struct head *head, struct format_facts *facts)
{
	struct signal_reader r = {0};
	const struct source_file *f = &s->file[file];
	uint64_t at = header_size(head->version);
	uint8_t window[WINDOW];
	size_t taken = 1;
	while (at < f->size && taken > 0 && !r.has_ended) {
		uint64_t left = f->size - at;
		size_t len = left < sizeof window ? (size_t)left : sizeof window;
		int e = s->read(s, file, at, window, len);
		if (e < 0)
			return e;
		taken = signal_take(head->version->encoding, &r, window, len, len < left);
		at += taken;
	}
	bool is_all = at == f->size && (head->version->encoding != SIGNAL_SEGMENTS || r.has_ended);
	if (!is_all || r.count < POINTS_MIN) {
		agilent_why(facts, f->path, "its data end at byte %llu of %llu",
			(unsigned long long)at, (unsigned long long)f->size);
		return FORMAT_INCOMPLETE;
	}
	if (head->has_count && r.count != head->count) {
		agilent_why(facts, f->path, "%zu points where its head states %u", r.count,
			(unsigned)head->count);
		return r.count < head->count ? FORMAT_INCOMPLETE : FORMAT_DAMAGED;
	}
	if (head->version->encoding != SIGNAL_SEGMENTS && !head->has_count &&
		!is_rate(head, r.count)) {
		agilent_why(facts, f->path,
			"%zu points in %.6g s make no data rate: it was cut, perhaps", r.count,
			(head->last - head->first) / 1000);
		return FORMAT_DAMAGED;
	}
	return FORMAT_WHOLE;
}

static int look_tail(struct source *s, unsigned file, struct format_facts *facts)
{
	static const uint8_t zeros[TAIL];
	uint8_t tail[TAIL];
	const struct source_file *f = &s->file[file];
	int e = f->size < TAIL ? 0 : s->read(s, file, f->size - TAIL, tail, TAIL);
	if (e < 0)
		return e;
	if (f->size >= TAIL && memcmp(tail, zeros, TAIL) == 0) {
		agilent_why(facts, f->path, "it ends with %d zeros", TAIL);
		return FORMAT_INCOMPLETE;
	}
	return FORMAT_WHOLE;
}

int agilent_ch_look(struct source *s, unsigned file, struct format_facts *facts)
{
	uint8_t h[HEADER_NEW];
	const struct source_file *f = &s->file[file];
	int e = f->size < HEADER_OLD ? -ENODATA : s->read(s, file, 0, h, HEADER_OLD);
	const struct version *v = e < 0 ? NULL : version_of(h);
	if (e == 0 && v == NULL && h[0] == 0)
		e = -ENODATA;
	if (e == 0 && v == NULL)
		return FORMAT_FOREIGN;
	if (e == 0 && v->is_new)
		e = f->size < HEADER_NEW ? -ENODATA : s->read(s, file, 0, h, HEADER_NEW);
	if (e == -ENODATA) {
		agilent_why(facts, f->path, "it ends within its head");
		return FORMAT_INCOMPLETE;
	}
	if (e < 0)
		return e;
	struct head head;
	read_head(v, h, &head);
	const char *fault = head_fault(&head);
	if (!v->is_new && ((uint64_t)get_be32(h + 264) - 1) * SECTOR != HEADER_OLD)
		fault = "its data do not begin behind the head";
	if (f->size > (v->encoding == SIGNAL_DOUBLES ? FRAME_MAX / 2 : FRAME_MAX / 5))
		fault = "more points than one frame can have";
	e = look_tail(s, file, facts);
	if (e == FORMAT_WHOLE && fault != NULL) {
		agilent_why(facts, f->path, "%s", fault);
		return FORMAT_DAMAGED;
	}
	if (e == FORMAT_WHOLE)
		e = walk(s, file, &head, facts);
	if (e == FORMAT_WHOLE)
		take_facts(v, h, facts);
	return e;
}

void agilent_ch_plan(struct source *s, unsigned file, struct format_plan *plan)
{
	*plan = (struct format_plan){
		.part = "signal", .slice = {{file, 0, s->file[file].size}}, .count = 1};
}

/* --- decode ----------------------------------------------------------------------------------- */

/* As the record format writes it; NULL: another one. */
static const char *known_unit(const char *unit)
{
	static const struct {
		const char *stated, *unit;
	} units[] = {{"pA", "pA"}, {"nA", "nA"}, {"V", "V"}, {"mV", "mV"}, {"uV", "uV"},
		{"\xc2\xb5V", "uV"}, {"Hz", "Hz"}, {"counts", "{count}"}};
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(unit, units[i].stated) == 0)
			return units[i].unit;
	return NULL;
}

static void add_signal(struct assay_frame *out, const struct head *head, const double *y, size_t n)
{
	bool is_scaled = strcmp(head->version->name, "8") != 0;
	const char *unit = is_scaled ? known_unit(head->unit) : NULL;
	char channel[sizeof head->signal];
	snprintf(channel, sizeof channel, "%.*s", (int)strcspn(head->signal, ", "), head->signal);
	struct assay_variable v = {.name = "signal",
		.role = ASSAY_DATA,
		.dims = {"time"},
		.unit = unit != NULL ? unit : "1",
		.channel = channel[0] != '\0' ? channel : NULL,
		.label = head->signal[0] != '\0' ? head->signal : NULL,
		.type = ASSAY_F64,
		.data = y,
		.count = n};
	assay_frame_add(out, &v);
	struct assay_variable stated = {.name = "stated_unit",
		.role = ASSAY_AUX,
		.unit = "1",
		.type = ASSAY_SCALAR_TEXT,
		.text = head->unit};
	if (unit == NULL && head->unit[0] != '\0')
		assay_frame_add(out, &stated);
}

int agilent_ch_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	const uint8_t *h = in->raw_count > 0 ? in->raw[0].data : NULL;
	size_t len = in->raw_count > 0 ? in->raw[0].len : 0;
	const struct version *v = len < HEADER_OLD ? NULL : version_of(h);
	struct head head;
	const char *fault = v == NULL || len < header_size(v) ? "no head of a known version" : NULL;
	if (fault == NULL) {
		read_head(v, h, &head);
		fault = head_fault(&head);
	}
	struct signal_reader r = {0};
	if (fault == NULL) {
		size_t data = len - header_size(v),
		       room = data / (v->encoding == SIGNAL_DOUBLES ? 8 : 2) + 1;
		r.to = assay_frame_scratch(out, room * sizeof *r.to);
		if (r.to == NULL)
			return -ENOMEM;
		if (signal_take(v->encoding, &r, h + header_size(v), data, false) != data ||
			r.count < POINTS_MIN)
			fault = "its data do not end with the file";
	}
	if (fault != NULL) {
		assay_explain_decode(in, "a file .ch: %s", fault);
		return -EBADMSG;
	}
	/* The slope of version 8 is wrong in some files, and nothing in them states in which. */
	for (size_t i = 0; i < r.count && strcmp(v->name, "8") != 0; i++)
		r.to[i] = r.to[i] * head.slope + head.intercept;
	assay_frame_kind(out, ASSAY_CHROMATOGRAM);
	if (head.is_scale_sure)
		assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	else
		assay_frame_quality(out, ASSAY_SUSPECT, "scale-unverified");
	if (head.date[0] != '\0')
		assay_frame_device_time(out, head.date);
	assay_add_linear_axis(out, "time", "ms", head.first,
		(head.last - head.first) / (double)(r.count - 1), r.count);
	add_signal(out, &head, r.to, r.count);
	return 0;
}

/* --- a file alone ------------------------------------------------------------------------------ */

static bool fits(struct source *s)
{
	return s->files == 1 && name_ends(s->file[0].path, ".ch") &&
	       (agilent_ch_fits(s, 0) || agilent_is_empty(s, 0) > 0);
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	return agilent_ch_look(s, 0, facts);
}

static int next(struct source *s, void *state, bool rewind, struct format_plan *plan)
{
	bool *is_given = state;
	if (*is_given && !rewind)
		return 0;
	*is_given = true;
	agilent_ch_plan(s, 0, plan);
	return 1;
}

static int decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	return agilent_ch_decode(in, out);
}

const struct format format_agilent_ch = {
	.name = "agilent-ch",
	.summary = "Agilent ChemStation, MassHunter: signals of detectors, FID1A.ch",
	.techniques = "gc",
	.state_size = sizeof(bool),
	.fits = fits,
	.look = look,
	.next = next,
	.decode = decode,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* JASCO Spectra Manager 1: .jws, an OLE2 file whose streams have the axis, the values and the facts. */
#include "jasco.h"

#include <errno.h>
#include <stdio.h>

#include "bytes.h"
#include "date.h"
#include "ole2.h"
#include "text.h"

#define DATA_INFO   96
#define MODULE_FTIR 9
#define DATE_NONE   36494.0

/* Tags of MeasParam where the module is FTIR; other modules have other meanings of them. */
enum { TAG_SCANS = 1, TAG_RESOLUTION = 2 };

enum { TYPE_U16 = 2, TYPE_U32 = 3, TYPE_F32 = 4, TYPE_F64 = 5, TYPE_TEXT = 8 };

/* A stream in memory, and the rest of it. */
struct reading {
	const uint8_t *at;
	size_t left;
	bool is_over; /* it ended before */
};

/* --- parts of streams ------------------------------------------------------------------------- */

static const uint8_t *take(struct reading *r, size_t len)
{
	static const uint8_t zeros[16];
	if (len > r->left || r->is_over) {
		r->is_over = true;
		return zeros;
	}
	r->at += len;
	r->left -= len;
	return r->at - len;
}

static uint32_t take_number(struct reading *r)
{
	return get_le32(take(r, 4));
}

/* A text: its length in bytes, then UTF-16.  `to` may be NULL. */
static void take_string(struct reading *r, char to[FORMAT_FACT])
{
	uint32_t len = take_number(r);
	const uint8_t *text = take(r, len);
	if (to != NULL && !r->is_over)
		text_convert(to, FORMAT_FACT, TEXT_UTF_16_LE, text, len);
}

/* The next value of a list: its tag and type, and the number, 0 of a text.  False at the end. */
static bool take_value(struct reading *r, uint32_t *tag, double *value)
{
	*tag = take_number(r);
	unsigned type = get_le16(take(r, 2));
	*value = 0;
	switch (type) {
	case TYPE_U16: *value = get_le16(take(r, 2)); break;
	case TYPE_U32: *value = take_number(r); break;
	case TYPE_F32: *value = get_le_f32(take(r, 4)); break;
	case TYPE_F64: *value = get_le_f64(take(r, 8)); break;
	case TYPE_TEXT: take_string(r, NULL); break;
	default: r->is_over = true;
	}
	return !r->is_over;
}

/* --- streams ---------------------------------------------------------------------------------- */

/* The file in memory, and the memory for its streams. */
struct container {
	struct ole2 ole;
	const uint8_t *bytes;
	uint8_t *work;
	size_t left;
};

static int read_memory(void *context, uint64_t offset, void *to, size_t len)
{
	const struct container *file = context;
	memcpy(to, file->bytes + offset, len);
	return 0;
}

static int read_stream(
	struct container *file, const char *name, struct ole2_stream *stream, struct reading *out)
{
	*out = (struct reading){0};
	int error = ole2_find(&file->ole, name, stream);
	if (error < 0)
		return error;
	if (stream->len > file->left)
		return -EBADMSG; /* streams that share sectors */
	error = ole2_read(&file->ole, stream, 0, file->work, stream->len);
	*out = (struct reading){file->work, stream->len, false};
	file->work += stream->len;
	file->left -= stream->len;
	return error;
}

/* The same for numbers: -ENODATA if those at its end, or those last in the file, were not written. */
static int read_values(struct container *file, const char *name, struct reading *out)
{
	struct ole2_stream stream;
	int error = read_stream(file, name, &stream, out);
	if (error < 0)
		return error;
	bool is_written = !bytes_end_in_zeros(out->at, stream.len) &&
			  !bytes_end_in_zeros(out->at, stream.written);
	return stream.len > 0 && is_written ? 0 : -ENODATA;
}

/* A stream of facts begins with a version, which is 1 or more; an absent one has no facts. */
static int read_facts(struct container *file, const char *name, struct reading *out)
{
	struct ole2_stream stream;
	int error = read_stream(file, name, &stream, out);
	if (error < 0 || out->left < 4)
		return error == -ENOENT ? 0 : error;
	return take_number(out) > 0 ? 0 : -ENODATA;
}

/* --- facts ------------------------------------------------------------------------------------ */

static void take_date(double days, struct format_facts *facts)
{
	if (days != 0 && days != DATE_NONE && date_from_ole(facts->acquired, days))
		snprintf(facts->zone, sizeof facts->zone, "Z");
}

static void take_sample(struct reading *r, struct format_facts *facts)
{
	uint32_t tag;
	double value;
	take_string(r, facts->sample);
	take_string(r, facts->title);
	for (uint32_t n = take_number(r); n > 0 && take_value(r, &tag, &value); n--)
		if (tag == 1)
			take_date(value, facts);
}

/* Behind the sample's: the time of the measurement is that of this stream where it has one. */
static void take_base(struct reading *r, struct format_facts *facts)
{
	take(r, 16); /* GUID; longer ones than `zeros` are not taken by places */
	take(r, 1);
	take_string(r, NULL);
	take(r, 8); /* saved */
	double measured = get_le_f64(take(r, 8));
	if (!r->is_over)
		take_date(measured, facts);
}

static unsigned take_module(struct reading *r, struct format_facts *facts)
{
	take_string(r, NULL);
	take(r, 2);
	unsigned module = get_le16(take(r, 2));
	take_string(r, facts->model);
	take_string(r, facts->serial);
	return module;
}

static void take_parameters(struct reading *r, struct curve *c)
{
	uint32_t tag;
	double value;
	take_number(r);
	for (uint32_t n = take_number(r); n > 0 && take_value(r, &tag, &value); n--) {
		if (tag == TAG_SCANS && value >= 1 && value <= UINT32_MAX)
			c->scans = (uint32_t)value;
		else if (tag == TAG_RESOLUTION)
			c->resolution = value;
	}
}

static int read_all_facts(struct container *file, struct curve *c, struct format_facts *facts)
{
	struct reading r;
	unsigned module = 0;
	int error = read_facts(file, "SampleInfo", &r);
	if (error == 0 && r.left > 0)
		take_sample(&r, facts);
	if (error == 0)
		error = read_facts(file, "BaseInfo", &r);
	if (error == 0 && r.left > 0)
		take_base(&r, facts);
	if (error == 0)
		error = read_facts(file, "ModuleInfo", &r);
	if (error == 0 && r.left > 0)
		module = take_module(&r, facts);
	if (error == 0)
		error = read_facts(file, "MeasParam", &r);
	if (error == 0 && r.left > 0 && module == MODULE_FTIR)
		take_parameters(&r, c);
	return error;
}

/* --- the spectrum ----------------------------------------------------------------------------- */

static int read_curve(struct container *file, struct curve *c, char why[FORMAT_FACT])
{
	struct ole2_stream stream;
	struct reading info, xs = {0}, ys;
	int error = read_stream(file, "DataInfo", &stream, &info);
	if (error == 0 && info.left < DATA_INFO)
		error = -EBADMSG;
	if (error == 0 && get_le32(info.at) == 0)
		error = -ENODATA;
	if (error == 0)
		error = read_values(file, "Y-Data", &ys);
	if (error < 0)
		return error;
	const uint8_t *p = info.at;
	uint32_t channels = get_le32(p + 0x0c), points = get_le32(p + 0x14);
	c->first = get_le_f64(p + 0x18);
	c->step = get_le_f64(p + 0x28);
	if (c->step == 0)
		error = read_values(file, "X-Data", &xs);
	if (error < 0)
		return error;
	if (channels < 1 || channels > CURVE_CHANNELS || ys.left / 4 / channels != points ||
		ys.left % ((size_t)4 * channels) != 0 ||
		(c->step == 0 && xs.left != (size_t)4 * points)) {
		snprintf(why, FORMAT_FACT,
			"it states %u points in %u curves; X-Data has %zu bytes, Y-Data %zu",
			points, channels, xs.left, ys.left);
		return -EBADMSG;
	}
	c->channels = channels;
	c->points = points;
	c->xs = xs.at;
	c->ys = ys.at;
	c->width = 4;
	c->has_void = true;
	c->no_value = JASCO_NO_VALUE;
	return jasco_read_units(get_le32(p + 0x30), p + 0x34, c, why) ? 0 : -ENOTSUP;
}

static enum format_found jasco_ole2_parse(const uint8_t *bytes, size_t len, uint8_t *work,
	struct curve *c, struct format_facts *facts)
{
	struct container file = {.ole = {.read = read_memory, .size = len},
		.bytes = bytes,
		.work = work,
		.left = len};
	file.ole.context = &file;
	int error = ole2_open(&file.ole);
	if (error == 0)
		error = read_curve(&file, c, facts->why);
	if (error == 0)
		error = read_all_facts(&file, c, facts);
	if (error == 0)
		return FORMAT_WHOLE;
	if (facts->why[0] == '\0')
		snprintf(facts->why, sizeof facts->why, "%s",
			error == -ENODATA  ? "sectors at its end are not written"
			: error == -ENOENT ? "it has no streams DataInfo and Y-Data"
					   : "the chains of its sectors contradict each other");
	return error == -ENODATA   ? FORMAT_INCOMPLETE
	       : error == -ENOTSUP ? FORMAT_UNDECODED
				   : FORMAT_DAMAGED;
}

static bool jasco_ole2_fits(struct source *s)
{
	uint8_t magic[OLE2_MAGIC_SIZE];
	return s->files == 1 && s->file[0].size >= sizeof magic && s->file[0].size <= CURVE_BYTES &&
	       s->read(s, 0, 0, magic, sizeof magic) >= 0 && ole2_has_magic(magic);
}

/* Other programs have files of this kind, too; by its name it is one of JASCO's that is not whole. */
static int jasco_ole2_look(struct source *s, void *state, struct format_facts *facts)
{
	(void)state;
	int found = curve_look(s, jasco_ole2_parse, facts);
	bool is_named = name_ends(s->file[0].path, ".jws");
	return found >= 0 && found != FORMAT_WHOLE && !is_named ? FORMAT_FOREIGN : found;
}

static int jasco_ole2_decode(
	const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	(void)part;
	return curve_decode(in, jasco_ole2_parse, out);
}

const struct format format_jasco_ole2 = {
	.name = "jasco-ole2",
	.summary = "JASCO Spectra Manager 1: .jws",
	.techniques = "ftir nir raman uv-vis",
	.state_size = CURVE_STATE,
	.fits = jasco_ole2_fits,
	.look = jasco_ole2_look,
	.next = curve_next,
	.decode = jasco_ole2_decode,
};

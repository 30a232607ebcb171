/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bytes.h"
#include "spc-head.h"
#include "text.h"

#define LABELS_AT   218
#define LABELS_OLD  194
#define LABELS_SIZE 30

struct subfile {
	const uint8_t *head, *xs, *ys; /* xs NULL: even */
	size_t points;
	int exponent;
	unsigned value_size;
};

static int refuse(const struct assay_decoding *in, const char *why)
{
	assay_explain_decode(in, "%s", why);
	return -EBADMSG;
}

/* The subfile in the one block of a spectrum, or in the second of the two of a subfile. */
static int find_subfile(const struct assay_decoding *in, const struct spc_head *head, bool is_whole,
	struct subfile *sub)
{
	const struct assay_bytes *first = &in->raw[0], *block = is_whole ? first : &in->raw[1];
	uint64_t at = is_whole ? head->data : 0;
	if (!bytes_fit(at, SPC_SUBHEAD, block->len) || head->data > first->len)
		return refuse(in, "the block ends before its subheader");
	sub->head = block->data + at;
	if (!bytes_fit(at, spc_subfile_size(head, sub->head), block->len))
		return refuse(in, "the block ends before its values");
	const char *why = spc_refuses(head, sub->head);
	if (why != NULL)
		return refuse(in, why);
	sub->points = spc_subfile_points(head, sub->head);
	if (sub->points == 0)
		return refuse(in, "no points");
	sub->exponent = spc_subfile_exponent(head, sub->head);
	sub->value_size = spc_value_size(head, sub->exponent);
	sub->xs = NULL;
	sub->ys = sub->head + SPC_SUBHEAD;
	if (head->flags & SPC_OWN_X) {
		sub->xs = sub->ys;
		sub->ys += 4 * sub->points;
	} else if (head->flags & SPC_X) {
		sub->xs = first->data + head->data - 4 * sub->points;
	}
	return 0;
}

static void copy_floats(float *to, const uint8_t *from, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] = get_le_f32(from + 4 * i);
}

/* A fraction of the range of its integer, times a power of two; old files have the high word first. */
static void scale(double *to, const struct spc_head *head, const struct subfile *sub)
{
	int shift = sub->exponent - 8 * (int)sub->value_size;
	for (size_t i = 0; i < sub->points; i++) {
		const uint8_t *p = sub->ys + i * sub->value_size;
		int32_t value = sub->value_size == 2 ? (int16_t)get_le16(p) : (int32_t)get_le32(p);
		if (head->version == SPC_OLD)
			value = (int32_t)((uint32_t)get_le16(p) << 16 | get_le16(p + 2));
		to[i] = ldexp(value, shift);
	}
}

static void add_series(
	struct assay_frame *out, const struct spc_head *head, const struct subfile *sub)
{
	float z = get_le_f32(sub->head + 4);
	uint32_t scans = get_le32(sub->head + 20);
	const char *unit = spc_series_unit(head);
	bool is_retention = spc_is_time(unit) && strcmp(spc_places(head).name, "mz") == 0;
	struct assay_variable v = {.name = is_retention ? "retention_time" : "series_position",
		.role = ASSAY_AUX,
		.unit = unit,
		.type = ASSAY_SCALAR_F32,
		.real = (double)z};
	if (head->flags & SPC_MULTI && isfinite(z))
		assay_frame_add(out, &v);
	struct assay_variable count = {.type = ASSAY_SCALAR_INT, .integer = scans};
	if (scans > 0)
		assay_frame_setting(out, "scans", &count);
}

/* Custom labels of x, y and z, each ended by a NUL. */
struct labels {
	char x[LABELS_SIZE + 1], y[LABELS_SIZE + 1];
};

static void read_labels(const uint8_t *bytes, const struct spc_head *head, struct labels *to)
{
	const uint8_t *at = bytes + (head->version == SPC_OLD ? LABELS_OLD : LABELS_AT);
	const uint8_t *nul = memchr(at, '\0', LABELS_SIZE);
	*to = (struct labels){.x = ""};
	if (!(head->flags & SPC_LABELS))
		return;
	text_set(to->x, TEXT_CP1252, at, LABELS_SIZE);
	if (nul != NULL)
		text_set(to->y, TEXT_CP1252, nul + 1, (size_t)(at + LABELS_SIZE - nul - 1));
}

static int add_numbers(struct assay_frame *out, const struct spc_head *head,
	const struct subfile *sub, const struct labels *labels)
{
	bool is_float = sub->exponent == SPC_FLOAT;
	float *xs = assay_frame_scratch(out, sub->points * sizeof *xs);
	double *ys = assay_frame_scratch(out, sub->points * sizeof *ys);
	if (xs == NULL || ys == NULL)
		return -ENOMEM;
	if (sub->xs != NULL)
		copy_floats(xs, sub->xs, sub->points);
	if (is_float)
		copy_floats((float *)(void *)ys, sub->ys, sub->points);
	else
		scale(ys, head, sub);
	struct places x = {.of = spc_places(head),
		.label = labels->x[0] != '\0' ? labels->x : NULL,
		.count = sub->points,
		.first = head->first,
		.last = head->last,
		.type = ASSAY_F32,
		.data = sub->xs != NULL ? xs : NULL};
	struct quantity y = spc_values(head);
	enum assay_value type = is_float ? ASSAY_F32 : ASSAY_F64;
	if (y.unit == NULL)
		y.unit = numbers_ratio_unit(type, ys, sub->points);
	bool is_chromatogram = strcmp(x.of.name, "time") == 0;
	assay_frame_kind(out, strcmp(y.name, "interferogram") == 0 ? ASSAY_INTERFEROGRAM
			      : is_chromatogram                    ? ASSAY_CHROMATOGRAM
								   : ASSAY_SPECTRUM);
	const char *axis = numbers_add_places(out, &x);
	numbers_add_values(
		out, axis, &y, labels->y[0] != '\0' ? labels->y : NULL, type, ys, sub->points);
	return 0;
}

int spc_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	bool is_whole = strcmp(part, "spectrum") == 0;
	if (in->raw_count < (is_whole ? 1u : 2u) || in->raw[0].len < 2 ||
		spc_head_size(in->raw[0].data) == 0 ||
		in->raw[0].len < spc_head_size(in->raw[0].data) ||
		in->raw[0].data[1] == SPC_NEW_BIG_ENDIAN)
		return refuse(in, "no header of a Galactic file");
	struct spc_head head;
	struct subfile sub;
	struct labels labels;
	char time[DATE_TEXT];
	spc_head_read(in->raw[0].data, in->raw[0].len, &head);
	int r = find_subfile(in, &head, is_whole, &sub);
	if (r < 0)
		return r;
	read_labels(in->raw[0].data, &head, &labels);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	spc_date(&head, time);
	if (time[0] != '\0')
		assay_frame_device_time(out, time);
	r = add_numbers(out, &head, &sub, &labels);
	add_series(out, &head, &sub);
	return r;
}

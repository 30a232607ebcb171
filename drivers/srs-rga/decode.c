/* SPDX-License-Identifier: Apache-2.0 */
/* The decode slot: two raw blocks in, one frame out. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "replies.h"
#include "scan.h"

struct blocks {
	const struct assay_bytes *replies, *scan;
};

static int find_blocks(const struct assay_decoding *in, struct blocks *blocks)
{
	*blocks = (struct blocks){0};
	for (size_t i = 0; i < in->raw_count; i++) {
		if (strcmp(in->raw[i].media, RGA_MEDIA_REPLIES) == 0)
			blocks->replies = &in->raw[i];
		else if (strcmp(in->raw[i].media, RGA_MEDIA_SCAN) == 0)
			blocks->scan = &in->raw[i];
	}
	return blocks->replies != NULL && blocks->scan != NULL ? 0 : -EBADMSG;
}

static void add_axis(struct assay_frame *out, const struct rga_scan *scan)
{
	if (scan->mode != RGA_SERIES) {
		assay_add_linear_axis(out, "mz", "1", scan->first, 1.0 / scan->per_u, scan->points);
		return;
	}
	struct assay_variable v = {.name = "mz",
		.role = ASSAY_AXIS,
		.dims = {"mz"},
		.unit = "1",
		.type = ASSAY_F64,
		.data = scan->masses,
		.count = scan->points};
	assay_frame_add(out, &v);
}

static void add_points(
	struct assay_frame *out, const char *name, const char *unit, double *values, size_t n)
{
	struct assay_variable v = {.name = name,
		.role = ASSAY_DATA,
		.dims = {"mz"},
		.unit = unit,
		.type = ASSAY_F64,
		.data = values,
		.count = n};
	assay_frame_add(out, &v);
}

static void set_text(struct assay_frame *out, const char *name, const char *text)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_TEXT, .text = text};
	assay_frame_setting(out, name, &v);
}

static void set_number(struct assay_frame *out, const char *name, double value, const char *unit)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_FLOAT, .real = value, .unit = unit};
	assay_frame_setting(out, name, &v);
}

static int add_currents(struct assay_frame *out, const uint8_t *bytes, size_t n)
{
	double *values = assay_frame_scratch(out, n * sizeof(*values));
	if (values == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		values[i] = rga_word(bytes, i) / RGA_COUNTS_PER_A;
	add_points(out, "ion_current", "A", values, n);
	set_number(out, "ion_current_scale", 1e-16, "A");
	return 0;
}

static int add_pressures(struct assay_frame *out, const uint8_t *bytes, size_t n, double factor)
{
	double *values = assay_frame_scratch(out, n * sizeof(*values));
	if (values == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		values[i] = rga_word(bytes, i) * factor;
	add_points(out, "partial_pressure", "Pa", values, n);
	return 0;
}

/* The factors as the head wrote them, so that the conversion can be checked by hand. */
static void list_conversion(
	const struct assay_decoding *in, struct assay_frame *out, const struct blocks *blocks)
{
	static const char *const queries[] = {"SP?", "ST?", "MG?", "HV?"};
	char text[160] = "counts * 1e-13 / SP [* 1/(1000 MG)] Torr, 133.322 Pa/Torr:";
	for (size_t i = 0; i < sizeof(queries) / sizeof(*queries); i++) {
		size_t len = 0, used = strlen(text);
		const char *reply = rga_replies_find((const char *)blocks->replies->data,
			blocks->replies->len, queries[i], &len);
		double number;
		if (reply != NULL && assay_parse_number(in->host, reply, len, &number) == 0)
			snprintf(text + used, sizeof(text) - used, " %.2s %.*s", queries[i],
				(int)(len < 16 ? len : 16), reply);
	}
	set_text(out, "pressure_conversion", text);
}

static int convert(const struct assay_decoding *in, struct assay_frame *out,
	const struct blocks *blocks, const struct rga_scan *scan, double *total_factor)
{
	struct rga_sensitivity s;
	int r = rga_sensitivity_read(in->host, (const char *)blocks->replies->data,
		blocks->replies->len, scan->multiplier_v, &s);
	if (r < 0)
		return r;
	r = add_pressures(out, blocks->scan->data, scan->points, s.pa_per_count);
	if (r < 0)
		return r;
	list_conversion(in, out, blocks);
	*total_factor = s.total_pa_per_count;
	return 0;
}

static void add_total_pressure(struct assay_frame *out, int32_t counts, double pa_per_count)
{
	assay_add_float(out, "total_pressure_current", ASSAY_AUX, counts / RGA_COUNTS_PER_A, "A");
	if (pa_per_count > 0)
		assay_add_float(out, "total_pressure", ASSAY_AUX, counts * pa_per_count, "Pa");
}

static void add_status(struct assay_frame *out, const struct rga_scan *scan)
{
	char text[512];
	assay_add_int(out, "status", ASSAY_AUX, scan->status.status, "1");
	rga_status_text(&scan->status, text, sizeof(text));
	if (text[0] != '\0') {
		struct assay_variable v = {.name = "status_text",
			.role = ASSAY_AUX,
			.unit = "1",
			.type = ASSAY_SCALAR_TEXT,
			.text = text};
		assay_frame_add(out, &v);
	}
	rga_status_judge(&scan->status, scan->multiplier_v > 0, out);
}

static void list_mode(struct assay_frame *out, enum rga_mode mode)
{
	set_text(out, "scan_mode", mode == RGA_SERIES ? "selected ion monitoring" : "scan");
	set_text(out, "representation", mode == RGA_ANALOG ? "profile" : "centroid");
}

int rga_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	struct blocks blocks;
	struct rga_scan scan;
	double pa_per_count = 0;
	int r = find_blocks(in, &blocks);
	if (r == 0)
		r = rga_scan_read(
			in->host, (const char *)blocks.replies->data, blocks.replies->len, &scan);
	if (r < 0)
		return r;
	size_t points = scan.points * RGA_WORD, len = blocks.scan->len;
	bool has_total = scan.mode != RGA_SERIES || scan.total_pressure;
	bool whole = len == points + (has_total ? RGA_WORD : 0);
	if (len < points || (!whole && scan.mode == RGA_SERIES))
		return -EBADMSG;

	assay_frame_kind(out, ASSAY_SPECTRUM);
	list_mode(out, scan.mode);
	add_axis(out, &scan);
	r = add_currents(out, blocks.scan->data, scan.points);
	const char *conversion = assay_text(in->settings, "convert");
	if (r == 0 && conversion != NULL && strcmp(conversion, "partial_pressure") == 0)
		r = convert(in, out, &blocks, &scan, &pa_per_count);
	if (r < 0)
		return r;
	if (whole && scan.total_pressure)
		add_total_pressure(out, rga_word(blocks.scan->data, scan.points), pa_per_count);
	if (!whole)
		assay_frame_quality(out, ASSAY_BAD, "truncated");
	add_status(out, &scan);
	return 0;
}

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

/* Adds counts / divisor * factor of each point. */
static int add_points(struct assay_frame *out, const char *name, const char *unit,
	const uint8_t *bytes, size_t n, double divisor, double factor)
{
	double *values = assay_frame_scratch(out, n * sizeof(*values));
	if (values == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		values[i] = rga_word(bytes, i) / divisor * factor;
	struct assay_variable v = {.name = name,
		.role = ASSAY_DATA,
		.dims = {"mz"},
		.unit = unit,
		.type = ASSAY_F64,
		.data = values,
		.count = n};
	assay_frame_add(out, &v);
	return 0;
}

static void set_text(struct assay_frame *out, const char *name, const char *text)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_TEXT, .text = text};
	assay_frame_setting(out, name, &v);
}

/* Lists the factors as the head sent them, so that the conversion can be checked by hand. */
static void list_conversion(
	const struct assay_decoding *in, struct assay_frame *out, const struct blocks *blocks)
{
	static const char *const queries[] = {"SP?", "ST?", "MG?", "HV?", "MV?", "FL?"};
	char text[200] = "counts * 1e-13 / SP [* 1/(1000 MG)] Torr, 133.322 Pa/Torr:";
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
	char why[128], text[160];
	if (!rga_sensitivity_holds(in->host, (const char *)blocks->replies->data,
		    blocks->replies->len, in->settings, scan->multiplier_v, why, sizeof(why))) {
		snprintf(text, sizeof(text), "not converted: %s", why);
		set_text(out, "pressure_conversion", text);
		assay_frame_quality(out, ASSAY_SUSPECT, "cal-settings");
		return 0;
	}
	int r = rga_sensitivity_read(in->host, (const char *)blocks->replies->data,
		blocks->replies->len, scan->multiplier_v, &s);
	if (r < 0)
		return r;
	r = add_points(
		out, "partial_pressure", "Pa", blocks->scan->data, scan->points, 1, s.pa_per_count);
	if (r < 0)
		return r;
	list_conversion(in, out, blocks);
	*total_factor = s.total_pa_per_count;
	return 0;
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
	rga_status_quality(&scan->status, scan->multiplier_v > 0, out);
}

int rga_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	struct blocks blocks = {NULL, NULL};
	struct rga_scan scan;
	double pa_per_count = 0;
	for (size_t i = 0; i < in->raw_count; i++) {
		if (strcmp(in->raw[i].media, RGA_MEDIA_REPLIES) == 0)
			blocks.replies = &in->raw[i];
		else if (strcmp(in->raw[i].media, RGA_MEDIA_SCAN) == 0)
			blocks.scan = &in->raw[i];
	}
	if (blocks.replies == NULL || blocks.scan == NULL)
		return -EBADMSG;
	int r = rga_scan_read(
		in->host, (const char *)blocks.replies->data, blocks.replies->len, &scan);
	if (r < 0)
		return r;
	size_t points = scan.points * RGA_WORD, len = blocks.scan->len;
	bool has_total = scan.mode != RGA_SERIES || scan.total_pressure;
	size_t whole_len = points + (has_total ? RGA_WORD : 0);
	bool whole = len == whole_len;
	if (len < points || (!whole && scan.mode == RGA_SERIES))
		return -EBADMSG;

	assay_frame_kind(out, ASSAY_SPECTRUM);
	/* The words have no checksum: only their number is known to be right. */
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	set_text(out, "scan_mode", scan.mode == RGA_SERIES ? "selected ion monitoring" : "scan");
	set_text(out, "representation", scan.mode == RGA_ANALOG ? "profile" : "centroid");
	add_axis(out, &scan);
	struct assay_variable scale = {.type = ASSAY_SCALAR_FLOAT, .real = 1e-16, .unit = "A"};
	assay_frame_setting(out, "ion_current_scale", &scale);
	r = add_points(
		out, "ion_current", "A", blocks.scan->data, scan.points, RGA_COUNTS_PER_A, 1);
	const char *conversion = assay_text(in->settings, "convert");
	if (r == 0 && conversion != NULL && strcmp(conversion, "partial_pressure") == 0)
		r = convert(in, out, &blocks, &scan, &pa_per_count);
	if (r < 0)
		return r;
	if (whole && scan.total_pressure) {
		int32_t counts = rga_word(blocks.scan->data, scan.points);
		assay_add_float(
			out, "total_pressure_current", ASSAY_AUX, counts / RGA_COUNTS_PER_A, "A");
		if (pa_per_count > 0)
			assay_add_float(
				out, "total_pressure", ASSAY_AUX, counts * pa_per_count, "Pa");
	}
	if (!whole)
		assay_frame_quality(out, ASSAY_BAD, len < whole_len ? "truncated" : "malformed");
	add_status(out, &scan);
	return 0;
}

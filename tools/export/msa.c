/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EMSA/MAS (ISO 22029): one X-ray spectrum per file.  Readers split lines at ": ", so that no value
 * has it, and fields have at most 64 characters.
 */
#include "cell.h"
#include "xray.h"

#define FIELD 64

static const char *const marks[] = {": ", NULL};

static void put_field(struct buffer *to, const char *keyword, const char *text)
{
	cell_put(to, "#%-12s: ", keyword);
	facts_put_ascii(to, text, marks, FIELD);
	cell_put(to, "\r\n");
}

static void put_number(struct buffer *to, const char *keyword, double number)
{
	cell_put(to, "#%-12s: ", keyword);
	cell_put_number(to, number);
	cell_put(to, "\r\n");
}

static void put_heading(struct buffer *to, const struct facts *facts,
	const struct assay_frame_view *frame, const struct xray *x)
{
	static const struct facts_style comments = {"#COMMENT     : ", " = ", "\r\n", marks, 45};
	put_field(to, "FORMAT", "EMSA/MAS Spectral Data File");
	put_field(to, "VERSION", "1.0");
	cell_put(to, "#TITLE       : ");
	facts_put_title(to, facts, marks, FIELD);
	cell_put(to, "\r\n#DATE        : ");
	xray_put_time(to, x, XRAY_DAY);
	cell_put(to, "\r\n#TIME        : ");
	xray_put_time(to, x, XRAY_HOUR);
	cell_put(to, "\r\n");
	put_field(to, "OWNER", facts->texts[FACT_LABORATORY]);
	cell_put(to, "#NPOINTS     : %zu.\r\n", x->spectrum.count);
	put_field(to, "NCOLUMNS", "1.");
	put_field(to, "XUNITS", x->is_calibrated ? "keV" : "channel");
	put_field(to, "YUNITS", "counts");
	put_field(to, "DATATYPE", "Y");
	put_number(to, "XPERCHAN", x->is_calibrated ? x->gain : 1);
	put_number(to, "OFFSET", x->is_calibrated ? x->zero : 0);
	put_field(to, "SIGNALTYPE", "XRF");
	if (x->live > 0)
		put_number(to, "LIVETIME", x->live);
	if (x->real > 0)
		put_number(to, "REALTIME", x->real);
	/* The 64 digits are a field, and do not fit a comment. */
	put_field(to, "#SHA256", facts_digest(facts));
	facts_put_comments(to, facts, frame, &comments);
	put_field(to, "SPECTRUM", "Spectral Data Starts Here");
}

static int put_entry(struct export *e, const struct export_item *item)
{
	struct xray x;
	int r = xray_take(e, item, false, &x);
	if (r <= 0)
		return r;
	put_heading(&e->to, &e->about, &item->frame, &x);
	for (size_t i = 0; i < x.spectrum.count; i++) {
		cell_put_number(&e->to, assay_var_number(&x.spectrum.y, i));
		cell_put(&e->to, ",\r\n");
	}
	put_field(&e->to, "ENDOFDATA", "");
	return 0;
}

const struct export_format export_msa = {.survey = facts_only,
	.entry = put_entry,
	.lacks = "settings and setup of the instrument; other variables than counts; seconds of "
		 "the time"};

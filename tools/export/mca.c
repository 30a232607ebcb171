/* SPDX-License-Identifier: Apache-2.0 */
/* MCA of Amptek's DppMCA: one X-ray spectrum per file. */
#include <stdio.h>

#include "cell.h"
#include "xray.h"

#define LINE 1000

static const char *const marks[] = {"<<", ">>", " - ", NULL};

/* 0 is 256 channels, 5 is 8192; -1: the format has no number for so many. */
static int gain_of(size_t channels)
{
	int gain = 0;
	while (gain < 6 && channels != (size_t)256 << gain)
		gain++;
	return gain < 6 ? gain : -1;
}

static void put_number(struct buffer *to, const char *before, double number)
{
	cell_put(to, "%s ", before);
	cell_put_number(to, number);
	cell_put(to, "\r\n");
}

static void put_heading(struct buffer *to, const struct facts *facts,
	const struct assay_frame_view *frame, const struct xray *x)
{
	static const struct facts_style comments = {"", "= ", "; ", marks, LINE};
	int gain = gain_of(x->spectrum.count);
	cell_put(to, "<<PMCA SPECTRUM>>\r\nTAG - ");
	facts_put_title(to, facts, marks, LINE);
	cell_put(to, "\r\nDESCRIPTION - ");
	facts_put_comments(to, facts, frame, &comments);
	cell_put(to, "\r\n");
	if (gain >= 0)
		cell_put(to, "GAIN - %d\r\n", gain);
	if (x->live > 0)
		put_number(to, "LIVE_TIME -", x->live);
	if (x->real > 0)
		put_number(to, "REAL_TIME -", x->real);
	cell_put(to, "START_TIME - ");
	xray_put_time(to, x, XRAY_US);
	cell_put(to, "\r\nSERIAL_NUMBER - ");
	facts_put_ascii(to, facts->texts[FACT_SERIAL], marks, LINE);
	cell_put(to, "\r\n");
	if (!x->is_calibrated)
		return;
	char last[24];
	snprintf(last, sizeof last, "%zu", x->spectrum.count - 1);
	cell_put(to, "<<CALIBRATION>>\r\nLABEL - keV\r\n");
	put_number(to, "0", x->zero);
	put_number(to, last, assay_var_number(&x->spectrum.x, x->spectrum.count - 1));
}

static int put_entry(struct export *e, const struct export_item *item)
{
	struct xray x;
	int r = xray_take(e, item, true, &x);
	if (r <= 0)
		return r;
	put_heading(&e->to, &e->about, &item->frame, &x);
	cell_put(&e->to, "<<DATA>>\r\n");
	for (size_t i = 0; i < x.spectrum.count; i++)
		cell_put(&e->to, "%.0f\r\n", assay_var_number(&x.spectrum.y, i));
	cell_put(&e->to, "<<END>>\r\n");
	return 0;
}

const struct export_format export_mca = {.survey = facts_only,
	.entry = put_entry,
	.lacks = "settings and setup of the instrument; other variables than counts"};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IAEA SPE: one X-ray spectrum per file.  Readers stop reading the headings at $DATA, and take
 * numbers only from the line of the calibration.
 */
#include "cell.h"
#include "xray.h"

#define LINE 120

static const char *const marks[] = {"$", NULL};

static void put_numbers(struct buffer *to, const char *block, double a, double b)
{
	cell_put(to, "$%s\r\n", block);
	cell_put_number(to, a);
	cell_put(to, " ");
	cell_put_number(to, b);
	cell_put(to, "\r\n");
}

static void put_heading(struct buffer *to, const struct facts *facts,
	const struct assay_frame_view *frame, const struct xray *x)
{
	static const struct facts_style comments = {"", "= ", "\r\n", marks, LINE};
	cell_put(to, "$SPEC_ID:\r\n");
	facts_put_title(to, facts, marks, LINE);
	cell_put(to, "\r\n$SPEC_REM:\r\n");
	facts_put_comments(to, facts, frame, &comments);
	cell_put(to, "$DATE_MEA:\r\n");
	xray_put_time(to, x, XRAY_US);
	cell_put(to, "\r\n");
	if (x->live > 0 && x->real > 0)
		put_numbers(to, "MEAS_TIM:", x->live, x->real);
	if (x->is_calibrated) {
		cell_put(to, "$MCA_CAL:\r\n3\r\n%.16e %.16e %.16e\r\n", x->zero, x->gain, 0.0);
		put_numbers(to, "ENER_FIT:", x->zero, x->gain);
	}
}

static int put_entry(struct export *e, const struct export_item *item)
{
	struct xray x;
	int r = xray_take(e, item, true, &x);
	if (r <= 0)
		return r;
	put_heading(&e->to, &e->about, &item->frame, &x);
	cell_put(&e->to, "$DATA:\r\n0 %zu\r\n", x.spectrum.count - 1);
	for (size_t i = 0; i < x.spectrum.count; i++)
		cell_put(&e->to, "%8.0f\r\n", assay_var_number(&x.spectrum.y, i));
	cell_put(&e->to, "$ENDRECORD:\r\n");
	return 0;
}

const struct export_format export_spe = {.survey = facts_only,
	.entry = put_entry,
	.lacks = "settings and setup of the instrument; other variables than counts"};

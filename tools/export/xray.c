/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <time.h>

#include "base/clock.h"
#include "cell.h"
#include "xray.h"

static double positive(double seconds)
{
	return seconds > 0 && isfinite(seconds) ? seconds : 0;
}

static bool find_counts(const struct assay_frame_view *frame, struct spectrum *s)
{
	for (size_t i = 0; spectrum_at(frame, i, s) == 0; i++) {
		if (assay_string_is(s->y.name, "counts") &&
			(spectrum_is_over(s, "energy") || spectrum_is_over(s, "channel")))
			return true;
	}
	return false;
}

static bool is_whole(const struct spectrum *s)
{
	for (size_t i = 0; i < s->count; i++) {
		double count = assay_var_number(&s->y, i);
		if (!(count >= 0 && count <= 0x1p53 && fpclassify(count - floor(count)) == FP_ZERO))
			return false;
	}
	return true;
}

int xray_take(struct export *e, const struct export_item *item, bool of_integers, struct xray *x)
{
	const struct assay_frame_view *frame = &item->frame;
	bool is_new;
	*x = (struct xray){0};
	if (!item->is_frame)
		return 0;
	if (!find_counts(frame, &x->spectrum)) {
		export_note(e, "frames of another kind left out: no counts per channel", 1);
		return 0;
	}
	if (!spectrum_is_finite(&x->spectrum)) {
		export_note(e, "spectra left out: they have values that are not numbers", 1);
		return 0;
	}
	if (of_integers && !is_whole(&x->spectrum)) {
		export_note(e, "spectra left out: they have counts that are not whole", 1);
		return 0;
	}
	x->is_calibrated = x->spectrum.count > 1 && spectrum_is_over(&x->spectrum, "energy") &&
			   assay_string_is(x->spectrum.x.unit, "keV") &&
			   spectrum_is_linear(&x->spectrum, &x->zero, &x->gain);
	if (spectrum_is_over(&x->spectrum, "energy") && !x->is_calibrated)
		export_note(e, "energy axes left out: they have no equal steps in keV", 1);
	x->live = positive(spectrum_fact(frame, "live_time"));
	x->real = positive(spectrum_fact(frame, "real_time"));
	uint64_t length = (uint64_t)(x->real * (double)NS_PER_S);
	x->start = frame->record.t.utc - (length < frame->record.t.utc ? length : 0);
	int r = export_choose_file(e, frame->record.n + 1, &is_new);
	return r < 0 ? r : 1;
}

void xray_put_time(struct buffer *to, const struct xray *x, enum xray_time form)
{
	char text[40];
	struct tm tm;
	time_t seconds = (time_t)(x->start / NS_PER_S);
	gmtime_r(&seconds, &tm);
	if (form == XRAY_DAY)
		strftime(text, sizeof text, "%d-%b-%Y", &tm);
	else if (form == XRAY_HOUR)
		strftime(text, sizeof text, "%H:%M", &tm);
	else
		strftime(text, sizeof text, "%m/%d/%Y %H:%M:%S", &tm);
	cell_put(to, "%s", text);
}

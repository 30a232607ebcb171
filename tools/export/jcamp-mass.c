/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "jcamp.h"

static double seconds_of(const struct export *e, const struct assay_frame_view *frame)
{
	double retention = spectrum_fact(frame, "retention_time");
	if (retention >= 0)
		return retention;
	return ((double)frame->record.t.utc - (double)e->about.started) / (double)NS_PER_S;
}

void jcamp_put_peaks(
	struct export *e, const struct assay_frame_view *frame, const struct spectrum *s)
{
	struct buffer *to = &e->to;
	jcamp_put_heading(e, "5.01", "MASS SPECTRUM", "", frame);
	cell_put(to, "##DATA CLASS= PEAK TABLE\r\n##$ASSAYD UNIT= %.*s\r\n", (int)s->y.unit.len,
		s->y.unit.data);
	jcamp_put_units(to, "XUNITS", &s->x);
	jcamp_put_units(to, "YUNITS", &s->y);
	jcamp_put_number(to, "XFACTOR", 1);
	jcamp_put_number(to, "YFACTOR", 1);
	cell_put(to, "##NPOINTS= %zu\r\n##PEAK TABLE= (XY..XY)\r\n", jcamp_points(s));
	jcamp_put_pairs(to, s, 1);
	cell_put(to, "##END=\r\n");
}

void jcamp_put_tuples(struct export *e)
{
	jcamp_put_heading(e, "5.01", "MASS SPECTRUM", "", NULL);
	cell_put(&e->to, "##DATA CLASS= NTUPLES\r\n##NTUPLES= MASS SPECTRUM\r\n"
			 "##VAR_NAME= MASS, INTENSITY, RETENTION TIME\r\n##SYMBOL= X, Y, T\r\n"
			 "##VAR_TYPE= INDEPENDENT, DEPENDENT, INDEPENDENT\r\n"
			 "##VAR_FORM= AFFN, AFFN, AFFN\r\n");
	cell_put(&e->to, "##VAR_DIM= , , %llu\r\n##UNITS= M/Z, RELATIVE ABUNDANCE, SECONDS\r\n",
		(unsigned long long)e->step);
}

void jcamp_put_page(
	struct export *e, const struct assay_frame_view *frame, const struct spectrum *s)
{
	cell_put(&e->to, "##PAGE= T= %.9g\r\n##NPOINTS= %zu\r\n##DATA TABLE= (XY..XY), PEAKS\r\n",
		seconds_of(e, frame), jcamp_points(s));
	jcamp_put_pairs(&e->to, s, 1);
}

void jcamp_end_tuples(struct export *e)
{
	cell_put(&e->to, "##END NTUPLES= MASS SPECTRUM\r\n##END=\r\n");
}

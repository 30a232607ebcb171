/* SPDX-License-Identifier: Apache-2.0 */
/* JCAMP-DX: jcamp.c has the file and spectra of light, jcamp-mass.c mass spectra, jcamp-label.c labels. */
#ifndef ASSAY_EXPORT_JCAMP_H
#define ASSAY_EXPORT_JCAMP_H

#include "cell.h"
#include "export.h"
#include "spectrum.h"

#define JCAMP_LINE 78 /* characters */

/* "##LABEL= text"; a long text goes on in the next lines. */
void jcamp_put_label(struct buffer *to, const char *label, const char *text);

/*
 * The labels that all blocks begin with, up to the axes.  `content`: words for the title, such as
 * "absorbance"; `frame`: NULL for a block of the whole run.
 */
void jcamp_put_heading(struct export *e, const char *version, const char *type, const char *content,
	const struct assay_frame_view *frame);

/* "##YUNITS= ABSORBANCE"; arbitrary units if the list of names has no label for it in its unit. */
void jcamp_put_units(struct buffer *to, const char *label, const struct assay_var_view *var);

/* "##YFACTOR= 0.5" */
void jcamp_put_number(struct buffer *to, const char *label, double number);

/* One scan as a table of peaks; several as NTUPLES: the beginning, a page each, the end. */
void jcamp_put_peaks(
	struct export *e, const struct assay_frame_view *frame, const struct spectrum *s);
void jcamp_put_tuples(struct export *e);
void jcamp_put_page(
	struct export *e, const struct assay_frame_view *frame, const struct spectrum *s);
void jcamp_end_tuples(struct export *e);

/* Points of which both numbers are finite. */
size_t jcamp_points(const struct spectrum *s);

/* "x, y" per line; points that are not finite are left out. */
void jcamp_put_pairs(struct buffer *to, const struct spectrum *s, double factor);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run of a mass spectrometer or a chromatograph, as mzML, ANDI and MSP see it: scans, which are
 * spectra over m/z, and traces.  A survey counts the scans and keeps the traces; the points of the
 * scans come again in the second pass.
 */
#ifndef ASSAY_EXPORT_MASS_H
#define ASSAY_EXPORT_MASS_H

#include "export.h"
#include "trace.h"

/* A scan; its views borrow from the frame's bytes.  Only its finite points count. */
struct mass_scan {
	const struct assay_frame_view *frame;
	struct assay_var_view mz, intensity;
	size_t points, at;
	double time; /* s: from injection as the instrument reports it, else from the run's start */
	double total; /* as the instrument reports it, else the sum of the intensities */
	double base_mz, base, mz_least, mz_most; /* 0 without points */
	double window_first, window_last;        /* the range that was scanned */
	bool is_profile, is_negative;
};

struct mass_row {
	uint64_t n, points;
	double time, total, mz_least, mz_most;
};

struct mass_run {
	struct buffer rows; /* struct mass_row: the scans in the order of their frames */
	size_t count, profiles;
	uint64_t points;
	char name[TRACE_TEXT], unit[TRACE_TEXT]; /* of the intensities */
	struct traces traces;
	size_t done;   /* of the traces, by a format that writes a file for each */
	uint64_t mono; /* of the run's start; 0: not known */
	double window_first, window_last;
	bool is_negative;
	void *more; /* of the format, which frees it before mass_forget() */
};

/*
 * For survey(): adds the entry to e->own, which is a struct mass_run, and frees it.  The notes count
 * what is neither a scan nor a trace.  0 or -ENOMEM.
 */
int mass_take(struct export *e, const struct export_item *item);
void mass_forget(struct export *e);

/* Row i < mass->count. */
const struct mass_row *mass_row(const struct mass_run *mass, size_t i);

/* False if the entry is no scan that the survey counted. */
bool mass_read(const struct export *e, const struct export_item *item, struct mass_scan *scan);

/* The next point; false after the last one.  `scan->at` = 0 starts again. */
bool mass_next(struct mass_scan *scan, double *mz, double *intensity);

#endif

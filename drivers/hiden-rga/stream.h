/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data of one cycle: the replies to `data all` and `data`, joined by line feeds, which may be
 * within a number.  Pure.
 *
 *	sweep, report 5    [{1.00: 1.25e-09,2.00:-3.0e-10,}]   mass:value
 *	series, report 17  [/100/1.25,/105/2.50,]              /milliseconds/value
 *
 * Error codes stand between them: *C110* is the end of the data, *P111* to *P115* are protection trips.
 * `!` after the cycle is the end, too.
 */
#ifndef ASSAY_HIDEN_RGA_STREAM_H
#define ASSAY_HIDEN_RGA_STREAM_H

#include <assay/driver.h>

#define HIDEN_POINTS_MAX 10000
#define HIDEN_TEXT_MAX   (HIDEN_POINTS_MAX * 34 + 4096)
#define HIDEN_WHY_MAX    160

/* The masses that a scan measures. */
struct hiden_grid {
	bool is_series;
	size_t points;
	int first, step; /* of a sweep, in 0.01 u */
};

void hiden_grid_read(const struct assay_settings *settings, struct hiden_grid *grid);

/* How far a text goes, without a check of its form. */
struct hiden_progress {
	size_t values, cycles; /* commas; whole cycles */
	bool is_over;          /* the unit has no more data */
	int trip, error;       /* the codes of the last *P and *C other than 110; 0: none */
};

void hiden_stream_look(const char *text, size_t len, struct hiden_progress *progress);

/*
 * Reads a whole cycle, the only one in the text: each mass is that of the grid, and none lacks.
 * `values` and `elapsed` (milliseconds, of a series) have room for the grid's points, or are NULL.
 * Returns 0, or -EBADMSG with the reason in `why`.
 */
int hiden_stream_read(const struct assay_host *host, const struct hiden_grid *grid,
	const char *text, size_t len, double *values, int32_t *elapsed, char why[HIDEN_WHY_MAX]);

#endif

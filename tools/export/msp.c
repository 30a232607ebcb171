/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scans of runs as NIST MSP, for searches in libraries of mass spectra: text lines with CRLF,
 * ASCII, the largest peak 999.  Peaks that are not above 0 are noise and have no place there.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cell.h"
#include "mass.h"

#define NAME_MAX_LEN 500 /* NIST's limit is 511 */
#define TEXT_MAX     120
#define BASE         999

static const char *const no_marks[] = {NULL};

/* A number without exponent and without zeros at its end. */
static void put_plain(struct buffer *to, double value, int digits)
{
	char text[400];
	int len = snprintf(text, sizeof text, "%.*f", digits, value);
	if (len < 0 || (size_t)len >= sizeof text)
		return;
	while (text[len - 1] == '0')
		len--;
	len -= text[len - 1] == '.';
	buffer_append(to, text, (size_t)len);
}

static void put_comment(struct export *e, const struct mass_scan *scan)
{
	static const enum fact_id shown[] = {FACT_RUN, FACT_SIMULATED, FACT_NOT_VALID, FACT_STATUS,
		FACT_SAMPLE, FACT_STARTED, FACT_INSTRUMENT, FACT_CORRECTED, FACT_DIGEST,
		FACT_PROGRAM};
	struct buffer *to = &e->to, quality = {0};
	cell_put(to, "Comment: ");
	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		const char *text = e->about.texts[shown[i]];
		if (text[0] == '\0')
			continue;
		cell_put(to, "%s: ", fact_names[shown[i]]);
		facts_put_ascii(to, text, no_marks, TEXT_MAX);
		cell_put(to, "; ");
	}
	facts_put_quality(&quality, scan->frame);
	buffer_append(&quality, "", 1);
	cell_put(to, "quality: %s; RT: ", quality.failed ? "" : (const char *)quality.data);
	put_plain(to, scan->time / 60, 6);
	cell_put(to, " min; 999 is %.9g ", scan->base);
	facts_put_ascii(to, ((const struct mass_run *)e->own)->unit, no_marks, TEXT_MAX);
	cell_put(to, "\r\n");
	to->failed |= quality.failed;
	buffer_finish(&quality);
}

static void put_peaks(struct export *e, struct mass_scan *scan)
{
	struct buffer peaks = {0};
	double mz, intensity;
	size_t count = 0;
	while (mass_next(scan, &mz, &intensity)) {
		double scaled = intensity / scan->base * BASE;
		if (!(scaled >= 1e-6))
			continue;
		put_plain(&peaks, mz, 4);
		cell_put(&peaks, " ");
		put_plain(&peaks, scaled, 6);
		cell_put(&peaks, "\r\n");
		count++;
	}
	cell_put(&e->to, "Num Peaks: %zu\r\n", count);
	buffer_append(&e->to, peaks.data, peaks.len);
	cell_put(&e->to, "\r\n");
	e->to.failed |= peaks.failed;
	buffer_finish(&peaks);
}

static int put_entry(struct export *e, const struct export_item *item)
{
	struct mass_scan scan;
	uint64_t number = item->frame.record.n + 1;
	bool is_wanted = e->scan_last == 0 || (number >= e->scan_first && number <= e->scan_last);
	if (!is_wanted || !mass_read(e, item, &scan))
		return 0;
	if (scan.is_profile) {
		export_note(e, "profiles left out: MSP has peaks only", 1);
		return 0;
	}
	if (!(scan.base > 0)) {
		export_note(e, "scans without a peak above 0 left out", 1);
		return 0;
	}
	cell_put(&e->to, "Name: ");
	facts_put_title(&e->to, &e->about, no_marks, NAME_MAX_LEN - TEXT_MAX);
	cell_put(&e->to, " scan %" PRIu64 "\r\n", number);
	put_comment(e, &scan);
	put_peaks(e, &scan);
	e->tables.of[0].rows++;
	return 0;
}

const struct export_format export_msp = {.survey = mass_take,
	.entry = put_entry,
	.forget = mass_forget,
	.lacks = "raw bytes; peaks not above 0; flags and uncertainties of single values; all but "
		 "the "
		 "first data of a scan; characters that are not ASCII"};

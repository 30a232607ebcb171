/* SPDX-License-Identifier: Apache-2.0 */
#include "measurement.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Distance of the greatest value from the stated centre burst that is still the burst. */
#define BURST_POINTS 64

static int refuse(char *why, const char *text)
{
	snprintf(why, WHY_MAX, "%s", text);
	return -EBADMSG;
}

static double number(struct opus_block block, const char *name)
{
	double value;
	return opus_number(block, name, &value) ? value : 0;
}

/* A count; 0 if it is none. */
static int64_t whole(struct opus_block block, const char *name)
{
	double value = number(block, name);
	return value >= 0 && value <= INT32_MAX ? (int64_t)value : 0;
}

/* The index of the value that is farthest from the mean. */
static size_t find_burst(const struct scan *scan)
{
	double sum = 0, greatest = -1;
	size_t at = 0;
	for (size_t i = 0; i < scan->count; i++)
		sum += (double)opus_value(scan->numbers, i);
	for (size_t i = 0; i < scan->count; i++) {
		double away = fabs(
			(double)opus_value(scan->numbers, i) - sum / (double)scan->count);
		if (away > greatest) {
			greatest = away;
			at = i;
		}
	}
	return at;
}

/* Takes the stated centre burst of a scan, else the greatest value.  False if they disagree. */
static bool place_burst(struct scan *scan, struct opus_block instrument, const char *name)
{
	double stated;
	scan->peak = find_burst(scan);
	if (!opus_number(instrument, name, &stated) || stated < 0)
		return true;
	if (fabs(stated - (double)scan->peak) > BURST_POINTS || stated >= (double)scan->count)
		return false;
	scan->peak = (size_t)stated;
	return true;
}

/* Whether `stated` is the value of the stored `bits`; absent is no contradiction. */
static bool agrees(struct opus_block about, const char *name, double value)
{
	double stated;
	return !opus_number(about, name, &stated) || fabs(stated - value) <= 1e-6 * fabs(stated);
}

/* The file states the greatest and the least value: the only sum over its numbers. */
static bool check_numbers(const struct measurement *m, struct opus_block about)
{
	double least = INFINITY, greatest = -INFINITY;
	for (size_t s = 0; s < m->scan_count; s++) {
		for (size_t i = 0; i < m->scans[s].count; i++) {
			double value = (double)opus_value(m->scans[s].numbers, i) * m->factor;
			if (!isfinite(value))
				return false;
			least = fmin(least, value);
			greatest = fmax(greatest, value);
		}
	}
	return agrees(about, "MXY", greatest) && agrees(about, "MNY", least);
}

/* A file of scans in both directions has the backward points after the forward ones. */
static int split(struct measurement *m, struct opus_block numbers, size_t count, bool has_backward,
	char *why)
{
	if (has_backward && count % 2 != 0)
		return refuse(why, "scans in both directions with an odd number of points");
	m->scan_count = has_backward ? 2 : 1;
	for (size_t s = 0; s < m->scan_count; s++) {
		m->scans[s].count = count / m->scan_count;
		m->scans[s].numbers = numbers.bytes + 4 * s * m->scans[s].count;
	}
	return 0;
}

/*
 * The highest wavenumber.  One point per zero of the laser's fringes, or each n-th, or n of them:
 * the folding limit is the laser's wavenumber, an n-th, or n times it.  Others, and bands that do
 * not start at 0, are left to the reader of the interferogram.
 */
static double limit_of(struct opus_block instrument, double laser)
{
	double high = number(instrument, "HFL"), ratio = high < laser ? laser / high : high / laser;
	bool is_whole = fabs(ratio - round(ratio)) < 1e-6;
	return high > 0 && laser > 0 && is_whole && number(instrument, "LFL") == 0 ? high : 0;
}

static void read_range(
	struct measurement *m, struct opus_block fourier, struct opus_block acquisition)
{
	double a = number(fourier, "HFQ"), b = number(fourier, "LFQ");
	if (!(fmax(a, b) > 0)) {
		a = number(acquisition, "HFW");
		b = number(acquisition, "LFW");
	}
	m->low = fmin(a, b); /* files are found with the names exchanged */
	m->high = fmax(a, b);
}

static void read_parameters(const struct opus *file, enum opus_of of, struct measurement *m)
{
	struct opus_block instrument = opus_find_parameters(file, of, OPUS_INSTRUMENT);
	struct opus_block acquisition = opus_find_parameters(file, of, OPUS_ACQUISITION);
	struct opus_block fourier = opus_find_parameters(file, of, OPUS_FOURIER);
	m->laser = number(instrument, "LWN");
	m->limit = limit_of(instrument, m->laser);
	m->coadded = whole(instrument, "GFW") + whole(instrument, "GBW");
	m->resolution = number(acquisition, "RES");
	m->phase_resolution = number(fourier, "PHR");
	if (!(m->phase_resolution > 0))
		m->phase_resolution = number(acquisition, "PHR");
	opus_text(acquisition, "AQM", m->mode, sizeof(m->mode));
	opus_text(fourier, "APF", m->apodization, sizeof(m->apodization));
	opus_text(fourier, "PHZ", m->phase, sizeof(m->phase));
	opus_text(fourier, "ZFF", m->zero_filling, sizeof(m->zero_filling));
	read_range(m, fourier, acquisition);
}

int measurement_read(const struct opus *file, enum opus_of of, struct measurement *m, char *why)
{
	static const char *const peaks[] = {"PKL", "PRL"};
	struct opus_block numbers, about;
	*m = (struct measurement){0};
	size_t found = opus_find_data(file, of, OPUS_INTERFEROGRAM, &numbers, &about);
	if (found != 1 || about.bytes == NULL)
		return refuse(why, found > 1 ? "the file has several interferograms, expected one"
					     : "the file has no interferogram with its parameters");
	double points = number(about, "NPT");
	if (!(points >= 2) || points > (double)(numbers.len / 4))
		return refuse(why, "the file has fewer points than it states, or fewer than 2");
	struct opus_block instrument = opus_find_parameters(file, of, OPUS_INSTRUMENT);
	int r = split(m, numbers, (size_t)points, number(instrument, "GBW") > 0, why);
	if (r < 0)
		return r;
	m->factor = number(about, "CSF");
	if (!(fabs(m->factor) > 0))
		return refuse(why, "the file has no factor CSF of its values");
	read_parameters(file, of, m);
	m->is_intact = check_numbers(m, about);
	for (size_t s = 0; s < m->scan_count; s++)
		m->is_intact = place_burst(&m->scans[s], instrument, peaks[s]) && m->is_intact;
	char day[24] = "", hour[32] = "";
	if (opus_text(about, "DAT", day, sizeof(day)) &&
		opus_text(about, "TIM", hour, sizeof(hour)))
		snprintf(m->time, sizeof(m->time), "%s %s", day, hour);
	return 0;
}

int measurement_open(struct measurement *m, const uint8_t *bytes, size_t len, char *why)
{
	struct opus file;
	if (opus_open(&file, bytes, len) < 0)
		return refuse(why, "no complete OPUS file");
	return measurement_read(&file, OPUS_SAMPLE, m, why);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "replies.h"

#define EMISSION_LEAST    0.02 /* mA; the head regulates to some percent */
#define EMISSION_MARGIN   0.1
#define SENSITIVITY_LEAST 1e-4  /* mA/Torr: smaller ones are replaced by this, as SRS does */
#define TORR_PER_COUNT    1e-13 /* at 1 mA/Torr: 1e-16 A / 1e-3 A/mA */
#define PA_PER_TORR       (101325.0 / 760.0)
#define MULTIPLIER_ON_V   10.0
#define GAIN_LEAST        1e-4 /* MG is the gain / 1000 with four decimals: less means not stored */

static int find_number(const struct assay_host *host, const char *text, size_t len,
	const char *command, double *out)
{
	size_t size;
	const char *reply = rga_replies_find(text, len, command, &size);
	return reply != NULL ? assay_parse_number(host, reply, size, out) : -EBADMSG;
}

static int find_integer(const struct assay_host *host, const char *text, size_t len,
	const char *command, int64_t min, int64_t max, int64_t *out)
{
	double v;
	if (find_number(host, text, len, command, &v) < 0 || v < (double)min || v > (double)max)
		return -EBADMSG;
	*out = (int64_t)v;
	return (double)*out == v ? 0 : -EBADMSG;
}

static int read_range(const struct assay_host *host, const char *text, size_t len,
	const char *count, struct rga_scan *scan)
{
	int64_t points, first, last, per_u = 1;
	if (find_integer(host, text, len, count, 1, RGA_POINTS_MAX, &points) < 0 ||
		find_integer(host, text, len, "MI?", 1, RGA_MASS_MAX, &first) < 0 ||
		find_integer(host, text, len, "MF?", first, RGA_MASS_MAX, &last) < 0)
		return -EBADMSG;
	if (scan->mode == RGA_ANALOG && find_integer(host, text, len, "SA?", 10, 25, &per_u) < 0)
		return -EBADMSG;
	if (points != (last - first) * per_u + 1)
		return -EBADMSG;
	scan->points = (size_t)points;
	scan->first = (unsigned)first;
	scan->per_u = (unsigned)per_u;
	return 0;
}

static int read_masses(
	const struct assay_host *host, const char *list, size_t len, struct rga_scan *scan)
{
	while (len > 0) {
		const char *end = memchr(list, ' ', len);
		size_t n = end != NULL ? (size_t)(end - list) : len;
		double mass;
		if (scan->points == RGA_MASS_MAX || assay_parse_number(host, list, n, &mass) < 0 ||
			!(mass >= 1) || mass > RGA_MASS_MAX)
			return -EBADMSG;
		if (scan->points > 0 && mass <= scan->masses[scan->points - 1])
			return -EBADMSG;
		scan->masses[scan->points++] = mass;
		n += end != NULL;
		list += n;
		len -= n;
	}
	return scan->points > 0 ? 0 : -EBADMSG;
}

int rga_scan_read(
	const struct assay_host *host, const char *replies, size_t len, struct rga_scan *scan)
{
	size_t size;
	*scan = (struct rga_scan){0};
	scan->total_pressure = rga_replies_find(replies, len, "TP1", &size) != NULL;
	if (rga_replies_find(replies, len, "HV?", &size) != NULL &&
		find_number(host, replies, len, "HV?", &scan->multiplier_v) < 0)
		return -EBADMSG;
	int64_t byte;
	if (find_integer(host, replies, len, "ER?", 0, 255, &byte) == 0)
		scan->status.status = (uint8_t)byte;
	for (unsigned i = 0; i < RGA_DETAILS; i++)
		if (scan->status.status & 1u << rga_details[i].status_bit &&
			find_integer(host, replies, len, rga_details[i].query, 0, 255, &byte) == 0)
			scan->status.detail[i] = (uint8_t)byte;
	const char *masses = rga_replies_find(replies, len, "MR", &size);
	if (masses != NULL) {
		scan->mode = RGA_SERIES;
		return read_masses(host, masses, size, scan);
	}
	bool analog = rga_replies_find(replies, len, "AP?", &size) != NULL;
	scan->mode = analog ? RGA_ANALOG : RGA_HISTOGRAM;
	return read_range(host, replies, len, analog ? "AP?" : "HP?", scan);
}

static double pa_per_count(double sensitivity, double gain)
{
	double s = sensitivity > SENSITIVITY_LEAST ? sensitivity : SENSITIVITY_LEAST;
	return TORR_PER_COUNT / s / gain * PA_PER_TORR;
}

int rga_sensitivity_read(const struct assay_host *host, const char *replies, size_t len,
	double multiplier_v, struct rga_sensitivity *out)
{
	double sp, st, gain = 1;
	if (find_number(host, replies, len, "SP?", &sp) < 0 ||
		find_number(host, replies, len, "ST?", &st) < 0)
		return -EBADMSG;
	if (multiplier_v > MULTIPLIER_ON_V) {
		if (find_number(host, replies, len, "MG?", &gain) < 0 || gain < GAIN_LEAST)
			return -EBADMSG;
		gain *= 1000;
	}
	out->pa_per_count = pa_per_count(sp, gain);
	out->total_pa_per_count = pa_per_count(st, gain);
	return 0;
}

bool rga_sensitivity_holds(const struct assay_host *host, const char *replies, size_t len,
	const struct assay_settings *settings, double multiplier_v, char *why, size_t size)
{
	double emission, stored_v, ma = assay_number(settings, "sensitivity_emission");
	if (find_number(host, replies, len, "FL?", &emission) < 0)
		emission = 0;
	if (fabs(emission - ma) > EMISSION_LEAST + ma * EMISSION_MARGIN) {
		snprintf(why, size, "the emission is %g mA, and the sensitivity holds for %g mA",
			emission, ma);
		return false;
	}
	if (multiplier_v <= MULTIPLIER_ON_V)
		return true;
	if (find_number(host, replies, len, "MV?", &stored_v) < 0) {
		snprintf(why, size, "the multiplier is on, and the voltage of its gain is unknown");
		return false;
	}
	if (fabs(multiplier_v - stored_v) > assay_number(settings, "gain_tolerance")) {
		snprintf(why, size, "the multiplier is at %g V, and its gain is stored for %g V",
			multiplier_v, stored_v);
		return false;
	}
	return true;
}

int32_t rga_word(const uint8_t *bytes, size_t i)
{
	const uint8_t *b = bytes + i * RGA_WORD;
	uint32_t v = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
		     (uint32_t)b[3] << 24;
	return (int32_t)v;
}

static void copy_text(char *to, size_t size, const char *from, size_t len)
{
	len = len < size ? len : size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

int rga_identity_read(const struct assay_host *host, const char *text, struct assay_identity *id,
	unsigned *mass_max)
{
	const char *ver = strstr(text, "VER"), *sn = strstr(text, "SN");
	if (strncmp(text, "SRSRGA", 6) != 0 || ver == NULL || ver == text + 6 || sn == NULL ||
		sn < ver)
		return -EBADMSG;
	int64_t max;
	size_t model = (size_t)(ver - text) - 6;
	bool known = assay_parse_integer(host, text + 6, model, &max) == 0 && max > 0 &&
		     max <= RGA_MASS_MAX;
	*mass_max = known ? (unsigned)max : 0;
	copy_text(id->make, sizeof(id->make), "Stanford Research Systems", 25);
	copy_text(id->model, sizeof(id->model), text + 3, known ? model + 3 : 3);
	copy_text(id->fw, sizeof(id->fw), ver + 3, (size_t)(sn - ver) - 3);
	copy_text(id->serial, sizeof(id->serial), sn + 2, strlen(sn + 2));
	return 0;
}

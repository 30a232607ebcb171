/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "prismapro.h"

#define MS          UINT64_C(1000000)
#define EMISSION_MS 3000
#define SENSITIVITY 1e-4  /* A/Torr */
#define GAIN        1000  /* of the multiplier */
#define NOISE_A     2e-14 /* in 32 ms */
#define NOISE_MS    32

bool prisma_emits(const struct prisma *p, uint64_t now)
{
	return p->is_emitting && now >= p->emission_since + EMISSION_MS * MS;
}

static size_t points_of(const struct prisma_channel *channel)
{
	if (!channel->is_enabled)
		return 0;
	double u = channel->stop - channel->start;
	return channel->mode == PRISMA_SWEEP ? 1 + (size_t)lrint(u * (double)channel->ppamu) : 1;
}

size_t sweep_points(const struct prisma *p)
{
	size_t n = 0;
	for (long i = p->first; i <= p->last; i++)
		n += points_of(&p->channels[i - 1]);
	return n;
}

uint64_t sweep_ms(const struct prisma *p)
{
	uint64_t ms = 0;
	for (long i = p->first; i <= p->last; i++)
		ms += points_of(&p->channels[i - 1]) * (uint64_t)p->channels[i - 1].dwell;
	return ms;
}

int sweep_start(struct prisma *p, uint64_t now)
{
	size_t n = sweep_points(p);
	if (n == 0 || n > PRISMA_POINTS_MAX)
		return -EINVAL;
	p->is_scanning = true;
	p->stops_at_end = false;
	p->done = 0;
	p->next = p->number + 1;
	p->scan_started = now;
	p->scan_ends = now + sweep_ms(p) * MS;
	return 0;
}

static float measure(struct prisma *p, const struct prisma_channel *channel, double mass)
{
	double torr = channel->mode == PRISMA_TOTAL
			      ? p->plan.pressure
			      : residue_at(p->plan.gas, p->plan.pressure, mass);
	double gain = p->has_multiplier ? GAIN : 1;
	double noise = NOISE_A * sqrt((double)NOISE_MS / (double)channel->dwell);
	double ampere = prisma_emits(p, p->scan_ends) ? torr * SENSITIVITY * gain : 0;
	return (float)(ampere + noise * random_normal(sim_random_of(p->m)));
}

static void measure_all(struct prisma *p, float *to)
{
	for (long i = p->first; i <= p->last; i++) {
		const struct prisma_channel *channel = &p->channels[i - 1];
		size_t n = points_of(channel);
		for (size_t k = 0; k < n; k++) {
			double step = (double)k / (double)channel->ppamu;
			*to++ = channel->mode == PRISMA_TIME ? (float)(p->scan_ends / MS)
				: channel->mode == PRISMA_OTHER
					? 0
					: measure(p, channel, channel->start + step);
		}
	}
}

static void log_scan(struct prisma *p, const struct prisma_scan *scan)
{
	FILE *out = sim_truth_start(p->m, "measured");
	if (out == NULL)
		return;
	fprintf(out, ",\"scan\":%ld,\"values\":[", scan->number);
	for (size_t i = 0; i < scan->size; i++)
		fprintf(out, "%s%.6e", i > 0 ? "," : "", (double)scan->values[i]);
	fputc(']', out);
	sim_truth_end(p->m);
}

static void complete(struct prisma *p)
{
	struct prisma_scan *scan = &p->scans[++p->number % PRISMA_SCANS];
	free(scan->values);
	*scan = (struct prisma_scan){.number = p->number, .size = sweep_points(p)};
	scan->values = calloc(scan->size, sizeof *scan->values);
	if (scan->values == NULL)
		scan->size = 0;
	else
		measure_all(p, scan->values);
	log_scan(p, scan);
	p->done++;
	if (p->stops_at_end || (p->count > 0 && p->done >= p->count)) {
		p->is_scanning = false;
		return;
	}
	uint64_t ns = sweep_ms(p) * MS, interval = (uint64_t)(p->interval * (double)MS);
	p->scan_started = p->scan_started + interval > p->scan_ends ? p->scan_started + interval
								    : p->scan_ends;
	p->scan_ends = p->scan_started + ns;
}

void sweep_advance(struct prisma *p, uint64_t now)
{
	while (p->is_scanning && p->scan_ends <= now)
		complete(p);
}

size_t sweep_points_done(const struct prisma *p, uint64_t now)
{
	if (!p->is_scanning || now <= p->scan_started)
		return 0;
	double share = (double)(now - p->scan_started) / (double)(p->scan_ends - p->scan_started);
	return (size_t)((double)sweep_points(p) * share);
}

const struct prisma_scan *sweep_find(const struct prisma *p, long number)
{
	if (number < 0)
		number = p->number + 1 + number;
	if (number < 1)
		return NULL;
	const struct prisma_scan *scan = &p->scans[number % PRISMA_SCANS];
	return scan->number == number ? scan : NULL;
}

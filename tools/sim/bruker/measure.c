/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "bruker.h"

#define PATH       0.9   /* cm times the resolution */
#define TURN_S     0.112 /* of the mirror after each sweep */
#define PER_FRINGE 2     /* points */
#define KHZ_BELOW  1000  /* VEL is in kHz on some models and in Hz on others */

/* The phase is computed from a power of two of points. */
static size_t phase_points(double laser, double resolution)
{
	size_t n = 1;
	while ((double)n < laser / resolution)
		n *= 2;
	return n;
}

struct bruker_sweep measure_plan(const struct bruker_plan *plan, const struct bruker_settings *set)
{
	size_t side = (size_t)lrint(2 * plan->laser * PATH / set->resolution);
	size_t phase = phase_points(plan->laser, set->phase_resolution);
	unsigned scans = (unsigned)set->scans;
	bool is_two_sided = set->mode[0] == 'D';
	struct bruker_sweep sweep = {.centre = is_two_sided ? side + phase : phase,
		.backward = set->mode[1] == 'D' ? scans / 2 : 0};
	sweep.n = is_two_sided ? 2 * sweep.centre : 2 * phase + side;
	sweep.forward = scans - sweep.backward;
	double velocity = set->velocity * (set->velocity < KHZ_BELOW ? 1000 : 1);
	sweep.seconds = scans * ((double)sweep.n / (PER_FRINGE * velocity) + TURN_S);
	return sweep;
}

int measure_command(struct bruker *b, const struct bruker_settings *set)
{
	enum bruker_work work = (enum bruker_work)set->work;
	bool starts = work == WORK_MEASURE || work == WORK_CHECK;
	if (starts && b->is_scanning)
		return -EBUSY;
	b->set = *set;
	if (b->is_scanning && set->source == 0 && b->plan.source_off_ends) {
		b->is_scanning = false;
		sim_truth(b->m, "aborted", ",\"scans\":%u", measure_scans_done(b, b->m->now));
	}
	if (!starts)
		return 0;
	b->running = *set;
	if (work == WORK_CHECK)
		b->running.scans = 1;
	b->sweep = measure_plan(&b->plan, &b->running);
	b->is_scanning = true;
	b->scan_started = b->m->now;
	b->scan_ends = b->m->now + (uint64_t)(b->sweep.seconds * 1e9);
	free(b->file);
	b->file = NULL;
	return 0;
}

unsigned measure_scans_done(const struct bruker *b, uint64_t now)
{
	double per_scan = b->sweep.seconds / b->running.scans * 1e9;
	double done = (double)(now - b->scan_started) / per_scan;
	return (unsigned)(done < b->running.scans ? done : b->running.scans);
}

static void log_measured(struct bruker *b)
{
	const struct bruker_sweep *sweep = &b->sweep;
	sim_truth(b->m, "measured",
		",\"points\":%zu,\"centre\":%zu,\"forward\":%u,\"backward\":%u,"
		"\"resolution\":%.10g,\"laser\":%.10g,\"file\":%u,\"bytes\":%zu",
		sweep->n, sweep->centre, sweep->forward, sweep->backward, b->running.resolution,
		b->plan.laser, b->runs, b->file_len);
}

void measure_advance(struct bruker *b, uint64_t now)
{
	if (!b->is_scanning || now < b->scan_ends)
		return;
	b->is_scanning = false;
	if ((enum bruker_work)b->running.work != WORK_MEASURE)
		return;
	b->runs++;
	if (opus_make(b, b->scan_started, b->sweep.seconds) == 0)
		log_measured(b);
}

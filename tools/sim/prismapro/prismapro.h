/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a simulated PrismaPro: control, emission, channels, the scan that runs and the last ones. */
#ifndef ASSAY_SIM_PRISMAPRO_H
#define ASSAY_SIM_PRISMAPRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "framework/http.h"
#include "framework/residue.h"

#define PRISMA_CHANNELS   16
#define PRISMA_SCANS      8 /* kept */
#define PRISMA_POINTS_MAX 30001

struct prisma_plan {
	uint32_t serial;
	double mass_max, pressure; /* u, Torr */
	const struct residue_gas *gas;
};

/* Modes with one value that the simulation has no use for are PRISMA_OTHER. */
enum prisma_mode { PRISMA_SWEEP, PRISMA_SINGLE, PRISMA_TOTAL, PRISMA_TIME, PRISMA_OTHER };

struct prisma_channel {
	enum prisma_mode mode;
	const char *mode_name;
	double start, stop; /* u */
	long dwell, ppamu;  /* ms, points per u */
	bool is_enabled;
};

/* All channels from the first to the last, in one row. */
struct prisma_scan {
	long number; /* 0: none */
	size_t size;
	float *values; /* owned */
};

struct prisma {
	struct sim_model *m;
	struct prisma_plan plan;

	bool is_controlled;
	uint64_t heard; /* the last request of the host in control */
	char client[33];

	bool is_emitting, has_multiplier, was_reset;
	uint64_t emission_since;
	uint32_t errors, warnings;

	struct prisma_channel channels[PRISMA_CHANNELS];
	long first, last, count; /* count -1: without end */
	double interval;         /* ms */

	bool is_scanning, stops_at_end;
	long done, number; /* scans of this start; number of the last one that is complete */
	long next;         /* of nextScan */
	uint64_t scan_started, scan_ends;
	struct prisma_scan scans[PRISMA_SCANS]; /* by number % PRISMA_SCANS */
};

/* Points and milliseconds of a scan as set up. */
size_t sweep_points(const struct prisma *p);
uint64_t sweep_ms(const struct prisma *p);

/* Starts a scan; 0, or -EINVAL without an enabled channel or with too many points. */
int sweep_start(struct prisma *p, uint64_t now);

/* Completes the scans that are due until `now`. */
void sweep_advance(struct prisma *p, uint64_t now);

/* Points of the present scan that were measured by `now`. */
size_t sweep_points_done(const struct prisma *p, uint64_t now);

/* A kept scan, or NULL. */
const struct prisma_scan *sweep_find(const struct prisma *p, long number);

/* Whether the emission is regulated by `now`. */
bool prisma_emits(const struct prisma *p, uint64_t now);

/* Answers one request. */
void targets_answer(struct prisma *p, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now);

extern const struct sim_model_ops prismapro_model;

#endif

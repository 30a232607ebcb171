/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pulse processor and its counters.  Photons arrive one by one as a Poisson process, so dead
 * time, pile-up, presets and the spectrum are exact and agree.  They depend only on the seed and on
 * the times of requests, not on how often acquire_advance() is called.
 */
#ifndef ASSAY_SIM_AMPTEK_ACQUIRE_H
#define ASSAY_SIM_AMPTEK_ACQUIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "emission.h"
#include "settings.h"

#define CHANNELS_MAX 8192

/* The settings, in the units that the counting uses. */
struct shaping {
	unsigned channels;
	double kev_full_scale;
	uint64_t fast_ns, peaking_ns, dead_ns; /* resolving times */
	bool reject_pile_up;
	double fast_threshold_kev;
	unsigned low_channel; /* events below are not counted */
	bool is_mcs;
	unsigned mcs_low, mcs_high;
	uint64_t mcs_ns; /* per channel */
};

struct presets {
	uint64_t accumulation_ns, real_ns, live_ns, counts; /* UINT64_MAX: off */
	unsigned low, high;                                 /* channels of the counts */
};

struct acquisition {
	const struct emission *source; /* borrowed */
	struct sim_random *random;     /* borrowed */
	struct shaping shaping;
	struct presets presets;
	double efficiency; /* 0..1 of the photons make pulses; below 1 until the bias is reached */
	bool can_live;     /* the device has a live-time preset */
	bool never_counts; /* a broken device: starting has no effect */

	bool enabled;
	uint64_t now, paused_until, next_photon, last_photon, dead_until;
	bool has_pending, is_pending_good;
	double pending_kev;

	/* Zeroed by a clear. */
	uint64_t accumulation_ns, real_ns, live_ns, window_counts;
	uint32_t fast, slow, general;
	bool real_reached, live_reached, counts_reached, accumulation_armed, mcs_finished;
	uint32_t spectrum[CHANNELS_MAX];

	const struct sca *sca; /* borrowed, SCA_COUNT */
	uint32_t sca_counts[SCA_COUNT];
};

/* Sets the borrowed parts of a zeroed acquisition. */
void acquire_init(struct acquisition *a, const struct emission *source, struct sim_random *random);

/* Applies settings.  Another number of channels clears the spectrum. */
void acquire_configure(struct acquisition *a, const struct settings *settings);

/* Counts until `now`. */
void acquire_advance(struct acquisition *a, uint64_t now);

/* Starts or stops counting; starting has no effect while a counts preset is reached. */
void acquire_enable(struct acquisition *a, bool enabled);

/* The share of photons that make a pulse, 0..1. */
void acquire_set_efficiency(struct acquisition *a, double efficiency);

/* Zeroes counters, times, spectrum and reached presets; does not stop. */
void acquire_clear(struct acquisition *a);

/* The memory is being read: for `ns` nothing is counted, but real time runs. */
void acquire_pause(struct acquisition *a, uint64_t ns);

#endif

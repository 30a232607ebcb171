/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a simulated Bruker spectrometer behind its embedded web server: settings as the last
 * command left them, the measurement that runs, and the raw file of the last one.
 */
#ifndef ASSAY_SIM_BRUKER_H
#define ASSAY_SIM_BRUKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "framework/http.h"
#include "scene.h"

#define BRUKER_TEXT 64

/* The build and the scene, from the options. */
struct bruker_plan {
	const char *name; /* INS */
	bool has_sensors; /* the page of the EM27 */
	uint32_t serial;
	double laser; /* LWN, cm-1 */
	double noise; /* of one scan, in units of the stored values */
	const struct scene_sample *sample;
	bool source_off_ends; /* a command that switches the source off ends a measurement */
	bool marks_blocks;    /* bit 30 of the types of data blocks */
	int64_t started;      /* Unix seconds at time 0 */
};

enum bruker_work {
	WORK_NONE,
	WORK_MEASURE = 1,
	WORK_CHECK = 3,
	WORK_APPLY = 8,
};

/* As OPUS names them; only those that the simulation uses. */
struct bruker_settings {
	double work;
	double resolution, phase_resolution, velocity, aperture;
	double scans, source, channel, gain, high, low;
	char mode[3]; /* AQM: "DD", two-sided in both directions */
	char sample[BRUKER_TEXT], form[BRUKER_TEXT], user[BRUKER_TEXT];
};

/* The points of a measurement. */
struct bruker_sweep {
	size_t n, centre; /* points of one direction; index of zero path difference */
	unsigned forward, backward;
	double seconds; /* of all scans */
};

struct bruker {
	struct sim_model *m;
	struct bruker_plan plan;
	struct bruker_settings set;

	struct bruker_settings running; /* of the measurement */
	struct bruker_sweep sweep;
	bool is_scanning;
	uint64_t scan_started, scan_ends;
	unsigned runs; /* numbers the raw files */

	uint8_t *file; /* owned; NULL: none is ready */
	size_t file_len;
};

/*
 * Reads the parameters of a command into `set`; 0, or -EINVAL with the reason in `error` and `set`
 * unchanged: a name that is not three characters long, a value of a wrong form or out of range.
 */
int parameters_read(const struct sim_http_request *request, struct bruker_settings *set,
	char *error, size_t size);

/* All as after power-up. */
void parameters_default(struct bruker_settings *set);

/* The points and the time that settings need. */
struct bruker_sweep measure_plan(const struct bruker_plan *plan, const struct bruker_settings *set);

/* Carries out a command whose parameters were read; 0, or -EBUSY while it measures. */
int measure_command(struct bruker *b, const struct bruker_settings *set);

/* Ends the measurement that is due at `now`, and makes its file. */
void measure_advance(struct bruker *b, uint64_t now);

/* Scans done by `now`. */
unsigned measure_scans_done(const struct bruker *b, uint64_t now);

/*
 * Computes the interferogram as stored: all forward scans averaged, then the backward ones in the order
 * of time.  `to` has sweep->n values, twice as many with backward scans.  0 or -ENOMEM.
 */
int interferogram_make(const struct bruker *b, float *to);

/* Makes the raw file of the last measurement; 0 or -ENOMEM. */
int opus_make(struct bruker *b, uint64_t started, double seconds);

/* Answers one page. */
void pages_answer(struct bruker *b, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now);

extern const struct sim_model_ops bruker_model;

#endif

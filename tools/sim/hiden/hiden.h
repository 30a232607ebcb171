/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a simulated Hiden HAL RC analyser: devices, the scan table, the job and its data. */
#ifndef ASSAY_SIM_HIDEN_H
#define ASSAY_SIM_HIDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "framework/sim.h"
#include "framework/residue.h"

#define HIDEN_LINE_MAX 160
#define HIDEN_ROWS_MAX 32
#define HIDEN_NAME_MAX 32
#define HIDEN_DATA_MAX (1u << 20)

/* The error that is known from a real unit, for `sset row 0`; no other codes are published. */
#define HIDEN_ERROR   "*C042"
#define HIDEN_NO_MORE "*C110*"

#define HIDEN_REPORT_VALUE 1
#define HIDEN_REPORT_MASS  4
#define HIDEN_REPORT_TIME  16

enum hiden_device {
	DEVICE_MODE,
	DEVICE_ENABLE,
	DEVICE_F1,
	DEVICE_F2,
	DEVICE_EMISSION,
	DEVICE_ENERGY,
	DEVICE_MULTIPLIER,
	DEVICE_FOCUS,
	DEVICE_CAGE,
	DEVICE_DEGAS,
	DEVICES
};

struct hiden_plan {
	int model; /* 101, 201, 301 */
	double mass_max;
	uint32_t serial;
	const struct residue_gas *gas;
	double pressure; /* Torr */
	bool stop_excluded, ends_with_mark;
	int trip; /* code of a protection trip; 0: none */
	uint64_t trip_at;
};

struct hiden_row {
	double start, stop, step;
	double dwell, settle; /* ms */
	bool has_multiplier, is_energy;
	int report;
};

enum hiden_state { STATE_ABORT, STATE_STOP, STATE_WAIT, STATE_RUN };

struct hiden {
	struct sim_model *m;
	struct hiden_plan plan;

	double device[DEVICES][2]; /* by operating mode */
	bool is_terse, is_tripped;

	char scan[HIDEN_NAME_MAX]; /* "" without a table */
	struct hiden_row rows[HIDEN_ROWS_MAX];
	size_t n_rows, row; /* row: the selected one plus 1, 0 without */
	long cycles, points_max;
	double interval; /* s */
	bool is_initialised, is_reporting;

	enum hiden_state state;
	int job;
	long cycle;
	size_t at_row, at_point;
	uint64_t started, cycle_started, due;
	bool stops_after_cycle;
	struct buffer data; /* of the whole job: texts of single values, each with its NUL */
	size_t read;        /* position in data */

	char line[HIDEN_LINE_MAX + 1];
	size_t line_len;
	bool line_is_long;
	uint64_t now;
};

/* Carries out a line, and replies. */
void hiden_command(struct hiden *h, char *line);

/* Whether the filament is lit and regulated. */
bool hiden_emits(const struct hiden *h);

/* The value of a device in the present mode. */
double hiden_device(const struct hiden *h, enum hiden_device device);

/* Starts the scan as a new job. */
void run_start(struct hiden *h);

/* Ends the job at once. */
void run_end(struct hiden *h, enum hiden_state state);

/* Measures what is due until h->now. */
void run_advance(struct hiden *h);

/* Writes at most h->points_max values that were not read yet to `to`; 0 with none. */
size_t run_read(struct hiden *h, char *to, size_t size);

extern const struct sim_model_ops hiden_model;

#endif

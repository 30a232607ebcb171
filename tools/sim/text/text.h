/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instruments with a line protocol.  model.c has the line: it collects a frame and gives it to the dialect
 * of the instrument, which replies, or later in its tick.
 */
#ifndef ASSAY_SIM_TEXT_H
#define ASSAY_SIM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "framework/sim.h"

#define TEXT_FRAME_MAX  128
#define TEXT_POINTS_MAX 512
#define TEXT_MS         UINT64_C(1000000)
#define TEXT_S          (1000 * TEXT_MS)

struct text;

struct text_dialect {
	const char *name;
	double value;     /* what it measures, if no option changes it */
	int start;        /* first byte of a frame, bytes before it are dropped; -1: any */
	const char *ends; /* a frame ends with any of these bytes, or with this whole text */
	bool ends_with_all;

	/* May be NULL. */
	void (*init)(struct text *t);

	/* A frame without its end; `is_long` if bytes of it were lost.  NUL-terminated. */
	void (*take)(struct text *t, const char *frame, size_t len, bool is_long);

	/* At t->due; may set it again.  May be NULL if due is never set. */
	void (*tick)(struct text *t);
};

struct balance_state {
	double zero, tare;
	const char *waits; /* the command that waits for a stable weight; NULL: none */
	uint64_t gives_up;
	bool repeats;
};

struct ezo_state {
	bool continuous, codes, reads;
	double temperature;
	char name[17];
};

struct nirone_state {
	double nm[TEXT_POINTS_MAX];
	unsigned points, average, lamp, intensity;
	float measured[TEXT_POINTS_MAX];
};

struct ak_state {
	bool is_remote, measures;
	int task;
};

struct meter_state {
	int step; /* enum in meter.c */
};

struct text {
	struct sim_model *m;
	const struct text_dialect *dialect;
	uint32_t serial;
	double value, noise;
	uint64_t period, settle; /* of the changes between value and zero; 0: none */
	bool swaps_bytes;
	bool is_prepared; /* as a technician leaves it for a program that polls */

	char frame[TEXT_FRAME_MAX + 1];
	size_t len;
	bool is_long, is_inside;
	uint64_t due; /* SIM_NEVER: none */
	uint64_t now;
	union {
		struct balance_state balance;
		struct ezo_state ezo;
		struct nirone_state nirone;
		struct ak_state ak;
		struct meter_state meter;
	};
};

/* Sends a reply. */
void text_reply(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The serial number that it reports. */
uint32_t text_serial(struct text *t);

/* The true value now, without noise, and whether it has settled. */
double text_value(const struct text *t, bool *is_stable);

/* The value with noise. */
double text_measure(struct text *t, bool *is_stable);

/* Whole decimal digits within min..max and nothing else. */
bool text_integer(const char *text, long min, long max, long *value);

extern const struct text_dialect text_balance, text_ezo, text_nirone, text_ak, text_gasera,
	text_meter;

extern const struct sim_model_ops text_model;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a simulated SRS RGA head, which the files of this folder share: settings, error
 * bytes and activity.
 */
#ifndef ASSAY_SIM_RGA_H
#define ASSAY_SIM_RGA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chamber.h"
#include "framework/sim.h"

/* RS232_ERR */
#define RGA_BAD_COMMAND   (1 << 0)
#define RGA_BAD_PARAMETER (1 << 1)
#define RGA_TOO_LONG      (1 << 2)
#define RGA_RX_OVERWRITE  (1 << 3)
#define RGA_TX_OVERWRITE  (1 << 4)
#define RGA_JUMPER        (1 << 5)
#define RGA_CONFLICT      (1 << 6)
/* FIL_ERR */
#define RGA_ONE_FILAMENT  (1 << 0)
#define RGA_OVER_PRESSURE (1 << 5)
#define RGA_NO_EMISSION   (1 << 6)
#define RGA_NO_FILAMENT   (1 << 7)
/* CEM_ERR */
#define RGA_NO_CDEM       (1 << 7)

#define RGA_LINE_MAX  13  /* longer commands are dropped */
#define RGA_BUFFER    140 /* the receive buffer */
#define RGA_WORDS_MAX (299 * 25 + 2)

/* The build and the planned faults, from the options. */
struct rga_plan {
	const char *model; /* "200", or "???" */
	int mass_max;
	uint32_t serial;
	bool has_cdem, may_calibrate, is_fixed;
	int filaments;
	double overrun;                       /* probability per analog scan */
	uint8_t quadrupole, detector, supply; /* faults of the hardware: their error bytes */
};

struct rga_settings {
	double emission; /* mA; 0: filament off */
	int electron_energy, ion_energy, focus, cdem;
	int noise_floor, mass_first, mass_last, points;
	bool total_pressure;
};

/* Kept without power; written only while the jumper allows it. */
struct rga_eeprom {
	double sp, st; /* mA/Torr */
	double mg, mv; /* gain / 1000 at so many volts */
	double ri, rs, di, ds;
};

/* The error bytes; those of the hardware are in the plan. */
struct rga_errors {
	uint8_t rs232, filament, cdem;
};

enum rga_activity {
	RGA_IDLE,
	RGA_SETTLES,  /* then sends STATUS; commands wait in the buffer */
	RGA_DEGASSES, /* the same, but any byte ends it without STATUS */
	RGA_MEASURES, /* see scan.h; any byte ends it */
};

enum rga_scan_kind {
	RGA_ANALOG,
	RGA_HISTOGRAM,
	RGA_SINGLE_MASS,
	RGA_TOTAL,
};

struct rga_scan {
	enum rga_scan_kind kind;
	int mass;          /* RGA_SINGLE_MASS */
	unsigned left;     /* scans after this one; UINT32_MAX: without end */
	size_t words, at;  /* of this scan, with the total pressure */
	double seconds;    /* per word */
	bool zeroes;       /* zeroes the detector before each scan */
	size_t overrun_at; /* the word at which bytes are lost or doubled; SIZE_MAX: none */
	int overrun_by;    /* bytes: > 0 too many, < 0 missing */
	int overrun_left;
	int32_t counts[RGA_WORDS_MAX];
};

struct rga {
	struct sim_model *m;
	struct rga_plan plan;
	struct rga_settings set;
	struct rga_eeprom eeprom;
	struct rga_errors errors;
	struct rga_chamber chamber;

	enum rga_activity activity;
	uint64_t due;         /* time of the next step of the activity */
	double emission_next; /* requested with FL, set when settled; 0: none */
	struct rga_scan scan;
	int deaf; /* IN0 commands still to be ignored after an overrun */

	char line[RGA_LINE_MAX + 1];
	size_t line_len;
	bool line_is_long;
	uint8_t buffer[RGA_BUFFER]; /* bytes received while it settled */
	size_t buffer_len;
	uint64_t now; /* of the current step */
};

/* Everything as after power-up: standby, defaults, factory calibration. */
void rga_power_up(struct rga *rga);

/* The STATUS byte: which error bytes are not zero. */
uint8_t rga_status(const struct rga *rga);

/* Sets a bit of RS232_ERR. */
void rga_set_error(struct rga *rga, uint8_t bit);

/* Sends a text reply, ended by LF CR. */
void rga_reply(struct rga *rga, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The head is busy for `seconds`, then sends STATUS. */
void rga_settle(struct rga *rga, double seconds);

/* Advances the vacuum to rga->now; over-pressure switches filament and CDEM off. */
void rga_watch_pressure(struct rga *rga);

/* Carries out one command, without its CR; `text` is NUL-terminated. */
void rga_command(struct rga *rga, const char *text);

/* IN0, IN1, IN2. */
void rga_initialise(struct rga *rga, int level);

/* FL: starts to heat the filament, or switches it off; STATUS follows. */
void rga_set_emission(struct rga *rga, double milliampere);

/* HV: sets the multiplier; STATUS follows. */
void rga_set_cdem(struct rga *rga, int volts);

/* DG: degasses for `minutes`. */
void rga_degas(struct rga *rga, double minutes);

/* Ends RGA_SETTLES or RGA_DEGASSES: sets the emission and sends STATUS. */
void rga_settled(struct rga *rga);

extern const struct sim_model_ops rga_model;

#endif

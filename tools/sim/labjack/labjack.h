/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a simulated LabJack U6: commands, its converter, the stream, and what is wired to it. */
#ifndef ASSAY_SIM_LABJACK_H
#define ASSAY_SIM_LABJACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "framework/sim.h"
#include "trace.h"

#define U6_PACKET          64
#define U6_CHANNELS        14 /* AIN0 to AIN13 */
#define U6_LINES           20 /* FIO, EIO, CIO */
#define U6_GAINS           4  /* 10, 1, 0.1 and 0.01 V */
#define U6_GAIN_AUTO       15
#define U6_RESOLUTIONS     12
#define U6_FIRST_HIGH      9 /* of the U6-Pro */
#define U6_CONSTANTS       40
#define U6_BLOCK           4 /* constants read at once */
#define U6_STREAM_CHANNELS 25
#define U6_STREAM_SAMPLES  25  /* of a packet */
#define U6_BUFFER          984 /* samples that wait for the host */

/* 59 and 60 are in stream data.  The others are the maker's list of low-level error codes. */
enum u6_error {
	U6_OK = 0,
	U6_FUNCTION_INVALID = 5,
	U6_FLASH_WRITE_FAIL = 16,
	U6_STREAM_IS_ACTIVE = 48,
	U6_STREAM_TABLE_INVALID = 49,
	U6_STREAM_CONFIG_INVALID = 50,
	U6_STREAM_NOT_RUNNING = 52,
	U6_STREAM_SAMPLE_NUM_INVALID = 56,
	U6_STREAM_GAIN_INVALID = 57,
	U6_STREAM_SCAN_RATE_INVALID = 58,
	U6_STREAM_AUTORECOVER_ACTIVE = 59,
	U6_STREAM_AUTORECOVER_REPORT = 60,
};

struct u6_plan {
	uint32_t serial;
	bool is_pro;
	unsigned firmware; /* in hundredths */
	unsigned channel;  /* the detector's; the others are at 0 V */
	unsigned line;     /* of the start contact */
	uint64_t first, cycle, closed;
	double noise;     /* of the detector, V */
	double adc_noise; /* a factor */
	struct trace trace;
};

/* A measurement by the converter. */
struct u6_input {
	uint8_t channel, gain, resolution; /* gain 0 to 3, resolution 1 to 12 */
	bool is_differential;
};

struct u6_stream {
	bool is_configured, is_running;
	struct u6_input inputs[U6_STREAM_CHANNELS];
	size_t inputs_count, per_packet;
	double interval; /* ns */

	uint64_t started, scans; /* made or dropped */
	uint16_t buffer[U6_BUFFER];
	size_t count;
	uint64_t sent; /* samples */
	uint8_t counter;
	bool is_blocked;    /* the host takes nothing */
	bool is_recovering; /* the buffer was full, and is not empty yet */
	bool must_report;   /* the recovery, in the next packet */
	uint64_t dropped;   /* scans */
};

struct u6 {
	struct sim_model *m;
	struct u6_plan plan;
	int64_t constants[U6_CONSTANTS]; /* in units of 2^-32, as they are in the memory */
	struct u6_stream stream;
	uint64_t injections;
	uint64_t now;

	uint8_t reply[U6_PACKET]; /* that is not ready yet */
	size_t reply_len;
	uint64_t reply_due;
};

/* --- frame.c ---- */

/* Whether both checksums of an extended command are right; its length is checked too. */
bool frame_is_right(const uint8_t *data, size_t len);

/* Writes length and checksums of an extended frame of `len` bytes, an even number; 1 and 3 are set. */
void frame_seal(uint8_t *data, size_t len);

/* The first byte of a normal frame. */
uint8_t frame_sum(const uint8_t *data, size_t len);

/* --- analog.c ---- */

/* The constants of the unit; `is_nominal`: exactly those that the maker prints. */
void analog_calibrate(struct u6 *u, bool is_nominal);

/* One reading: 24 bits, 65536 * 256 at most. */
uint32_t analog_read(struct u6 *u, const struct u6_input *input, uint64_t at, double *volts);

/* The highest gain that the signal does not exceed. */
uint8_t analog_gain(const struct u6 *u, const struct u6_input *input, uint64_t at);

/* Time of a reading, ns. */
uint64_t analog_time(unsigned resolution);

/* Whether the contact is closed, and when it last closed: SIM_NEVER before the first time. */
bool contact_is_closed(const struct u6 *u, uint64_t at);
uint64_t contact_closed_at(const struct u6 *u, uint64_t at);

/* --- commands.c ---- */

void command_take(struct u6 *u, const uint8_t *data, size_t len);

/* Sends the reply that is under way. */
void command_finish(struct u6 *u);

/* --- stream.c ---- */

enum u6_error stream_configure(struct u6 *u, const uint8_t *data, size_t len);
enum u6_error stream_start(struct u6 *u);
enum u6_error stream_stop(struct u6 *u);

/* Makes the scans and sends the packets that are due. */
void stream_run(struct u6 *u);
uint64_t stream_due(const struct u6 *u);

extern const struct sim_model_ops labjack_model;

#endif

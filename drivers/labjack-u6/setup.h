/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The setup of a stream: from the driver's settings to the command StreamConfig, and from that
 * command, which is kept with each frame, back to the layout of the samples.
 *
 * A packet holds whole scans, and a frame whole packets.
 */
#ifndef LABJACK_SETUP_H
#define LABJACK_SETUP_H

#include <assay/driver.h>

#include "packet.h"

enum {
	INPUTS_MAX = 14,
	SETUP_NAME = 8,
	SAMPLES_MAX = 25,           /* of one packet */
	FRAME_SAMPLES_MAX = 500000, /* of all inputs together */
	FRAME_PACKETS_MAX = 60000,
	PACKET_SAMPLES_AT = 12,
	PACKET_EXTRA = 14, /* bytes of a stream packet beside its samples */
};

extern const struct assay_setting setup_settings[];

struct setup_input {
	uint8_t channel, gain;
	bool is_differential;
};

struct setup {
	size_t inputs;
	struct setup_input input[INPUTS_MAX];
	unsigned resolution, settling; /* as in the command: index, 10 us */
	unsigned clock;                /* bits of the command */
	unsigned interval;             /* between two scans, in ticks of the clock */
	size_t scans;                  /* of one packet */
};

/* Sizes of a run; in scans they may exceed the settings by less than a packet. */
struct setup_sizes {
	uint64_t packets; /* of one frame */
	uint64_t scans;   /* of the run; 0: until it is stopped */
};

/* Fills both from the settings.  False if those contradict each other; setup_check() finds it. */
bool setup_make(const struct assay_settings *s, struct setup *setup, struct setup_sizes *sizes);

/* Reports all that setup_make() rejects. */
void setup_check(const struct assay_settings *s, struct assay_check *out);

/* The command, and the setup in one: false if it is none, or damaged. */
void setup_write(const struct setup *setup, struct packet *p);
bool setup_read(const uint8_t *bytes, size_t len, struct setup *setup);

/* Ticks of the clock per second. */
double setup_clock(const struct setup *setup);

/* Scans per second. */
double setup_rate(const struct setup *setup);

/* Length of a stream packet. */
size_t setup_packet(const struct setup *setup);

/* Full scale in V of a gain. */
double setup_range(unsigned gain);

/* The name of input i: that of the settings, or one that is written to `own`. */
const char *setup_name(const struct assay_settings *s, size_t i, char own[SETUP_NAME]);

#endif

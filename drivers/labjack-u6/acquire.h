/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of a run: setup, start contact, packets of the stream, stop. */
#ifndef LABJACK_ACQUIRE_H
#define LABJACK_ACQUIRE_H

#include <assay/driver.h>

#include "calibration.h"
#include "stream.h"

#define LABJACK_MEDIA "application/x-labjack-u6"

/* The blocks of a frame, in this order. */
enum {
	BLOCK_SETUP,       /* the command StreamConfig */
	BLOCK_CALIBRATION, /* the ten replies with the constants */
	BLOCK_PLACE,       /* where the frame starts */
	BLOCK_PACKETS,     /* packets of the stream, one after the other */
	BLOCKS,
};

extern const char *const labjack_block_names[BLOCKS];

struct labjack {
	uint8_t constants[CALIBRATION_BYTES];
	struct setup setup;
	struct setup_sizes sizes;
	struct stream_place place;
	bool is_armed;  /* waits for the start contact */
	bool was_off;   /* which has been open since then */
	unsigned error; /* the error number with which the device ended the stream */
	uint8_t bytes[64 * PACKET_MAX]; /* received and not used: [at, have) */
	size_t at, have;
};

int labjack_configure(struct assay_instrument *ins);
int labjack_start(struct assay_instrument *ins);
int labjack_acquire(struct assay_instrument *ins, struct assay_raw *raw);
int labjack_stop(struct assay_instrument *ins);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets of a stream, and the position of each scan in it.  Pure; acquire and decode use the same.
 *
 * Facts: LabJack's examples for the U6 (exodriver); the dummy scan: LabJack's page of StreamData.  When the device's
 * buffer is full, new scans are dropped, and packets have error 59 until it is empty.  The next one
 * has error 60 and the number of dropped scans.  In it, a scan of 0xFFFF in all samples stands where
 * they are missing, and is counted among them.
 */
#ifndef LABJACK_STREAM_H
#define LABJACK_STREAM_H

#include "setup.h"

/* Where a stream is: the next scan, from 0, and the counter of the next packet. */
struct stream_place {
	uint64_t scan;
	uint8_t counter;
};

enum {
	PLACE_BYTES = 9,
};

/* The scans of one packet: scan i is at `first` + i, behind `gap` at `resumes` + i - gap - 1. */
struct stream_scans {
	uint64_t first, resumes;
	size_t gap;       /* index of the scan that is none; the number of scans: there is none */
	uint64_t dropped; /* by the device */
	uint64_t lost;    /* with packets that are missing before this one */
};

/* Whether these are setup_packet() bytes of an undamaged packet, with any error number. */
bool stream_is_packet(const struct setup *setup, const uint8_t *bytes);

/* Its error number. */
unsigned stream_error(const uint8_t *packet);

/* Whether a packet with that error number has samples. */
bool stream_has_samples(unsigned error);

/* How full the device's buffer is behind this packet: 256 would be full. */
unsigned stream_backlog(const struct setup *setup, const uint8_t *packet);

/* Finds the positions of a packet's scans, and moves `place` behind them. */
void stream_step(const struct setup *setup, const uint8_t *packet, struct stream_place *place,
	struct stream_scans *out);

/* The position of scan i, which is not the gap. */
uint64_t stream_position(const struct stream_scans *scans, size_t i);

/* A place as a raw block. */
void stream_write_place(const struct stream_place *place, uint8_t bytes[PLACE_BYTES]);
void stream_read_place(const uint8_t bytes[PLACE_BYTES], struct stream_place *place);

#endif

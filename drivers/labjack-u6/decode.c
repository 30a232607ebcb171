/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <string.h>

#include "acquire.h"

#define SCAN_MAX (UINT64_C(1) << 53) /* a double has each number below it */
#define FULL     256.0               /* backlog */

/* Everything about a frame's packets that is known before the samples are read. */
struct slice {
	struct setup setup;
	struct calibration calibration;
	struct stream_place place;
	const uint8_t *packets;
	size_t count;
	/* Of all packets. */
	size_t scans;
	uint64_t first, last; /* positions of scans */
	unsigned backlog;
	bool is_recovering, is_saturated, has_lost;
};

static bool read_blocks(const struct assay_decoding *in, struct slice *s)
{
	const struct assay_bytes *raw = in->raw;
	if (in->raw_count != BLOCKS ||
		!setup_read(raw[BLOCK_SETUP].data, raw[BLOCK_SETUP].len, &s->setup) ||
		s->setup.inputs != assay_count(in->settings, "inputs") ||
		!calibration_read(
			raw[BLOCK_CALIBRATION].data, raw[BLOCK_CALIBRATION].len, &s->calibration) ||
		raw[BLOCK_PLACE].len != PLACE_BYTES)
		return false;
	size_t size = setup_packet(&s->setup);
	stream_read_place(raw[BLOCK_PLACE].data, &s->place);
	s->packets = raw[BLOCK_PACKETS].data;
	s->count = raw[BLOCK_PACKETS].len / size;
	return s->count > 0 && s->count * size == raw[BLOCK_PACKETS].len &&
	       s->place.scan < SCAN_MAX;
}

static const uint8_t *packet_at(const struct slice *s, size_t i)
{
	return s->packets + i * setup_packet(&s->setup);
}

/* Checks all packets and adds up what is in them. */
static bool sum_up(struct slice *s)
{
	struct stream_place place = s->place;
	for (size_t i = 0; i < s->count; i++) {
		const uint8_t *packet = packet_at(s, i);
		struct stream_scans scans;
		if (!stream_is_packet(&s->setup, packet) ||
			!stream_has_samples(stream_error(packet)))
			return false;
		stream_step(&s->setup, packet, &place, &scans);
		unsigned backlog = stream_backlog(&s->setup, packet);
		s->scans += s->setup.scans - (scans.gap < s->setup.scans);
		s->has_lost = s->has_lost || scans.lost > 0;
		s->backlog = backlog > s->backlog ? backlog : s->backlog;
		s->is_recovering = s->is_recovering ||
				   stream_error(packet) == ERROR_RECOVERY_ACTIVE;
	}
	return true;
}

/* The samples of one scan, in V: element `to` of each input. */
static void convert(struct slice *s, const uint8_t *at, float *signals, size_t to)
{
	for (size_t i = 0; i < s->setup.inputs; i++, at += 2) {
		unsigned raw = packet_u16(at);
		s->is_saturated = s->is_saturated || raw == 0 || raw == 0xFFFF;
		signals[i * s->scans + to] = (float)calibration_volts(
			&s->calibration.lines[s->setup.input[i].gain], raw);
	}
}

static double seconds(const struct slice *s, uint64_t scans)
{
	return (double)scans * s->setup.interval / setup_clock(&s->setup);
}

/*
 * Fills the signals and the time of each scan, and reports each gap between two scans, and that before
 * the first and behind the last one: the next frame starts behind it.
 */
static void fill(struct slice *s, struct assay_frame *out, float *signals, double *times)
{
	struct stream_place place = s->place;
	uint64_t next = place.scan;
	size_t to = 0;
	for (size_t i = 0; i < s->count; i++) {
		const uint8_t *packet = packet_at(s, i);
		struct stream_scans scans;
		stream_step(&s->setup, packet, &place, &scans);
		for (size_t k = 0; k < s->setup.scans; k++) {
			if (k == scans.gap)
				continue;
			s->last = stream_position(&scans, k);
			s->first = to == 0 ? s->last : s->first;
			assay_frame_gap(out, (int64_t)to, s->last - next);
			next = s->last + 1;
			convert(s, packet + PACKET_SAMPLES_AT + 2 * k * s->setup.inputs, signals,
				to);
			times[to++] = seconds(s, s->last);
		}
	}
	assay_frame_gap(out, (int64_t)to, place.scan - next);
}

/* Even if no scan is missing between two of this frame. */
static void add_time(struct assay_frame *out, const struct slice *s, const double *times)
{
	struct assay_variable v = ASSAY_NOTHING;
	if (s->last - s->first == s->scans - 1) {
		assay_add_linear_axis(
			out, "time", "s", seconds(s, s->first), seconds(s, 1), s->scans);
		return;
	}
	v.name = v.dims[0] = "time";
	v.role = ASSAY_AXIS;
	v.unit = "s";
	v.type = ASSAY_F64;
	v.data = times;
	v.count = s->scans;
	assay_frame_add(out, &v);
}

static void add_signals(const struct assay_decoding *in, struct assay_frame *out,
	const struct slice *s, const float *signals)
{
	for (size_t i = 0; i < s->setup.inputs; i++) {
		struct assay_variable v = ASSAY_NOTHING;
		char own[SETUP_NAME];
		v.channel = setup_name(in->settings, i, own);
		v.name = "signal";
		v.role = ASSAY_DATA;
		v.unit = "V";
		v.dims[0] = "time";
		v.type = ASSAY_F32;
		v.data = signals + i * s->scans;
		v.count = s->scans;
		assay_frame_add(out, &v);
	}
}

static void add_quality(struct assay_frame *out, const struct slice *s)
{
	if (s->is_recovering)
		assay_frame_quality(out, ASSAY_GOOD, "device-warning");
	if (s->is_saturated)
		assay_frame_quality(out, ASSAY_SUSPECT, "saturated");
	if (s->has_lost)
		assay_frame_quality(out, ASSAY_SUSPECT, "malformed");
	assay_add_float(out, "backlog", ASSAY_AUX, 100 * s->backlog / FULL, "%");
}

int labjack_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	struct slice s;
	memset(&s, 0, sizeof s);
	if (!read_blocks(in, &s) || !sum_up(&s) || s.scans == 0)
		return -EBADMSG;
	float *signals = assay_frame_scratch(out, s.scans * s.setup.inputs * sizeof *signals);
	double *times = assay_frame_scratch(out, s.scans * sizeof *times);
	if (signals == NULL || times == NULL)
		return -ENOMEM;
	assay_frame_kind(out, ASSAY_CHROMATOGRAM);
	fill(&s, out, signals, times);
	assay_frame_span(out, seconds(&s, s.last + 1 - s.first));
	add_time(out, &s, times);
	add_signals(in, out, &s, signals);
	add_quality(out, &s);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream.  Scans go into the buffer at their time, packets out of it as the host takes them.  When
 * the buffer is full the unit drops scans until it is empty: packets that are sent meanwhile carry
 * error 59, the first one after it error 60 and the number of dropped scans.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "labjack.h"

#define FIXED        14 /* bytes of a packet that are no samples, and of a configuration */
#define SAMPLES_AT   12
#define RATE_MAX     50000.0 /* samples per second */
#define CLOCK        4e6
#define CLOCK_FAST   48e6
#define IS_FAST      0x08
#define IS_DIVIDED   0x02
#define LEAVES_BYTES 94 /* firmware before 0.94 */
#define REPORTED_MAX 0xFFFF

static uint16_t u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static enum u6_error read_inputs(const uint8_t *data, struct u6_stream *s)
{
	unsigned resolution = data[7] == 0 ? 1 : data[7];
	if (resolution >= U6_FIRST_HIGH)
		return U6_STREAM_CONFIG_INVALID;
	for (size_t i = 0; i < s->inputs_count; i++) {
		const uint8_t *at = data + FIXED + 2 * i;
		struct u6_input input = {.channel = at[0],
			.gain = at[1] >> 4 & 7,
			.resolution = (uint8_t)resolution,
			.is_differential = (at[1] & 0x80) != 0};
		if (input.channel >= U6_CHANNELS ||
			(input.is_differential && input.channel % 2 != 0))
			return U6_STREAM_TABLE_INVALID;
		if (input.gain >= U6_GAINS)
			return U6_STREAM_GAIN_INVALID;
		s->inputs[i] = input;
	}
	return U6_OK;
}

enum u6_error stream_configure(struct u6 *u, const uint8_t *data, size_t len)
{
	struct u6_stream s = {.inputs_count = data[6], .per_packet = data[8]};
	uint16_t divisor = u16(data + 12);
	double clock = (data[11] & IS_FAST) != 0 ? CLOCK_FAST : CLOCK;
	if ((data[11] & IS_DIVIDED) != 0)
		clock /= 256;
	if (u->stream.is_running)
		return U6_STREAM_IS_ACTIVE;
	if (s.inputs_count < 1 || s.inputs_count > U6_STREAM_CHANNELS ||
		len != FIXED + 2 * s.inputs_count)
		return U6_STREAM_TABLE_INVALID;
	if (s.per_packet < 1 || s.per_packet > U6_STREAM_SAMPLES)
		return U6_STREAM_SAMPLE_NUM_INVALID;
	s.interval = divisor / clock * 1e9;
	if (s.interval * RATE_MAX < (double)s.inputs_count * 1e9)
		return U6_STREAM_SCAN_RATE_INVALID;
	enum u6_error error = read_inputs(data, &s);
	if (error != U6_OK)
		return error;
	s.is_configured = true;
	u->stream = s;
	sim_truth(u->m, "stream-config", ",\"inputs\":%zu,\"samples\":%zu,\"rate\":%.9g",
		s.inputs_count, s.per_packet, 1e9 / s.interval);
	return U6_OK;
}

enum u6_error stream_start(struct u6 *u)
{
	struct u6_stream *s = &u->stream;
	if (s->is_running)
		return U6_STREAM_IS_ACTIVE;
	if (!s->is_configured)
		return U6_STREAM_CONFIG_INVALID;
	s->is_running = true;
	s->is_recovering = s->must_report = s->is_blocked = false;
	s->started = u->now;
	s->scans = s->sent = s->dropped = 0;
	s->count = 0;
	s->counter = 0;
	sim_truth(u->m, "stream-start", ",\"rate\":%.9g", 1e9 / s->interval);
	return U6_OK;
}

/* --- packets ---------------------------------------------------------------------------------- */

static enum u6_error state_of(const struct u6_stream *s)
{
	return s->is_recovering ? U6_STREAM_AUTORECOVER_ACTIVE
	       : s->must_report ? U6_STREAM_AUTORECOVER_REPORT
				: U6_OK;
}

static void log_packet(struct u6 *u, const struct u6_stream *s, enum u6_error error)
{
	FILE *out = sim_truth_start(u->m, "packet");
	if (out == NULL)
		return;
	fprintf(out, ",\"counter\":%u,\"error\":%d,\"dropped\":%llu,\"raw\":[", s->counter,
		(int)error,
		error == U6_STREAM_AUTORECOVER_REPORT ? (unsigned long long)s->dropped : 0);
	for (size_t i = 0; i < s->per_packet; i++)
		fprintf(out, "%s%u", i > 0 ? "," : "", s->buffer[i]);
	fputs("]", out);
	sim_truth_end(u->m);
}

/* The oldest samples of the buffer; there are enough. */
static void send_packet(struct u6 *u)
{
	struct u6_stream *s = &u->stream;
	uint8_t packet[U6_PACKET] = {0};
	size_t len = FIXED + 2 * s->per_packet;
	enum u6_error error = state_of(s);
	log_packet(u, s, error);
	packet[1] = 0xF9;
	packet[3] = 0xC0;
	if (error == U6_STREAM_AUTORECOVER_REPORT) {
		uint64_t n = s->dropped < REPORTED_MAX ? s->dropped : REPORTED_MAX;
		packet[6] = (uint8_t)n;
		packet[7] = (uint8_t)(n >> 8);
		s->must_report = false;
		s->dropped = 0;
	}
	packet[10] = s->counter++;
	packet[11] = (uint8_t)error;
	for (size_t i = 0; i < s->per_packet; i++) {
		packet[SAMPLES_AT + 2 * i] = (uint8_t)s->buffer[i];
		packet[SAMPLES_AT + 2 * i + 1] = (uint8_t)(s->buffer[i] >> 8);
	}
	s->count -= s->per_packet;
	memmove(s->buffer, s->buffer + s->per_packet, s->count * sizeof s->buffer[0]);
	s->sent += s->per_packet;
	packet[len - 2] = (uint8_t)(s->count * 255 / U6_BUFFER);
	frame_seal(packet, len);
	sim_emit_stream(u->m, packet, len);
}

static void send_packets(struct u6 *u)
{
	struct u6_stream *s = &u->stream;
	s->is_blocked = false;
	while (s->count >= s->per_packet) {
		s->is_blocked = !sim_stream_has_room(u->m) || sim_fault_active(u->m, FAULT_STALL);
		if (s->is_blocked)
			return;
		send_packet(u);
	}
	if (s->is_recovering) {
		s->is_recovering = false;
		s->must_report = true;
	}
}

/* --- scans ------------------------------------------------------------------------------------ */

/*
 * The buffer is full: it is emptied in whole packets that end with a scan, and the first sample behind
 * the gap is of the first input again.
 */
static void start_recovery(struct u6_stream *s)
{
	size_t keep = s->count - s->count % s->per_packet;
	while (keep > 0 && (s->sent + keep) % s->inputs_count != 0)
		keep -= s->per_packet;
	assert((s->sent + keep) % s->inputs_count == 0); /* it holds more than any 25 packets */
	s->dropped = (s->count - keep) / s->inputs_count;
	s->count = keep;
	s->is_recovering = true;
}

static uint64_t scan_time(const struct u6_stream *s, uint64_t scan)
{
	return s->started + (uint64_t)ceil((double)scan * s->interval);
}

static void make_scan(struct u6 *u)
{
	struct u6_stream *s = &u->stream;
	uint64_t at = scan_time(s, s->scans);
	double volts;
	for (size_t i = 0; i < s->inputs_count; i++)
		s->buffer[s->count++] = (uint16_t)(analog_read(u, &s->inputs[i], at, &volts) >> 8);
	s->scans++;
}

void stream_run(struct u6 *u)
{
	struct u6_stream *s = &u->stream;
	if (!s->is_running)
		return;
	uint64_t due = (uint64_t)((double)(u->now - s->started) / s->interval) + 1;
	send_packets(u);
	while (s->scans < due) {
		if (s->is_recovering) { /* and the host takes nothing */
			s->dropped += due - s->scans;
			s->scans = due;
			return;
		}
		if (s->count + s->inputs_count > U6_BUFFER) {
			start_recovery(s);
			sim_truth(u->m, "overflow", ",\"scan\":%llu", (unsigned long long)s->scans);
		} else {
			make_scan(u);
		}
		if (!s->is_blocked)
			send_packets(u);
	}
}

uint64_t stream_due(const struct u6 *u)
{
	const struct u6_stream *s = &u->stream;
	if (!s->is_running || (s->is_blocked && s->is_recovering))
		return SIM_NEVER;
	if (s->is_blocked)
		return scan_time(s, s->scans + (U6_BUFFER - s->count) / s->inputs_count);
	size_t missing = s->per_packet - s->count;
	return scan_time(s, s->scans + (missing + s->inputs_count - 1) / s->inputs_count - 1);
}

enum u6_error stream_stop(struct u6 *u)
{
	struct u6_stream *s = &u->stream;
	if (!s->is_running)
		return U6_STREAM_NOT_RUNNING;
	if (u->plan.firmware < LEAVES_BYTES && s->count > 0) {
		s->count = s->count < s->per_packet ? s->per_packet : s->count;
		send_packet(u);
	}
	s->is_running = false;
	sim_truth(u->m, "stream-stop", ",\"scans\":%llu", (unsigned long long)s->scans);
	return U6_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "dpp.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#define DATAGRAM           520
#define CHANNEL_BYTES      3
#define PID_SPECTRUM       0x81
#define READOUT_BASE_NS    31000 /* status alone, 80 MHz clock; 2.4 times that with 20 MHz */
#define READOUT_CHANNEL_NS 302

void dpp_reply(struct dpp *d, uint8_t pid1, uint8_t pid2, const uint8_t *data, size_t len)
{
	size_t total = frame_write(d->out, pid1, pid2, data, len);
	size_t piece = d->model->env.transport == SIM_UDP ? DATAGRAM : total;
	for (size_t at = 0; at < total; at += piece)
		sim_emit(d->model, d->out + at, total - at < piece ? total - at : piece);
}

void dpp_ack(struct dpp *d, enum ack ack, const void *data, size_t len)
{
	if (ack == ACK_OK && sim_fault_active(d->model, FAULT_SHARE))
		ack = ACK_SHARE;
	dpp_reply(d, 0xFF, (uint8_t)ack, data, len);
}

/* PID2 is 1 with 256 channels; each doubling adds two, the status one. */
static uint8_t spectrum_pid(unsigned channels, bool with_status)
{
	uint8_t pid = 1;
	for (unsigned n = 256; n < channels; n *= 2)
		pid = (uint8_t)(pid + 2);
	return (uint8_t)(pid + with_status);
}

static size_t put_channels(uint8_t *out, const uint32_t *spectrum, unsigned channels)
{
	for (unsigned i = 0; i < channels; i++, out += CHANNEL_BYTES) {
		out[0] = (uint8_t)spectrum[i];
		out[1] = (uint8_t)(spectrum[i] >> 8);
		out[2] = (uint8_t)(spectrum[i] >> 16);
	}
	return (size_t)channels * CHANNEL_BYTES;
}

/* "reply" is the number of the first datagram, "units" the number of datagrams. */
static void log_spectrum(
	struct dpp *d, const struct status *status, bool with_status, bool clear, size_t packet_len)
{
	const struct acquisition *a = &d->acquisition;
	FILE *out = sim_truth_start(d->model, "spectrum");
	if (out == NULL)
		return;
	bool is_udp = d->model->env.transport == SIM_UDP;
	size_t units = is_udp ? (packet_len + DATAGRAM - 1) / DATAGRAM : 1;
	fprintf(out, ",\"units\":%zu,\"serial\":%" PRIu32 ",\"device\":\"%s\",\"sample\":\"%s\"",
		units, status->serial, d->device->title, d->sample_name);
	fprintf(out, ",\"with_status\":%s,\"clear\":%s,\"enabled\":%s",
		with_status ? "true" : "false", clear ? "true" : "false",
		a->enabled ? "true" : "false");
	fprintf(out,
		",\"accumulation_ms\":%" PRIu64 ",\"real_ms\":%" PRIu64 ",\"live_ms\":%" PRIu64,
		a->accumulation_ns / 1000000, a->real_ns / 1000000, a->live_ns / 1000000);
	fprintf(out, ",\"fast\":%" PRIu32 ",\"slow\":%" PRIu32 ",\"counts\":[", a->fast, a->slow);
	for (unsigned i = 0; i < a->shaping.channels; i++)
		fprintf(out, "%s%" PRIu32, i > 0 ? "," : "", a->spectrum[i]);
	fputc(']', out);
	sim_truth_end(d->model);
}

void dpp_send_spectrum(struct dpp *d, bool with_status, bool clear)
{
	struct acquisition *a = &d->acquisition;
	unsigned channels = a->shaping.channels;
	uint8_t *body = d->out + 6;
	if (clear) {
		acquire_advance(a, d->model->now);
	} else if (d->device->bit != DP5X) {
		uint64_t ns = READOUT_BASE_NS + (uint64_t)channels * READOUT_CHANNEL_NS;
		acquire_pause(a, settings_is(&d->settings, "CLCK", "20") ? ns * 24 / 10 : ns);
	}
	struct status status = dpp_status(d);
	size_t len = put_channels(body, a->spectrum, channels);
	if (with_status) {
		status_write(&status, body + len);
		len += STATUS_LEN;
		d->first_status_sent = true;
	}
	log_spectrum(d, &status, with_status, clear, len + FRAME_OVERHEAD);
	if (clear)
		acquire_clear(a);
	dpp_reply(d, PID_SPECTRUM, spectrum_pid(channels, with_status), body, len);
}

void dpp_send_buffer(struct dpp *d, const uint32_t *spectrum, unsigned channels)
{
	uint8_t *body = d->out + 6;
	size_t len = put_channels(body, spectrum, channels);
	dpp_reply(d, PID_SPECTRUM, spectrum_pid(channels, false), body, len);
}

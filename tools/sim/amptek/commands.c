/* SPDX-License-Identifier: Apache-2.0 */
/* The actions of the requests; the table at the end lists all requests of the protocol. */
#include "dpp.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "config.h"

#define ANY_LEN        (-1)
#define COMM_TEST      0xF1
#define DIAGNOSTIC_LEN 256

/* Conditions of a request. */
enum trait {
	NEEDS_608 = 1, /* firmware 6.08.00 */
	NOT_DP5X = 2,
	ONLY_MCA8000D = 4,
	NEVER_SEND = 8, /* changes calibration or firmware: the truth log reports it as forbidden */
};

struct handler {
	uint8_t pid1, pid2;
	int len;
	void (*run)(struct dpp *d, const struct request *r);
	unsigned traits;
};

void dpp_follow_settings(struct dpp *d)
{
	double v;
	d->climate.bias_target_v = settings_number(&d->settings, "HVSE", &v) ? v : 0;
	d->climate.cooler_target_k = settings_number(&d->settings, "TECS", &v) ? v : 0;
	acquire_configure(&d->acquisition, &d->settings);
}

/* The instrument writes its flash: input waits for `ms`. */
static void stall(struct dpp *d, unsigned ms)
{
	d->stalled_until = d->model->now + ms * NS_PER_MS;
}

static void send_status(struct dpp *d, const struct request *r)
{
	uint8_t block[STATUS_LEN];
	struct status status = dpp_status(d);
	status_write(&status, block);
	d->first_status_sent = true;
	dpp_reply(d, 0x80, 0x01, block, sizeof(block));
}

static void send_spectrum(struct dpp *d, const struct request *r)
{
	dpp_send_spectrum(d, r->pid2 >= 3, r->pid2 == 2 || r->pid2 == 4);
}

static unsigned buffer_number(const struct request *r)
{
	return (unsigned)r->data[0] << 8 | r->data[1];
}

static void store_buffer(struct dpp *d, const struct request *r)
{
	struct acquisition *a = &d->acquisition;
	unsigned n = buffer_number(r), channels = a->shaping.channels;
	if (n >= SEQUENCE_BUFFERS) {
		dpp_ack(d, ACK_PARAMETER, NULL, 0);
		return;
	}
	uint32_t *copy = realloc(d->buffers[n], channels * sizeof(*copy));
	if (copy == NULL) {
		dpp_ack(d, ACK_BUSY, NULL, 0);
		return;
	}
	memcpy(copy, a->spectrum, channels * sizeof(*copy));
	d->buffers[n] = copy;
	d->buffer_channels[n] = channels;
	if (r->pid2 == 6)
		acquire_clear(a);
	dpp_ack(d, ACK_OK, NULL, 0);
}

static void send_buffer(struct dpp *d, const struct request *r)
{
	unsigned n = buffer_number(r);
	if (n < SEQUENCE_BUFFERS && d->buffers[n] != NULL)
		dpp_send_buffer(d, d->buffers[n], d->buffer_channels[n]);
	else
		dpp_ack(d, ACK_PARAMETER, NULL, 0);
}

static void send_misc_data(struct dpp *d, const struct request *r)
{
	dpp_reply(d, 0x82, 0x02, d->misc_data, sizeof(d->misc_data));
}

static void send_ethernet(struct dpp *d, const struct request *r)
{
	dpp_reply(d, 0x82, 0x04, d->ethernet, sizeof(d->ethernet));
}

/* Offsets 5 to 38 differ per device and are left zero. */
static void send_diagnostic(struct dpp *d, const struct request *r)
{
	uint8_t data[DIAGNOSTIC_LEN] = {0}, status[STATUS_LEN];
	struct status now = dpp_status(d);
	status_write(&now, status);
	memcpy(data, status + 24, 2);
	dpp_reply(d, 0x82, 0x05, data, sizeof(data));
}

static void send_netfinder(struct dpp *d, const struct request *r)
{
	uint8_t body[256];
	dpp_reply(d, 0x82, 0x08, body, dpp_netfinder(d, 0, body));
}

static void send_sca(struct dpp *d, const struct request *r)
{
	uint8_t body[SCA_COUNT * 4];
	uint32_t *counts = d->acquisition.sca_counts;
	for (int i = 0; i < SCA_COUNT * 4; i++)
		body[i] = (uint8_t)(counts[i / 4] >> 8 * (i % 4));
	if (r->pid2 == 3)
		memset(counts, 0, sizeof(d->acquisition.sca_counts));
	dpp_reply(d, 0x83, 0x01, body, sizeof(body));
}

static void reject_scope(struct dpp *d, const struct request *r)
{
	dpp_ack(d, ACK_NO_SCOPE_DATA, NULL, 0);
}

static void reject_unsupported(struct dpp *d, const struct request *r)
{
	dpp_ack(d, ACK_UNSUPPORTED, NULL, 0);
}

static void reject_calibration(struct dpp *d, const struct request *r)
{
	dpp_ack(d, ACK_NO_CALIBRATION, NULL, 0);
}

static void reject_pid(struct dpp *d, const struct request *r)
{
	dpp_ack(d, ACK_PID, NULL, 0);
}

static void configure(struct dpp *d, const struct request *r)
{
	struct config_result c = config_apply(&d->settings, (const char *)r->data, r->len);
	/* From 6.09.06 on a packet with one preset command and no other is not saved to flash. */
	bool saved = r->pid2 == 0x02 && !(c.is_preset_only && d->firmware >= 60906);
	dpp_follow_settings(d);
	if (c.disables)
		acquire_enable(&d->acquisition, false);
	if (c.enables && d->settings.is_configured)
		acquire_enable(&d->acquisition, true);
	sim_truth(d->model, "configured", ",\"commands\":%u,\"ack\":%d,\"saved\":%s", c.commands,
		(int)c.ack, saved ? "true" : "false");
	dpp_ack(d, c.ack, c.bad, c.bad_len);
	if (saved)
		stall(d, 80 + (unsigned)(random_u64(sim_random_of(d->model)) % 321));
}

static void read_back(struct dpp *d, const struct request *r)
{
	char text[FRAME_REQUEST_MAX * 4 + 64];
	settings_set(&d->settings, "MCAE", d->acquisition.enabled ? "ON" : "OFF",
		d->acquisition.enabled ? 2 : 3);
	size_t n = config_read_back(
		&d->settings, (const char *)r->data, r->len, text, sizeof(text));
	dpp_reply(d, 0x82, 0x07, (const uint8_t *)text, n);
}

static void clear(struct dpp *d, const struct request *r)
{
	acquire_clear(&d->acquisition);
	dpp_ack(d, ACK_OK, NULL, 0);
}

/* An instrument that is not configured does not start. */
static void enable(struct dpp *d, const struct request *r)
{
	if (d->settings.is_configured)
		acquire_enable(&d->acquisition, true);
	dpp_ack(d, ACK_OK, NULL, 0);
}

static void disable(struct dpp *d, const struct request *r)
{
	acquire_enable(&d->acquisition, false);
	dpp_ack(d, ACK_OK, NULL, 0);
}

static void clear_general(struct dpp *d, const struct request *r)
{
	d->acquisition.general = 0;
	dpp_ack(d, ACK_OK, NULL, 0);
}

static void write_misc_data(struct dpp *d, const struct request *r)
{
	memcpy(d->misc_data, r->data, sizeof(d->misc_data));
	dpp_ack(d, ACK_OK, NULL, 0);
	stall(d, 300);
}

static void write_ethernet(struct dpp *d, const struct request *r)
{
	memcpy(d->ethernet, r->data, ETHERNET_SET_LEN);
	dpp_ack(d, ACK_OK, NULL, 0);
}

static void set_baud(struct dpp *d, const struct request *r)
{
	dpp_ack(d, r->data[0] <= 2 ? ACK_OK : ACK_PARAMETER, NULL, 0);
}

/* The noise is the same on every unit, so is the threshold; an MCA8000D has none. */
static void search_fast_threshold(struct dpp *d, const struct request *r)
{
	static const char found[] = "20.00";
	struct settings *s = &d->settings;
	s->is_fast_locked = settings_set(s, "THFA", found, strlen(found)) == ACK_OK;
	dpp_follow_settings(d);
	dpp_ack(d, ACK_OK, NULL, 0);
}

/* Keep-alive, and requests without an effect that is simulated. */
static void accept(struct dpp *d, const struct request *r)
{
	dpp_ack(d, ACK_OK, NULL, 0);
}

/* 20 allows other hosts to share the port, 21 does not, 22 locks it. */
static void keep_alive(struct dpp *d, const struct request *r)
{
	d->sharing = (uint8_t)(r->pid2 - 0x20 + 1);
	dpp_ack(d, ACK_OK, NULL, 0);
}

static void send_echo(struct dpp *d, const struct request *r)
{
	dpp_reply(d, 0x8F, 0x7F, r->data, r->len);
}

static const struct handler handlers[] = {
	{0x01, 0x01, 0, send_status, 0},
	{0x02, 0x01, 0, send_spectrum, 0},
	{0x02, 0x02, 0, send_spectrum, 0},
	{0x02, 0x03, 0, send_spectrum, 0},
	{0x02, 0x04, 0, send_spectrum, 0},
	{0x02, 0x05, 2, store_buffer, NEEDS_608 | NOT_DP5X},
	{0x02, 0x06, 2, store_buffer, NEEDS_608 | NOT_DP5X},
	{0x02, 0x07, 2, send_buffer, NEEDS_608 | NOT_DP5X},
	{0x03, 0x01, 0, reject_scope, 0},
	{0x03, 0x02, 0, send_misc_data, 0},
	{0x03, 0x03, 0, reject_scope, 0},
	{0x03, 0x04, 0, send_ethernet, 0},
	{0x03, 0x05, 0, send_diagnostic, 0},
	{0x03, 0x07, 0, send_netfinder, 0},
	{0x03, 0x08, ANY_LEN, reject_unsupported, 0},
	{0x03, 0x09, 0, reject_unsupported, 0},
	{0x03, 0x0A, 0, reject_calibration, ONLY_MCA8000D},
	{0x04, 0x01, 0, send_sca, 0},
	{0x04, 0x02, 0, send_sca, 0},
	{0x04, 0x03, 0, send_sca, 0},
	{0x20, 0x02, ANY_LEN, configure, 0},
	{0x20, 0x03, ANY_LEN, read_back, 0},
	{0x20, 0x04, ANY_LEN, configure, NEEDS_608},
	{0x30, 0x01, ANY_LEN, reject_pid, NEVER_SEND},
	{0x30, 0x02, ANY_LEN, reject_pid, NEVER_SEND},
	{0x30, 0x03, ANY_LEN, reject_pid, NEVER_SEND},
	{0x30, 0x05, ANY_LEN, reject_pid, NEVER_SEND},
	{0xF0, 0x01, 0, clear, 0},
	{0xF0, 0x02, 0, enable, 0},
	{0xF0, 0x03, 0, disable, 0},
	{0xF0, 0x04, 0, accept, 0},
	{0xF0, 0x05, 0, accept, 0},
	{0xF0, 0x06, 0, search_fast_threshold, 0},
	{0xF0, 0x09, MISC_DATA_LEN, write_misc_data, 0},
	{0xF0, 0x0A, ANY_LEN, reject_pid, NEVER_SEND},
	{0xF0, 0x0B, ANY_LEN, reject_pid, NEVER_SEND},
	{0xF0, 0x0C, ANY_LEN, reject_pid, NEVER_SEND},
	{0xF0, 0x0E, ANY_LEN, reject_pid, NEVER_SEND},
	{0xF0, 0x10, 0, clear_general, 0},
	{0xF0, 0x11, ETHERNET_SET_LEN, write_ethernet, 0},
	{0xF0, 0x12, ANY_LEN, reject_pid, NEVER_SEND},
	{0xF0, 0x13, 1, set_baud, 0},
	{0xF0, 0x14, ANY_LEN, reject_pid, NEVER_SEND},
	{0xF0, 0x15, ANY_LEN, reject_pid, NEVER_SEND},
	{0xF0, 0x16, 0, accept, 0},
	{0xF0, 0x19, ANY_LEN, reject_pid, NEVER_SEND},
	{0xF0, 0x1A, ANY_LEN, reject_pid, NEVER_SEND},
	{0xF0, 0x1E, ANY_LEN, accept, NEEDS_608 | NOT_DP5X},
	{0xF0, 0x1F, ANY_LEN, accept, NEEDS_608 | NOT_DP5X},
	{0xF0, 0x20, 0, keep_alive, 0},
	{0xF0, 0x21, 0, keep_alive, 0},
	{0xF0, 0x22, 0, keep_alive, 0},
	{COMM_TEST, 0x7F, ANY_LEN, send_echo, 0},
};

static const struct handler *find(const struct dpp *d, const struct request *r)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		const struct handler *c = &handlers[i];
		if (c->pid1 != r->pid1 || c->pid2 != r->pid2)
			continue;
		bool denied = (c->traits & NEEDS_608 && d->firmware < 60800) ||
			      (c->traits & NOT_DP5X && d->device->bit == DP5X) ||
			      (c->traits & ONLY_MCA8000D && d->device->bit != MCA8000D);
		return denied ? NULL : c;
	}
	return NULL;
}

void dpp_command(struct dpp *d, const struct request *r)
{
	const struct handler *c = find(d, r);
	if (sim_fault_active(d->model, FAULT_BUSY))
		dpp_ack(d, ACK_BUSY, NULL, 0);
	else if (r->pid1 == COMM_TEST && r->pid2 <= 0x0F) /* "F1 n" requests acknowledgement n */
		dpp_reply(d, 0xFF, r->len == 0 ? r->pid2 : ACK_LEN, NULL, 0);
	else if (c == NULL)
		dpp_ack(d, ACK_PID, NULL, 0);
	else if (c->len != ANY_LEN && r->len != (size_t)c->len)
		dpp_ack(d, ACK_LEN, NULL, 0);
	else {
		if (c->traits & NEVER_SEND)
			sim_truth(d->model, "forbidden", ",\"pid1\":%d,\"pid2\":%d", r->pid1,
				r->pid2);
		c->run(d, r);
	}
}

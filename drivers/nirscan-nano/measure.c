/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "decode.h"

enum {
	IS_SCANNING = 1 << 1, /* of the status */
	POLL_MS = 100,
	ESTIMATE_MAX_MS = 86400 * 1000,
	LAST_SCAN = 0, /* a type of file */
};

static int ask(struct assay_instrument *ins, enum nano_command which, struct reply *reply)
{
	struct nano *nano = ins->state;
	return exchange(ins, &nano->x, which, NULL, 0, reply);
}

/* --- identity --------------------------------------------------------------------------------- */

static int read_text(
	struct assay_instrument *ins, enum nano_command which, char *out, size_t size, size_t most)
{
	struct reply reply;
	int r = ask(ins, which, &reply);
	if (r < 0)
		return r;
	size_t max = reply.len < most ? reply.len : most;
	size_t len = strnlen((const char *)reply.data, max < size - 1 ? max : size - 1);
	for (size_t i = 0; i < len; i++)
		out[i] = reply.data[i] >= ' ' && reply.data[i] <= '~' ? (char)reply.data[i] : '?';
	out[len] = '\0';
	return 0;
}

int nano_identify(struct assay_instrument *ins, struct assay_identity *id)
{
	struct nano *nano = ins->state;
	struct reply reply;
	int r = exchange_clear(ins, &nano->x);
	if (r == 0)
		r = ask(ins, NANO_STATUS, &reply);
	if (r == 0)
		r = ask(ins, NANO_VERSIONS, &reply);
	if (r < 0)
		return r;
	uint32_t version = packet_u32(reply.data);
	snprintf(id->fw, sizeof(id->fw), "%u.%u.%u", version >> 16 & 0xff, version >> 8 & 0xff,
		version & 0xff);
	r = read_text(ins, NANO_SERIAL, id->serial, sizeof(id->serial), 8);
	if (r == 0)
		r = read_text(ins, NANO_MODEL, id->model, sizeof(id->model), 16);
	return r;
}

/* --- between runs ----------------------------------------------------------------------------- */

/* The unit only changes the state's record if it differs: half a degree, a whole percent. */
static void add_value(struct assay_values *out, const char *name, const struct reply *reply,
	size_t at, double step, const char *unit)
{
	if (reply->len < 8)
		return; /* a sensor failed */
	double value = (int32_t)packet_u32(reply->data + at) / 100.0;
	double steps = value / step + (value < 0 ? -0.5 : 0.5);
	assay_value(out, name, (double)(int64_t)steps * step, unit);
}

int nano_poll(struct assay_instrument *ins, struct assay_values *out)
{
	struct reply reply;
	int r = ask(ins, NANO_TEMPERATURES, &reply);
	if (r < 0)
		return r;
	add_value(out, "detector_temperature", &reply, 4, 0.5, "Cel");
	r = ask(ins, NANO_HUMIDITY, &reply);
	if (r < 0)
		return r;
	add_value(out, "board_temperature", &reply, 0, 0.5, "Cel");
	add_value(out, "humidity", &reply, 4, 1, "%");
	return 0;
}

/* --- scan ------------------------------------------------------------------------------------- */

static uint64_t timeout_ms(const struct assay_instrument *ins)
{
	return (uint64_t)(assay_number(ins->settings, "timeout") * 1000);
}

/* No command ends a scan: one that was aborted goes on, and the next one waits for its end. */
static int await_idle(struct assay_instrument *ins)
{
	struct nano *nano = ins->state;
	uint64_t end = assay_now_ms(ins) + timeout_ms(ins);
	for (;;) {
		uint32_t status;
		int r = exchange_number(ins, &nano->x, NANO_STATUS, &status);
		if (r < 0 || (status & IS_SCANNING) == 0)
			return r;
		if (assay_stopping(ins) || assay_now_ms(ins) >= end) {
			assay_explain(ins, "a scan that began before still runs");
			return -EPROTO;
		}
		r = assay_pause(ins, POLL_MS);
		if (r < 0)
			return r;
	}
}

/* The errors after a scan are to be those of this scan. */
static int clear_errors(struct assay_instrument *ins)
{
	struct nano *nano = ins->state;
	struct reply reply;
	uint32_t bits;
	int r = exchange_number(ins, &nano->x, NANO_ERRORS, &bits);
	if (r < 0 || bits == 0)
		return r;
	assay_log(
		ins, ASSAY_LOG_WARN, "the instrument had the errors 0x%03X before the scan", bits);
	return ask(ins, NANO_CLEAR_ERRORS, &reply);
}

/* A request whose reply was lost may have started the scan: the status shows it. */
static int begin(struct assay_instrument *ins)
{
	struct nano *nano = ins->state;
	struct reply reply;
	uint32_t status, estimate;
	int r = await_idle(ins);
	if (r == 0)
		r = clear_errors(ins);
	if (r == 0)
		r = exchange_number(ins, &nano->x, NANO_SCAN_TIME, &estimate);
	if (r < 0)
		return r;
	if (estimate > ESTIMATE_MAX_MS) {
		assay_explain(ins, "the instrument's estimate of a scan is %u ms", estimate);
		return -EBADMSG;
	}
	r = exchange(ins, &nano->x, NANO_SCAN, (uint8_t[]){0}, 1, &reply);
	if (r == -ETIMEDOUT || r == -EBADMSG) {
		assay_retried(ins);
		int s = exchange_number(ins, &nano->x, NANO_STATUS, &status);
		r = s == 0 && (status & IS_SCANNING) != 0 ? 0 : r;
	}
	if (r < 0)
		return r;
	nano->due = assay_now_ms(ins) + estimate / 5 * 4;
	nano->end = assay_now_ms(ins) + estimate + timeout_ms(ins);
	nano->is_scanning = true;
	return 0;
}

int nano_start(struct assay_instrument *ins)
{
	struct nano *nano = ins->state;
	nano->readings = 0;
	nano->is_scanning = false;
	return begin(ins);
}

/* 0 if the scan is over, else -EAGAIN or an error. */
static int poll_scan(struct assay_instrument *ins)
{
	struct nano *nano = ins->state;
	struct reply reply;
	uint64_t now = assay_now_ms(ins);
	if (now < nano->due)
		return assay_again(
			ins, nano->due - now < POLL_MS ? (int)(nano->due - now) : POLL_MS);
	int r = ask(ins, NANO_SCAN_DONE, &reply);
	if (r < 0 || reply.data[0] == 1)
		return r;
	if (now >= nano->end) {
		assay_explain(ins, "the scan is not over within its estimated time and `timeout`");
		return -ETIMEDOUT;
	}
	return assay_again(ins, POLL_MS);
}

/* --- file ------------------------------------------------------------------------------------- */

/* FNV-1a; never 0. */
static uint64_t hash_of(const uint8_t *bytes, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash | 1;
}

/* A chunk cannot be requested again: after an error the file is, from its start. */
static int download(struct assay_instrument *ins, size_t *size)
{
	struct nano *nano = ins->state;
	struct reply reply;
	int r = exchange(ins, &nano->x, NANO_FILE_SIZE, (uint8_t[]){LAST_SCAN}, 1, &reply);
	if (r < 0)
		return r;
	*size = packet_u32(reply.data);
	if (*size == 0 || *size > sizeof(nano->file)) {
		assay_explain(ins, "the scan file has %zu bytes, expected 1 to %zu", *size,
			sizeof(nano->file));
		return -EBADMSG;
	}
	for (size_t have = 0; have < *size; have += reply.len) {
		r = ask(ins, NANO_FILE_DATA, &reply);
		if (r < 0)
			return r;
		if (reply.len > *size - have) {
			assay_explain(ins, "the scan file is longer than its %zu bytes", *size);
			return -EBADMSG;
		}
		memcpy(nano->file + have, reply.data, reply.len);
	}
	return 0;
}

/* After a failed scan the file is that of the scan before. */
static int refuse_failed(struct assay_instrument *ins, const struct reply *errors)
{
	char causes[160];
	if ((packet_u32(errors->data) & ERROR_SCAN) == 0)
		return 0;
	unsigned code = errors->len > 4 ? errors->data[4] : 0;
	nano_scan_causes(code, causes, sizeof(causes));
	assay_explain(ins, "the scan failed: %s (code 0x%02X)",
		causes[0] != '\0' ? causes : "no cause is given", code);
	return -EPROTO;
}

static int fetch(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct nano *nano = ins->state;
	struct reply reply;
	struct scan scan;
	uint8_t errors[ERRORS_MAX];
	const char *why;
	size_t size;
	int r = ask(ins, NANO_ERRORS, &reply);
	if (r == 0)
		r = refuse_failed(ins, &reply);
	if (r < 0)
		return r;
	size_t len = reply.len < sizeof(errors) ? reply.len : sizeof(errors);
	memcpy(errors, reply.data, len);
	r = download(ins, &size);
	if (r < 0)
		return r;
	if (scan_open(nano->file, size, &scan, &why) < 0) {
		assay_explain(ins, "the scan file %s", why);
		return -EBADMSG;
	}
	uint64_t hash = hash_of(nano->file, size);
	if (hash == nano->last) {
		assay_explain(ins, "the scan file is that of the scan before");
		return -EBADMSG;
	}
	r = assay_raw_add(raw, SCAN_MEDIA, NULL, nano->file, size);
	if (r == 0)
		r = assay_raw_add(raw, ERRORS_MEDIA, NULL, errors, len);
	if (r < 0)
		return r;
	nano->last = hash;
	nano->is_scanning = false;
	return 0;
}

int nano_acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct nano *nano = ins->state;
	uint64_t readings = (uint64_t)assay_int(ins->settings, "readings");
	int r = 0;
	if (!nano->is_scanning && assay_stopping(ins))
		return ASSAY_DONE;
	if (!nano->is_scanning)
		r = begin(ins);
	if (r == 0)
		r = poll_scan(ins);
	if (r == 0)
		r = fetch(ins, raw);
	if (r < 0)
		return r;
	nano->readings++;
	bool is_last = (readings > 0 && nano->readings >= readings) || assay_stopping(ins);
	return is_last ? ASSAY_LAST : ASSAY_FRAME;
}

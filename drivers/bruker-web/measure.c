/* SPDX-License-Identifier: Apache-2.0 */
#include "measure.h"

#include <errno.h>
#include <string.h>

#include "command.h"
#include "measurement.h"
#include "page.h"
#include "settings.h"

#define PAGE_MS  10000 /* of one request */
#define FILE_MS  120000
#define START_MS 10000 /* from the command to the first scan */
#define READY_MS 60000 /* from the last scan to the file; from another program's scan to idle */

/* Requests a page.  The reply's body is borrowed until the next request. */
static int get(struct assay_instrument *ins, const char *path, size_t max, int ms,
	struct assay_http_reply *reply)
{
	struct assay_http_request request = {.path = path, .max = max};
	int r = assay_http(ins, &request, reply, ms);
	if (r == 0 && reply->status != 200) {
		assay_explain(ins, "GET %.100s: status %d, expected 200", path, reply->status);
		return -EPROTO;
	}
	return r;
}

static int read_status(struct assay_instrument *ins, struct page_status *status)
{
	struct assay_http_reply reply;
	int r = get(ins, "/stat.htm", PAGE_MAX, PAGE_MS, &reply);
	if (r < 0)
		return r;
	if (!page_status((const char *)reply.body, status)) {
		assay_explain(ins, "/stat.htm has no status MSTCO: is this a Bruker spectrometer?");
		return -EBADMSG;
	}
	return 0;
}

static int poll_ms(const struct assay_instrument *ins)
{
	return (int)(assay_number(ins->settings, "poll") * 1000);
}

static uint64_t timeout_ms(const struct assay_instrument *ins)
{
	return (uint64_t)(assay_number(ins->settings, "timeout") * 1000);
}

/* Waits until the state is `wanted`: 0, or 1 if it was not within `ms`; `*status` is the last one. */
static int await_state(
	struct assay_instrument *ins, enum page_state wanted, int ms, struct page_status *status)
{
	uint64_t end = assay_now_ms(ins) + (uint64_t)ms;
	for (;;) {
		int r = read_status(ins, status);
		if (r < 0 || status->state == wanted)
			return r;
		/* A start that is to stop waits for nothing. */
		if (assay_now_ms(ins) >= end || assay_stopping(ins))
			return 1;
		r = assay_pause(ins, poll_ms(ins));
		if (r < 0)
			return r;
	}
}

/* The server has no published page with the unit's identity. */
int bruker_identify(struct assay_instrument *ins, struct assay_identity *id)
{
	struct page_status status;
	id->declared = true;
	return read_status(ins, &status);
}

static int send_command(struct assay_instrument *ins, enum command_work work)
{
	char path[PATH_MAX_BYTES];
	struct page_status status;
	struct assay_http_reply reply;
	int r = await_state(ins, PAGE_IDLE, READY_MS, &status);
	if (r > 0) {
		assay_explain(ins,
			"the spectrometer is busy (status %s), perhaps for another program",
			status.word);
		return -EPROTO;
	}
	if (r < 0)
		return r;
	if (!command_write(ins->settings, work, path, sizeof(path)))
		return -EINVAL;
	return get(ins, path, PAGE_MAX, PAGE_MS, &reply);
}

int bruker_configure(struct assay_instrument *ins)
{
	int r = bruker_settings_refuse(ins);
	return r < 0 ? r : send_command(ins, WORK_APPLY);
}

/*
 * The server replies to a command that the instrument does not carry out, too.  Only the status
 * shows that it scans: else the file of the measurement before would be read as this one's.
 */
int bruker_start(struct assay_instrument *ins)
{
	struct bruker *state = ins->state;
	struct page_status status;
	int r = send_command(ins, WORK_MEASURE);
	state->is_measuring = r == 0;
	if (r == 0)
		r = await_state(ins, PAGE_SCANNING, START_MS, &status);
	state->is_scanned = false;
	state->done = -1;
	state->end = assay_now_ms(ins) + timeout_ms(ins);
	if (r > 0) {
		assay_explain(ins,
			"the spectrometer did not start to scan: compare `command` with the "
			"log of OPUS, or measure more scans if all take less than `poll`");
		return -EPROTO;
	}
	return r;
}

/*
 * 1 if the scans are over, else -EAGAIN or an error.  The time limit starts again with each scan.
 */
static int poll_scans(struct assay_instrument *ins)
{
	struct bruker *state = ins->state;
	struct page_status status;
	int r = read_status(ins, &status);
	if (r < 0)
		return r;
	uint64_t now = assay_now_ms(ins);
	if (status.state == PAGE_IDLE) {
		state->end = now + READY_MS;
		return 1;
	}
	if (status.done != state->done)
		state->end = now + timeout_ms(ins);
	state->done = status.done;
	if (status.done >= 0)
		assay_progress(ins, "scans_done", (double)status.done, "1");
	if (status.remaining >= 0)
		assay_progress(ins, "scans_remaining", (double)status.remaining, "1");
	if (now >= state->end) {
		assay_explain(ins, "no further scan within `timeout` (status %s)", status.word);
		return -ETIMEDOUT;
	}
	return assay_again(ins, poll_ms(ins));
}

/* 1 with the link to the file if it is ready, else -EAGAIN or an error. */
static int poll_file(struct assay_instrument *ins, char *path)
{
	const struct bruker *state = ins->state;
	struct assay_http_reply reply;
	int r = get(ins, "/datafile.htm", PAGE_MAX, PAGE_MS, &reply);
	if (r < 0)
		return r;
	bool is_ready = page_file((const char *)reply.body, path, PATH_MAX_BYTES);
	if (is_ready && path[0] != '\0')
		return 1;
	if (is_ready) {
		assay_explain(ins, "/datafile.htm has no usable link to the file");
		return -EBADMSG;
	}
	if (assay_now_ms(ins) >= state->end) {
		assay_explain(ins, "the file of the measurement is not ready for download");
		return -ETIMEDOUT;
	}
	return assay_again(ins, poll_ms(ins));
}

/* FNV-1a; never 0. */
static uint64_t hash_of(const uint8_t *bytes, size_t len)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash | 1;
}

int bruker_acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct bruker *state = ins->state;
	char path[PATH_MAX_BYTES];
	struct assay_http_reply reply;
	struct measurement m;
	char why[WHY_MAX];
	int r = state->is_scanned ? 1 : poll_scans(ins);
	state->is_scanned = r == 1;
	if (r == 1)
		r = poll_file(ins, path);
	if (r == 1)
		r = get(ins, path, FILE_MAX_BYTES, FILE_MS, &reply);
	if (r < 0)
		return r;
	if (measurement_open(&m, reply.body, reply.len, why) < 0) {
		assay_explain(ins, "%.100s: %s", path, why);
		return -EBADMSG;
	}
	uint64_t hash = hash_of(reply.body, reply.len);
	if (hash == state->last) {
		assay_explain(ins, "%.100s is the file of the measurement before", path);
		return -EBADMSG;
	}
	r = assay_raw_add(raw, OPUS_MEDIA, NULL, reply.body, reply.len);
	if (r < 0)
		return r;
	state->last = hash;
	state->is_measuring = false;
	return ASSAY_LAST;
}

/* No command to end a scan is published; the next start waits until the instrument is idle. */
int bruker_stop(struct assay_instrument *ins)
{
	struct bruker *state = ins->state;
	struct assay_http_reply reply;
	char path[PATH_MAX_BYTES] = "/cmd.htm?";
	const char *command = assay_text(ins->settings, "stop_command");
	bool is_cut = state->is_measuring && command != NULL && command_mistake(command) == NULL;
	state->is_measuring = false;
	if (!is_cut)
		return 0;
	strncat(path, command, sizeof(path) - strlen(path) - 1);
	return get(ins, path, PAGE_MAX, PAGE_MS, &reply);
}

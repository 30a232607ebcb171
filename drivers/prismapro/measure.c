/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of a measurement, and those before and after it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "request.h"
#include "slots.h"
#include "status.h"

#define IDLE_MS 5000

/* --- identify, poll --------------------------------------------------------------------------- */

/* As text or number; blanks around a text are removed later. */
static void put_text(char *to, size_t size, const json_t *value)
{
	if (json_is_string(value))
		snprintf(to, size, "%s", json_string_value(value));
	else if (json_is_integer(value))
		snprintf(to, size, "%lld", (long long)json_integer_value(value));
}

/* INFICON Transpectors have the same electronics, so make and model are not known. */
int prismapro_identify(struct assay_instrument *ins, struct assay_identity *id)
{
	struct reply reply;
	int r = request_get(ins, "/mmsp/electronicsInfo/get", WORD_MAX_BYTES, &reply, NULL);
	if (r < 0)
		return r;
	put_text(id->serial, sizeof(id->serial), reply_member(reply.data, "serialNumber"));
	put_text(id->fw, sizeof(id->fw), reply_member(reply.data, "monitorFWVersion"));
	reply_free(&reply);
	if (id->serial[0] != '\0')
		return 0;
	assay_explain(ins, "electronicsInfo has no serialNumber: is this a PrismaPro?");
	return -EBADMSG;
}

int prismapro_poll(struct assay_instrument *ins, struct assay_values *out)
{
	uint32_t word;
	int r = request_word(ins, "systemStatus", NULL, &word);
	if (r == 0)
		assay_value(out, "emission", (word & EMISSION_ON) != 0, "1");
	return r;
}

/* --- start ------------------------------------------------------------------------------------ */

/* Without a scan the instrument may refuse this, too. */
static int read_number(struct assay_instrument *ins, uint32_t *number)
{
	struct reply reply;
	struct scan scan;
	*number = 0;
	int r = request_get(ins, "/mmsp/measurement/scans/-1/get", SCAN_MAX_BYTES, &reply, NULL);
	if (r < 0)
		return r == -EPROTO ? 0 : r;
	if (reply_scan(reply.data, &scan))
		*number = scan.number;
	reply_free(&reply);
	return 0;
}

/* A scan may last twice its dwell times, for the mass filter settles at each point. */
static void await_from_now(struct assay_instrument *ins)
{
	struct prismapro *state = ins->state;
	state->idle_at = assay_now_ms(ins) + IDLE_MS;
	state->end = assay_now_ms(ins) + 2 * plan_scan_ms(&state->plan) +
		     (uint64_t)(assay_number(ins->settings, "timeout") * 1000);
}

/* This request also clears HAS_RESTARTED. */
static int read_first_status(struct assay_instrument *ins)
{
	uint32_t word;
	int r = request_word(ins, "systemStatus", NULL, &word);
	if (r == 0 && (word & EMISSION_ON) == 0)
		assay_log(ins, ASSAY_LOG_WARN,
			"the emission is off, and the setting `emission` does not switch it on");
	return r;
}

int prismapro_start(struct assay_instrument *ins)
{
	struct prismapro *state = ins->state;
	*state = (struct prismapro){.is_on = {state->is_on[0], state->is_on[1]}};
	int r = plan_refuse(ins);
	if (r < 0 || !plan_read(ins->settings, &state->plan))
		return -EINVAL;
	r = setup_take_control(ins);
	if (r == 0)
		r = setup_send(ins);
	if (r == 0)
		r = hazard_on(ins);
	if (r == 0)
		r = read_first_status(ins);
	if (r == 0)
		r = read_number(ins, &state->before);
	state->is_scanning = r == 0;
	if (r == 0)
		r = request_set(ins, "/mmsp/scanSetup/scanStart/set?1");
	await_from_now(ins);
	return r;
}

/* --- acquire ---------------------------------------------------------------------------------- */

static int refuse(struct assay_instrument *ins, const char *why)
{
	assay_explain(ins, "%s", why);
	return -EPROTO;
}

/*
 * Sources differ: scans count from 1 at each start, or count on.  The first one that comes must be
 * one of the two.
 */
static bool is_first(struct prismapro *state, uint32_t number)
{
	if (state->is_unsure || (number != 1 && number != state->before + 1))
		return false;
	state->done = number - 1;
	return true;
}

/*
 * Asks for the next scan and how far the instrument is: 1 if a scan is complete.  The scan is then
 * fetched by its number: a reply that is lost would take it along.
 */
static int look(struct assay_instrument *ins)
{
	struct prismapro *state = ins->state;
	struct reply reply;
	struct scan scan;
	uint32_t word = 0;
	int r = request_get(ins, "/mmsp/measurement/nextScan/get", SCAN_MAX_BYTES, &reply, NULL);
	state->is_unsure = state->is_unsure || (r < 0 && !state->is_numbered);
	if (r < 0)
		return r;
	bool is_scan = reply_scan(reply.data, &scan) &&
		       reply_unsigned(reply_member(reply.data, "systemStatus"), &word);
	reply_free(&reply);
	if (!is_scan) {
		assay_explain(ins,
			"nextScan: no scan with its status, or fewer values than it announces");
		return -EBADMSG;
	}
	if ((word & HAS_RESTARTED) != 0)
		return refuse(ins, "the instrument has restarted: its scan is lost");
	if (scan.count > 0 && !state->is_numbered) {
		state->is_numbered = is_first(state, scan.number);
		if (!state->is_numbered)
			return refuse(ins, "the number of the first scan is not known");
	}
	if (scan.count > 0 && scan.number > state->seen)
		state->seen = scan.number;
	if (state->is_numbered && state->seen > state->done)
		return 1;
	/* Not at once: a scan may need a moment to begin. */
	if ((word & SCAN_ACTIVE) != 0)
		state->idle_at = assay_now_ms(ins) + IDLE_MS;
	if (assay_now_ms(ins) >= state->idle_at)
		return refuse(ins, "the scan was ended at the instrument, or by another client");
	return 0;
}

static int store_scan(struct assay_instrument *ins, struct assay_raw *raw, uint32_t number)
{
	struct prismapro *state = ins->state;
	struct reply reply;
	struct assay_http_reply http;
	struct scan scan;
	char path[64];
	snprintf(path, sizeof(path), "/mmsp/measurement/scans/%u/get", number);
	int r = request_get(ins, path, SCAN_MAX_BYTES, &reply, &http);
	if (r < 0)
		return r;
	bool is_scan = reply_scan(reply.data, &scan) && scan.number == number;
	reply_free(&reply);
	if (!is_scan) {
		assay_explain(ins, "%s: not this scan, or fewer values than it announces", path);
		return -EBADMSG;
	}
	if (scan.count != state->plan.points) {
		assay_explain(ins,
			"%s: %zu values, expected %zu: another client has changed the scan", path,
			scan.count, state->plan.points);
		return -EPROTO;
	}
	return assay_raw_add(raw, JSON_MEDIA, SCAN_BLOCK, http.body, http.len);
}

static int store_status(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct prismapro *state = ins->state;
	uint32_t system, word;
	int r = request_word(ins, "systemStatus", raw, &system);
	if (r == 0)
		r = request_word(ins, "hardwareErrors", raw, &word);
	if (r == 0)
		r = request_word(ins, "hardwareWarnings", raw, &word);
	state->is_lost = r == 0 && status_lost(ins->settings, system) != NULL;
	return r;
}

int prismapro_acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct prismapro *state = ins->state;
	int64_t scans = assay_int(ins->settings, "scans");
	if (state->is_lost)
		return refuse(ins,
			"the instrument switched emission or multiplier off: see the last "
			"frame's status");
	int r = state->is_numbered && state->seen > state->done ? 1 : look(ins);
	if (r == 0 && assay_now_ms(ins) >= state->end) {
		assay_explain(ins, "no scan within twice its dwell times and `timeout`");
		return -ETIMEDOUT;
	}
	if (r == 0)
		return assay_again(ins, (int)(assay_number(ins->settings, "poll") * 1000));
	if (r > 0)
		r = store_scan(ins, raw, state->done + 1);
	if (r == 0)
		r = store_status(ins, raw);
	if (r < 0)
		return r;
	state->done++;
	state->count++;
	await_from_now(ins);
	assay_progress(ins, "scans_done", (double)state->count, "1");
	bool is_last = scans > 0 && state->count >= scans;
	state->is_scanning = !is_last;
	return is_last || assay_stopping(ins) ? ASSAY_LAST : ASSAY_FRAME;
}

/* --- stop ------------------------------------------------------------------------------------- */

int prismapro_stop(struct assay_instrument *ins)
{
	struct prismapro *state = ins->state;
	int r = state->is_scanning ? request_set(ins, "/mmsp/scanSetup/scanStop/set?1") : 0;
	if (r == 0)
		state->is_scanning = false;
	int off = hazard_off(ins);
	/* Without the control it has nothing to release. */
	if (r == 0 && off == 0)
		(void)request_set(ins, "/mmsp/communication/control/set?release");
	return off < 0 ? off : r;
}

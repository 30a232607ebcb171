/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of a measurement, and those before and after it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "request.h"
#include "run.h"
#include "slots.h"

#define COMMAND_MAX    400
#define METHOD_MISTAKE "method: expected the name of a method, of 100 characters at most"
#define UNRESERVED     "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~"

/* --- identify, poll --------------------------------------------------------------------------- */

int fusion_identify(struct assay_instrument *ins, struct assay_identity *id)
{
	json_t *serial = NULL;
	int r = request_value(ins, "/system/systemInfo/systemSerialNumber", &serial);
	if (r < 0)
		return r;
	snprintf(id->make, sizeof(id->make), "INFICON");
	snprintf(id->model, sizeof(id->model), "Micro GC Fusion");
	if (json_is_string(serial))
		snprintf(id->serial, sizeof(id->serial), "%s", json_string_value(serial));
	json_decref(serial);
	if (id->serial[0] != '\0')
		return 0;
	assay_explain(ins, "systemSerialNumber is no text: is this a Micro GC Fusion?");
	return -EBADMSG;
}

int fusion_poll(struct assay_instrument *ins, struct assay_values *out)
{
	struct station station;
	int r = request_station(ins, &station);
	if (r == 0)
		assay_value(out, "ready", station.state == STATION_READY, "1");
	return r;
}

/* --- start ------------------------------------------------------------------------------------ */

static int poll_ms(const struct assay_instrument *ins)
{
	return (int)(assay_number(ins->settings, "poll") * 1000);
}

static int refuse_state(struct assay_instrument *ins, const struct station *station)
{
	assay_explain(ins, "the state of the instrument is %s", station->word);
	return -EPROTO;
}

/*
 * 1 if a run could begin: ready, or with `resting` also a state in which a method can be loaded.  0: not
 * yet.
 */
static int look_for_ready(struct assay_instrument *ins, bool resting, struct station *station)
{
	int r = request_station(ins, station);
	if (r < 0)
		return r;
	if (station->has_sequence) {
		assay_explain(ins, "a sequence runs: stop it at the instrument");
		return -EPROTO;
	}
	if (station->state == STATION_ERROR || (station->state == STATION_RESTING && !resting))
		return refuse_state(ins, station);
	return station->state == STATION_READY || station->state == STATION_RESTING;
}

/* 1 if the run has begun, or is over already.  0: not yet. */
static int look_for_run(struct assay_instrument *ins, bool resting, struct station *station)
{
	const struct fusion *state = ins->state;
	char last[ID_MAX];
	int r = request_station(ins, station);
	if (r < 0 || station->state == STATION_RUNNING)
		return r < 0 ? r : 1;
	if (station->state == STATION_ERROR || station->state == STATION_RESTING)
		return refuse_state(ins, station);
	r = request_last_run(ins, last, sizeof(last));
	return r < 0 ? r : strcmp(last, state->before) != 0;
}

/* Looks until it is 1. */
static int await(struct assay_instrument *ins,
	int (*look)(struct assay_instrument *, bool, struct station *), bool resting)
{
	uint64_t end = assay_now_ms(ins) +
		       (uint64_t)(assay_number(ins->settings, "ready_timeout") * 1000);
	for (;;) {
		struct station station;
		int r = look(ins, resting, &station);
		if (r != 0)
			return r < 0 ? r : 0;
		if (assay_stopping(ins) || assay_now_ms(ins) >= end) {
			assay_explain(ins, "no run within `ready_timeout`: the state is still %s",
				station.word);
			return -EPROTO;
		}
		r = assay_pause(ins, poll_ms(ins));
		if (r < 0)
			return r;
	}
}

/* False if the method has no name that can be sent. */
static bool put_load_command(const struct assay_settings *s, char *text, size_t size)
{
	const char *method = assay_has(s, "method") ? assay_text(s, "method") : "";
	bool has_name = method[0] != '\0';
	size_t n = (size_t)snprintf(
		text, size, "loadMethod?methodLocation=/v1/methods/userMethods/");
	for (; *method != '\0' && n + 4 < size; method++)
		n += (size_t)snprintf(text + n, size - n,
			strchr(UNRESERVED, *method) != NULL ? "%c" : "%%%02X",
			(unsigned char)*method);
	return has_name && *method == '\0';
}

void fusion_check(const struct assay_settings *s, struct assay_check *out)
{
	char load[COMMAND_MAX];
	if (!put_load_command(s, load, sizeof(load)))
		assay_check_error(out, "method", "%s", METHOD_MISTAKE);
}

int fusion_start(struct assay_instrument *ins)
{
	struct fusion *state = ins->state;
	char load[COMMAND_MAX];
	*state = (struct fusion){.is_running = false};
	if (!put_load_command(ins->settings, load, sizeof(load))) {
		assay_explain(ins, "%s", METHOD_MISTAKE);
		return -EINVAL;
	}
	int r = await(ins, look_for_ready, true);
	if (r == 0)
		r = request_command(ins, load);
	if (r == 0)
		r = await(ins, look_for_ready, false);
	if (r == 0)
		r = request_last_run(ins, state->before, sizeof(state->before));
	state->is_running = r == 0;
	if (r == 0)
		r = request_command(ins, "run?runWhenReady=true");
	if (r == 0)
		r = await(ins, look_for_run, false);
	state->begin = assay_now_ms(ins);
	state->end = state->begin + (uint64_t)(assay_number(ins->settings, "run_timeout") * 1000);
	return r;
}

/* --- acquire ---------------------------------------------------------------------------------- */

/* 1 with the run's bytes in `reply` if it is whole, or will not become so any more; 0: not yet. */
static int fetch(
	struct assay_instrument *ins, const char *id, bool is_ready, struct assay_http_reply *reply)
{
	char path[ID_MAX + 16], why[WHY_MAX];
	struct run run;
	snprintf(path, sizeof(path), "/runData/%s", id);
	int r = request_any(ins, path, RUN_MAX_BYTES, reply);
	if (r < 0)
		return r;
	if (reply->status != 200 || !run_read(reply->body, reply->len, &run, why)) {
		assay_explain(ins, "%s: status %d, %s", path, reply->status,
			reply->status != 200 ? "expected 200" : why);
		return reply->status != 200 ? -EPROTO : -EBADMSG;
	}
	const char *method = assay_text(ins->settings, "method");
	bool is_other = strcmp(run.method, method) != 0;
	r = is_ready || run_is_whole(&run);
	run_free(&run);
	if (!is_other)
		return r;
	assay_explain(ins, "%s is a run of another method than %.100s", path, method);
	return -EPROTO;
}

int fusion_acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct fusion *state = ins->state;
	struct assay_http_reply reply;
	struct station station;
	char last[ID_MAX] = "";
	int r = request_station(ins, &station);
	if (r < 0)
		return r;
	assay_progress(ins, "elapsed", (double)(assay_now_ms(ins) - state->begin) / 1000, "s");
	if (station.state == STATION_ERROR)
		return refuse_state(ins, &station);
	if (station.state != STATION_RUNNING)
		r = request_last_run(ins, last, sizeof(last));
	bool has_run = last[0] != '\0' && strcmp(last, state->before) != 0;
	if (r == 0 && has_run)
		r = fetch(ins, last, station.state == STATION_READY, &reply);
	if (r == 0 && assay_now_ms(ins) >= state->end) {
		assay_explain(ins, "no data of the run within `run_timeout`: the state is %s",
			station.word);
		return -EPROTO;
	}
	if (r <= 0)
		return r < 0 ? r : assay_again(ins, poll_ms(ins));
	r = assay_raw_add(raw, "application/json", "run", reply.body, reply.len);
	if (r < 0)
		return r;
	state->is_running = false;
	return ASSAY_LAST;
}

/* --- stop ------------------------------------------------------------------------------------- */

/* A run that goes on to its end leaves the columns clean; the next start waits for it. */
int fusion_stop(struct assay_instrument *ins)
{
	struct fusion *state = ins->state;
	bool is_cut = state->is_running && assay_flag(ins->settings, "abort_run");
	state->is_running = false;
	return is_cut ? request_command(ins, "abort") : 0;
}

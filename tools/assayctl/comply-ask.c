/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client.h"
#include "comply.h"

#define ANSWER_SECONDS 10
#define START_SECONDS  300 /* a filament settles, a detector cools */
#define LOOK_MS        40

bool comply_pause(struct comply *c, unsigned ms)
{
	const struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
	if (!c->is_interrupted && sigtimedwait(&c->signals, NULL, &time) > 0)
		c->is_interrupted = true;
	if (c->is_interrupted)
		comply_skip(c, "interrupted by a signal");
	return c->is_interrupted;
}

int comply_ask(struct comply *c, struct control_request *request, unsigned seconds,
	struct control_reply *reply)
{
	int r = control_send(c->control, request, (int)seconds * 1000, reply);
	if (r < 0)
		comply_fail(c, "the daemon does not answer: %s",
			r == -ETIMEDOUT ? "not in time" : strerror(-r));
	return r;
}

static void request_init(const struct comply *c, struct control_request *request, const char *op)
{
	control_request_init(request, op);
	map_text(&request->map, "instrument", c->how.instrument);
}

/* The text of a rejection. */
static void fail_rejected(struct comply *c, const char *op, const struct control_reply *reply)
{
	char text[COMPLY_TEXT / 2];
	print_safe(text, sizeof text, reply->error.text);
	comply_fail(c, "%s was rejected: %s", op, text);
}

/* --- the instrument -------------------------------------------------------------------------- */

int comply_status(struct comply *c, struct shown_instrument *now)
{
	struct control_request request;
	struct control_reply reply;
	struct reader list;
	request_init(c, &request, "status");
	*now = (struct shown_instrument){0};
	int r = comply_ask(c, &request, ANSWER_SECONDS, &reply);
	if (r == 0 && (print_open_list(reply.body, "instruments", &list) == 0 ||
			      keys_read(&list, &shown_instrument_keys, now, NULL) < 0)) {
		comply_fail(c, "the daemon's status lacks the instrument");
		r = -EBADMSG;
	} else if (r > 0) {
		fail_rejected(c, "status", &reply);
		r = -EPROTO;
	}
	control_reply_finish(&reply);
	return r;
}

int comply_wait_idle(struct comply *c)
{
	uint64_t until = clock_boot() + c->how.patience_s * NS_PER_S;
	struct shown_instrument now;
	do {
		if (comply_status(c, &now) < 0)
			return -1;
		if (strcmp(now.state, "idle") == 0)
			return 0;
		if (clock_boot() > until) {
			comply_fail(c, "the instrument is %s instead of idle for %u s%s%.200s",
				now.state, (unsigned)c->how.patience_s,
				now.text[0] != '\0' ? ": " : "", now.text);
			return -1;
		}
	} while (!comply_pause(c, LOOK_MS));
	return -1;
}

/* A run as `run-show` has it. */
struct shown_run {
	char status[32];
	uint64_t frames;
};

static const struct keys shown_run_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct shown_run, status),
		ROW_UINT(struct shown_run, frames), {0}},
	.open = true};

static int show_run(struct comply *c, const char *number, struct shown_run *run)
{
	struct control_request request;
	struct control_reply reply;
	control_request_init(&request, "run-show");
	map_text(&request.map, "number", number);
	*run = (struct shown_run){0};
	int r = comply_ask(c, &request, ANSWER_SECONDS, &reply);
	struct assay_span row = keys_value(reply.body, string_of("run"));
	if (r == 0)
		keys_decode(&shown_run_keys, row.data, row.len, run);
	else if (r > 0)
		fail_rejected(c, "run-show", &reply);
	control_reply_finish(&reply);
	return r == 0 ? 0 : -1;
}

int comply_wait_end(struct comply *c, const char *number, uint64_t enough)
{
	uint64_t until = clock_boot() + c->how.patience_s * NS_PER_S;
	struct shown_run run;
	do {
		if (show_run(c, number, &run) < 0)
			return -1;
		if (run.status[0] != '\0')
			return 0;
		if (enough != 0 && run.frames >= enough) {
			enough = 0;
			if (comply_end(c, "run-stop") < 0)
				return -1;
		}
		if (clock_boot() > until) {
			comply_fail(c, "run %s has no end after %u s", number,
				(unsigned)c->how.patience_s);
			return -1;
		}
	} while (!comply_pause(c, LOOK_MS));
	return -1;
}

/* --- runs ------------------------------------------------------------------------------------ */

static const struct keys started_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct comply_started, number), {0}}, .open = true};

static void start_init(const struct comply *c, const char *method, struct control_request *request)
{
	request_init(c, request, "run-start");
	map_text(&request->map, "sample", c->how.sample);
	map_text(&request->map, "operator", c->how.person);
	map_text(&request->map, "method", method);
	map_text(&request->map, "note", "assayctl comply");
}

static void take_start(const struct control_reply *reply, int r, struct comply_started *started)
{
	*started = (struct comply_started){0};
	if (r == 0)
		keys_decode(&started_keys, reply->body.data, reply->body.len, started);
	if (r <= 0)
		return;
	print_safe(started->code, sizeof started->code, reply->error.code);
	print_safe(started->text, sizeof started->text, reply->error.text);
}

static void note_run(struct comply *c, const struct comply_started *started)
{
	if (started->number[0] == '\0')
		return;
	json_array_append_new(json_object_get(c->row, "runs"), json_string(started->number));
}

int comply_try_start(struct comply *c, const char *method, struct comply_started *started)
{
	struct control_request request;
	struct control_reply reply;
	start_init(c, method, &request);
	int r = comply_ask(c, &request, START_SECONDS, &reply);
	take_start(&reply, r, started);
	note_run(c, started);
	control_reply_finish(&reply);
	return r < 0 ? r : 0;
}

int comply_start(struct comply *c, const char *method, char number[COMPLY_NUMBER])
{
	struct comply_started started;
	if (comply_try_start(c, method, &started) < 0)
		return -1;
	snprintf(number, COMPLY_NUMBER, "%s", started.number);
	if (started.number[0] == '\0')
		comply_fail(c, "run-start was rejected: %.300s", started.text);
	return started.number[0] != '\0' ? 0 : -1;
}

struct comply_starter {
	struct comply *c;
	struct requester *requester;
	struct control_request request;
	pthread_t thread;
	struct comply_started started;
	int result;
	atomic_bool is_answered;
};

static void *start_apart(void *arg)
{
	struct comply_starter *starter = arg;
	struct control_reply reply;
	starter->result = control_send(
		starter->requester, &starter->request, START_SECONDS * 1000, &reply);
	take_start(&reply, starter->result, &starter->started);
	control_reply_finish(&reply);
	atomic_store(&starter->is_answered, true);
	return NULL;
}

struct comply_starter *comply_start_apart(struct comply *c)
{
	struct comply_starter *starter = calloc(1, sizeof *starter);
	if (starter == NULL)
		return NULL;
	starter->c = c;
	if (requester_create(&starter->requester, NULL, c->options->control, &c->options->keys) <
		0) {
		comply_fail(c, "no memory for another connection");
		free(starter);
		return NULL;
	}
	start_init(c, c->how.method, &starter->request);
	if (pthread_create(&starter->thread, NULL, start_apart, starter) != 0) {
		comply_fail(c, "no further thread");
		control_request_finish(&starter->request);
		requester_destroy(starter->requester);
		free(starter);
		return NULL;
	}
	return starter;
}

bool comply_start_is_answered(struct comply_starter *starter)
{
	return atomic_load(&starter->is_answered);
}

void comply_start_join(struct comply_starter *starter, struct comply_started *started)
{
	pthread_join(starter->thread, NULL);
	if (starter->result < 0)
		comply_fail(
			starter->c, "run-start is not answered: %s", strerror(-starter->result));
	*started = starter->started;
	note_run(starter->c, started);
	requester_destroy(starter->requester);
	free(starter);
}

int comply_end(struct comply *c, const char *op)
{
	struct control_request request;
	struct control_reply reply;
	struct comply_started ended = {0};
	request_init(c, &request, op);
	int r = comply_ask(c, &request, ANSWER_SECONDS, &reply);
	bool is_none = r > 0 && assay_string_is(reply.error.code, "not-found");
	if (r == 0)
		keys_decode(&started_keys, reply.body.data, reply.body.len, &ended);
	else if (r > 0 && !is_none)
		fail_rejected(c, op, &reply);
	control_reply_finish(&reply);
	if (r == 0)
		return ended.number[0] != '\0' ? 1 : 2;
	return is_none ? 0 : -1;
}

/* --- settings, faults ------------------------------------------------------------------------ */

int comply_set(struct comply *c, const char *name, size_t name_len, const char *value)
{
	struct control_request request;
	struct control_reply reply;
	struct map settings;
	request_init(c, &request, "set");
	map_key(&request.map, "settings");
	map_open(&settings, &request.bytes);
	settings.pairs++;
	encode_text_n(&request.bytes, name, name_len);
	encode_text(&request.bytes, value);
	map_close(&settings);
	int r = comply_ask(c, &request, START_SECONDS, &reply);
	if (r > 0)
		fail_rejected(c, "set", &reply);
	control_reply_finish(&reply);
	return r == 0 ? 0 : -1;
}

const struct keys comply_setting_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct comply_setting, name),
		ROW_TEXT(struct comply_setting, from), ROW_RAW(struct comply_setting, value),
		ROW_RAW(struct comply_setting, read_back), ROW_BOOL(struct comply_setting, hazard),
		ROW_BOOL(struct comply_setting, calibration), {0}},
	.open = true};

int comply_describe(struct comply *c, struct control_reply *reply, struct reader *list)
{
	struct control_request request;
	request_init(c, &request, "describe");
	int r = comply_ask(c, &request, ANSWER_SECONDS, reply);
	if (r > 0)
		fail_rejected(c, "describe", reply);
	struct assay_span unit = keys_value(reply->body, string_of("instrument"));
	return r == 0 ? (int)print_open_list(unit, "settings", list) : -1;
}

int comply_reload(struct comply *c)
{
	struct control_request request;
	struct control_reply reply;
	control_request_init(&request, "reload");
	int r = comply_ask(c, &request, START_SECONDS, &reply);
	if (r > 0)
		fail_rejected(c, "reload", &reply);
	control_reply_finish(&reply);
	return r == 0 ? 0 : -1;
}

int comply_fault(struct comply *c, const char *faults)
{
	struct control_request request;
	struct control_reply reply;
	request_init(c, &request, "fault");
	map_text(&request.map, "faults", faults);
	int r = comply_ask(c, &request, ANSWER_SECONDS, &reply);
	if (r > 0)
		fail_rejected(c, "fault", &reply);
	control_reply_finish(&reply);
	return r == 0 ? 0 : -1;
}

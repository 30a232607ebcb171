/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The paths.  The status of a refused command is not published; /v1/methods alone is 500 on the
 * instrument.  Here 500 for all, 404 for unknown paths and 405 for wrong methods.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fusion.h"

#define MANAGER     "/v1/scm/sessions/system-manager"
#define METHODS     "/v1/methods/userMethods"
#define RUN_DATA    "/runData"
#define NOT_FOUND   404
#define NOT_ALLOWED 405
#define FAILED      500
#define UNAVAILABLE 503
#define LIVE_SCALE  100000.0

static void refuse(struct fusion *f, struct sim_http_reply *reply, unsigned status, const char *why)
{
	reply->status = status;
	fprintf(reply->body, "{\"error\":\"%s\"}", why);
	sim_truth(f->m, "refused", ",\"status\":%u", status);
}

static void send_json(struct sim_http_reply *reply, const json_t *json)
{
	json_dumpf(json, reply->body, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
}

typedef void route(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now);

static void send_state(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	fprintf(reply->body, "[\"public:sequence-not-loaded\",\"public:%s\"]",
		fusion_state_name(f));
}

static void send_methods(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	json_t *names = json_array();
	for (size_t i = 0; column_method(i) != NULL; i++)
		json_array_append_new(names, json_string(column_method(i)->name));
	send_json(reply, names);
	json_decref(names);
}

static void fail_methods(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	refuse(f, reply, FAILED, "methods");
}

static void send_last(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	const struct fusion_run *run = runs_find(f, NULL);
	if (run == NULL)
		refuse(f, reply, NOT_FOUND, "no run");
	else
		fprintf(reply->body, "{\"dataLocation\":\"" RUN_DATA "/%s\"}", run->uuid);
}

/* "", or "/<uuid>" */
static void send_runs(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	const struct fusion_run *run = rest[0] == '/' ? runs_find(f, rest + 1) : NULL;
	if (rest[0] != '\0') {
		if (run == NULL)
			refuse(f, reply, NOT_FOUND, "no such run");
		else
			send_json(reply, run->json);
		return;
	}
	const char *limit_text = sim_http_argument(request, "limit");
	double limit = FUSION_RUNS;
	if (limit_text != NULL && (number_parse(limit_text, &limit) < 0 || limit < 0)) {
		refuse(f, reply, FAILED, "limit");
		return;
	}
	json_t *list = json_array();
	unsigned kept = f->n_runs < FUSION_RUNS ? f->n_runs : FUSION_RUNS;
	for (unsigned i = 1; i <= kept && i <= limit; i++)
		json_array_append(list, f->runs[(f->n_runs - i) % FUSION_RUNS].json);
	json_t *all = json_pack("{s:o,s:i}", "runs", list, "totalCount", (int)kept);
	send_json(reply, all);
	json_decref(all);
}

static void send_text(struct sim_http_reply *reply, const char *text)
{
	fprintf(reply->body, "\"%s\"", text);
}

static void send_serial(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	char serial[16];
	snprintf(serial, sizeof serial, "%u",
		f->plan.serial + sim_fault_active(f->m, FAULT_WRONG_IDENTITY));
	send_text(reply, serial);
}

static void send_part(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	send_text(reply, "952-701-SIM");
}

static void send_host(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	send_text(reply, "fusion-sim");
}

static void send_modules(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	fprintf(reply->body, "%d", COLUMN_MODULES - 1);
}

/* "/fpga1/det/core/0/data": a number, or the bytes of a float as text. */
static void send_live(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	bool is_known = strncmp(rest, "/fpga", 5) == 0 && rest[5] >= '1' &&
			rest[5] < '1' + COLUMN_MODULES && strcmp(rest + 6, "/det/core/0/data") == 0;
	if (!is_known) {
		refuse(f, reply, NOT_FOUND, "no such module");
		return;
	}
	bool runs = f->state == FUSION_RUNNING;
	const struct column_method *method = f->method != NULL ? f->method : column_method(0);
	double seconds = runs ? (double)(now - f->injected) / 1e9 : 0;
	float value = (float)(column_signal(method, (size_t)(rest[5] - '1'), seconds,
				      runs ? f->scale : 0) /
			      LIVE_SCALE);
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	if (f->plan.sends_hex)
		fprintf(reply->body, "\"0x%08X\"", bits);
	else
		fprintf(reply->body, "%.9g", (double)value);
}

/* ---- commands ---- */

static void finish(struct fusion *f, struct sim_http_reply *reply, int r)
{
	if (r == -EBUSY)
		refuse(f, reply, FAILED, "not in this state");
	else if (r < 0)
		refuse(f, reply, FAILED, "no method");
	else
		fputs("{}", reply->body);
}

static void load(struct fusion *f, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	const char *where = sim_http_argument(request, "methodLocation");
	const struct column_method *method = NULL;
	if (where != NULL && strncmp(where, METHODS "/", strlen(METHODS "/")) == 0)
		method = column_find(where + strlen(METHODS "/"));
	if (method == NULL)
		refuse(f, reply, FAILED, "no such method");
	else
		finish(f, reply, runs_load(f, method, now));
}

/* By its body: {"runWhenReady": true, "annotations": {...}}; 0 or -EINVAL. */
static int read_body(struct fusion *f, const struct sim_http_request *request, bool *when_ready)
{
	json_t *body = json_loadb(
		(const char *)request->body, request->body_len, JSON_REJECT_DUPLICATES, NULL);
	json_t *annotations = json_object_get(body, "annotations");
	const json_t *ready = json_object_get(body, "runWhenReady");
	bool is_good = json_is_object(body) && (ready == NULL || json_is_boolean(ready)) &&
		       (annotations == NULL || json_is_object(annotations));
	*when_ready = json_is_true(ready);
	if (is_good && annotations != NULL) {
		json_decref(f->annotations);
		f->annotations = json_incref(annotations);
	}
	json_decref(body);
	return is_good ? 0 : -EINVAL;
}

static void run(struct fusion *f, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	const char *text = sim_http_argument(request, "runWhenReady");
	bool when_ready = text != NULL && strcmp(text, "true") == 0;
	if (strcmp(request->method, "POST") == 0 && read_body(f, request, &when_ready) < 0) {
		refuse(f, reply, FAILED, "body");
		return;
	}
	int r = runs_start(f, when_ready, now);
	if (r < 0)
		finish(f, reply, r);
	else
		fprintf(reply->body, "{\"runWhenReady\":\"%s\"}", when_ready ? "true" : "false");
}

static void run_posted(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	run(f, request, reply, now);
}

static void bake(struct fusion *f, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	const char *text = sim_http_argument(request, "duration");
	uint64_t ns;
	if (text == NULL || duration_parse(text, &ns) < 0)
		refuse(f, reply, FAILED, "duration");
	else
		finish(f, reply, runs_bake(f, ns, now));
}

static void command(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	if (strcmp(rest, "loadMethod") == 0) {
		load(f, request, reply, now);
	} else if (strcmp(rest, "run") == 0) {
		run(f, request, reply, now);
	} else if (strcmp(rest, "bakeout") == 0) {
		bake(f, request, reply, now);
	} else if (strcmp(rest, "abort") == 0) {
		runs_abort(f, now);
		fputs("{}", reply->body);
	} else if (strcmp(rest, "stop") == 0) {
		fputs("{}", reply->body); /* there is no sequence */
	} else {
		refuse(f, reply, FAILED, "no such command");
	}
}

static void set_clock(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	double seconds;
	if (number_parse((const char *)request->body, &seconds) < 0 || seconds < 0 ||
		seconds > 1e11) {
		refuse(f, reply, FAILED, "date");
		return;
	}
	f->clock_offset = (int64_t)seconds - f->plan.started -
			  (int64_t)(now / UINT64_C(1000000000));
	fputs("{}", reply->body);
}

static void forbid(struct fusion *f, const char *rest, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	sim_truth(f->m, "forbidden", ",\"bytes\":%zu", request->body_len);
	refuse(f, reply, NOT_ALLOWED, "not in a simulator");
}

static const struct {
	const char *method, *path;
	bool is_prefix; /* the rest is the route's */
	route *answer;
} known_routes[] = {
	{"GET", MANAGER "/publicConfiguration", false, send_state},
	{"GET", MANAGER "!cmd.", true, command},
	{"POST", MANAGER "!cmd.run", false, run_posted},
	{"GET", METHODS, false, send_methods},
	{"GET", "/v1/methods", false, fail_methods},
	{"GET", "/v1/lastRun", false, send_last},
	{"GET", RUN_DATA, true, send_runs},
	{"PUT", "/v1" RUN_DATA "/", true, forbid},
	{"DELETE", "/v1" RUN_DATA "/", true, forbid},
	{"GET", "/system/systemInfo/systemSerialNumber", false, send_serial},
	{"GET", "/system/systemInfo/systemPartNumber", false, send_part},
	{"GET", "/system/systemInfo/hostname", false, send_host},
	{"GET", "/system/systemSpec/numberOfModules", false, send_modules},
	{"GET", "/fpgaManager", true, send_live},
	{"PUT", "/networkConfig/date", false, set_clock},
};

void routes_answer(struct fusion *f, const struct sim_http_request *request,
	struct sim_http_reply *reply, uint64_t now)
{
	bool is_known = false;
	reply->type = "application/json";
	if (sim_fault_active(f->m, FAULT_BUSY)) {
		refuse(f, reply, UNAVAILABLE, "busy");
		return;
	}
	for (size_t i = 0; i < sizeof known_routes / sizeof known_routes[0]; i++) {
		size_t len = strlen(known_routes[i].path);
		if (known_routes[i].is_prefix
				? strncmp(known_routes[i].path, request->path, len) != 0
				: strcmp(known_routes[i].path, request->path) != 0)
			continue;
		is_known = true;
		if (strcmp(known_routes[i].method, request->method) != 0)
			continue;
		known_routes[i].answer(f, request->path + len, request, reply, now);
		return;
	}
	refuse(f, reply, is_known ? NOT_ALLOWED : NOT_FOUND, "no such resource");
}

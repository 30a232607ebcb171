/* SPDX-License-Identifier: Apache-2.0 */
/* INFICON Micro GC Fusion: a gas chromatograph behind its web server. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "fusion.h"

#define SERIAL_MAX 99999999

static const struct sim_option options[] = {
	{"serial", "N", "9990700", "serial number; 9990700 to 9990799 belong to simulators"},
	{"rate", "N", "20", "values per second of a detector"},
	{"run", "S", "300", "seconds of a run"},
	{"noise", "X", "2", "of a value, one standard deviation"},
	{"run-fails", "STATE", "no",
		"a run ends in a state: no, error-carrier-gas-pressure, error-running-too-long, "
		"error-moduleA"},
	{"live", "FORM", "number", "of the live signal: number, hex"},
	SIM_HTTP_OPTIONS,
	{0},
};

static int fusion_init(struct sim_model *m, const struct sim_options *o)
{
	static const char *const failures[] = {"no", "error-carrier-gas-pressure",
		"error-running-too-long", "error-moduleA", NULL};
	static const char *const forms[] = {"number", "hex", NULL};
	struct fusion *f = m->state;
	int64_t serial, rate;
	int failure = options_choice(o, "run-fails", failures);
	int form = options_choice(o, "live", forms);
	f->m = m;
	if (failure < 0 || form < 0 || options_integer(o, "serial", 0, SERIAL_MAX, &serial) < 0 ||
		options_integer(o, "rate", 1, 100, &rate) < 0 ||
		options_number(o, "run", 1, 3600, &f->plan.run_s) < 0 ||
		options_number(o, "noise", 0, 1e6, &f->plan.noise) < 0)
		return -EINVAL;
	f->plan.serial = (uint32_t)serial;
	f->plan.rate = (unsigned)rate;
	f->plan.run_fails = failures[failure];
	f->plan.sends_hex = form == 1;
	f->plan.started = time(NULL);
	f->due = SIM_NEVER;
	return 0;
}

static void fusion_finish(struct sim_model *m)
{
	struct fusion *f = m->state;
	json_decref(f->annotations);
	for (size_t i = 0; i < FUSION_RUNS; i++)
		json_decref(f->runs[i].json);
}

static void fusion_tick(struct sim_model *m, uint64_t now)
{
	runs_advance(m->state, now);
}

static uint64_t fusion_next_wakeup(struct sim_model *m, uint64_t now)
{
	const struct fusion *f = m->state;
	return f->due;
}

static void fusion_respond(
	struct sim_model *m, const struct sim_http_request *request, struct sim_http_reply *reply)
{
	routes_answer(m->state, request, reply, m->now);
}

const struct sim_model_ops fusion_model = {
	.name = "micro-gc-fusion",
	.serial_first = 9990700,
	.serial_last = 9990799,
	.summary = "INFICON Micro GC Fusion gas chromatograph behind its web server",
	.state_size = sizeof(struct fusion),
	.options = options,
	.transports = 1U << SIM_TCP,
	.init = fusion_init,
	.finish = fusion_finish,
	.tick = fusion_tick,
	.next_wakeup = fusion_next_wakeup,
	.respond = fusion_respond,
	.run = sim_http_run,
	.run_transports = 1U << SIM_TCP,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Gas analysers on Modbus, stack (FTIR) and process (GC): RTU on a pseudo-terminal, TCP on one or many ports. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "frame.h"
#include "plant.h"
#include "server.h"

#define UNITS_MAX   32
#define PORTS_MAX   256
#define UNIT_ID_MAX 247
#define SILENCE_NS  20000000 /* for 3.5 characters; a pseudo-terminal has no exact timing */
#define FIXED_START 1767225600
#define NS_PER_S    1e9

struct modbus_state {
	struct modbus_plant plant;
	uint8_t in[2 * FRAME_MAX]; /* RTU */
	size_t in_len;
	uint64_t heard;
};

static const struct sim_option options[] = {
	{"profile", "NAME", "sick-mcs100ft",
		"register map: sick-mcs100ft, gasmet-cx4000, generic, daniel-2251 or "
		"daniel-2251-registers"},
	{"units", "ID,ID", "1", "unit ids that answer, each an analyser of its own"},
	{"ports", "N", "1", "TCP: listen on N consecutive ports, each with its own analysers"},
	{"word-order", "ORDER", "profile", "of 32-bit values: cdab, abcd, or profile for its own"},
	{"address-offset", "N", "0", "shift of all addresses of the map: -1, 0 or 1"},
	{"streams", "N", "1", "daniel-2251: streams that it analyses in turn"},
	{"extras", NULL, NULL, "serve the optional areas of the profile too"},
	{"cycle", "LIST", "normal",
		"states and their seconds, as normal:3540,zero:60; also calibrating, maintenance, "
		"fault"},
	{"interval", "S", "1", "seconds between two measurements"},
	{"fixed", "SET", "no", "values that never change: example, bench; or no"},
	{0},
};

/* "1,2,3" */
static int read_units(const struct sim_options *o, uint8_t *ids, size_t *n)
{
	const char *text = options_text(o, "units"), *at = text;
	for (*n = 0; *n < UNITS_MAX; at++) {
		unsigned id = 0;
		const char *start = at;
		for (; *at >= '0' && *at <= '9' && id <= UNIT_ID_MAX; at++)
			id = id * 10 + (unsigned)(*at - '0');
		if (at == start || id < 1 || id > UNIT_ID_MAX || memchr(ids, (int)id, *n) != NULL)
			break;
		ids[(*n)++] = (uint8_t)id;
		if (*at == '\0')
			return 0;
		if (*at != ',')
			break;
	}
	return options_reject(
		"units", text, "up to %d different ids from 1 to %d", UNITS_MAX, UNIT_ID_MAX);
}

static int read_profile(const struct sim_options *o, struct unit_plan *plan)
{
	static const char *const orders[] = {"cdab", "abcd", "profile", NULL};
	const char *names[PROFILE_COUNT + 1] = {NULL};
	for (size_t i = 0; i < PROFILE_COUNT; i++)
		names[i] = profiles[i]->name;
	int profile = options_choice(o, "profile", names);
	int order = options_choice(o, "word-order", orders);
	if (profile < 0 || order < 0)
		return -EINVAL;
	plan->profile = profiles[profile];
	plan->order = order == 2 ? plan->profile->order : (enum word_order)order;
	plan->extras = options_flag(o, "extras");
	return 0;
}

static int read_plan(const struct sim_options *o, struct unit_plan *plan)
{
	static const char *const sets[] = {"no", "example", "bench", NULL};
	int64_t offset, streams;
	double interval;
	int fixed = options_choice(o, "fixed", sets);
	const char *cycle = options_text(o, "cycle");
	if (cycle_parse(&plan->cycle, cycle) < 0)
		return options_reject(
			"cycle", cycle, "states and seconds such as normal:3540,zero:60");
	if (fixed < 0 || read_profile(o, plan) < 0 ||
		options_integer(o, "address-offset", -1, 1, &offset) < 0 ||
		options_integer(o, "streams", 1, 31, &streams) < 0 ||
		options_number(o, "interval", 0.001, 86400, &interval) < 0)
		return -EINVAL;
	plan->fixed = (enum unit_fixed)fixed;
	plan->address_offset = (int)offset;
	plan->streams = (unsigned)streams;
	plan->interval = (uint64_t)(interval * NS_PER_S);
	plan->started = fixed != UNIT_DRIFTS ? FIXED_START : time(NULL);
	return 0;
}

static int modbus_init(struct sim_model *m, const struct sim_options *o)
{
	struct modbus_state *s = m->state;
	uint8_t ids[UNITS_MAX];
	size_t n_units;
	int64_t ports;
	int r = read_plan(o, &s->plant.plan);
	if (r == 0)
		r = read_units(o, ids, &n_units);
	if (r == 0)
		r = options_integer(o, "ports", 1, PORTS_MAX, &ports);
	if (r == 0 && ports > 1 && m->env.transport == SIM_PTY)
		r = options_reject("ports", options_text(o, "ports"), "--tcp; a line has --units");
	if (r == 0)
		r = plant_init(&s->plant, (size_t)ports, ids, n_units, sim_random_of(m));
	return r;
}

static void modbus_finish(struct sim_model *m)
{
	struct modbus_state *s = m->state;
	plant_finish(&s->plant);
}

/* Answers all complete requests; a silence ends the last one. */
static void serve_line(struct sim_model *m, bool silent)
{
	struct modbus_state *s = m->state;
	while (s->in_len > 0) {
		bool skip;
		uint8_t reply[ENGINE_FRAME_MAX];
		size_t len = frame_find_rtu(s->in, s->in_len, silent, &skip);
		if (len == 0)
			return;
		size_t n = skip ? 0 : plant_answer(&s->plant, m, 0, FRAMING_RTU, s->in, len, reply);
		if (n > 0)
			sim_emit(m, reply, n);
		s->in_len -= len;
		memmove(s->in, s->in + len, s->in_len);
	}
}

static uint64_t line_falls_silent(struct sim_model *m)
{
	const struct modbus_state *s = m->state;
	return s->in_len > 0 ? s->heard + sim_wire_time(m, SILENCE_NS) : SIM_NEVER;
}

static void modbus_tick(struct sim_model *m, uint64_t now)
{
	if (now >= line_falls_silent(m))
		serve_line(m, true);
}

static void modbus_input(struct sim_model *m, const uint8_t *data, size_t len, uint64_t now)
{
	struct modbus_state *s = m->state;
	while (len > 0) {
		size_t room = sizeof s->in - s->in_len, n = len < room ? len : room;
		memcpy(s->in + s->in_len, data, n);
		s->in_len += n;
		s->heard = now;
		serve_line(m, false);
		if (s->in_len == sizeof s->in)
			s->in_len = 0; /* longer than any frame */
		data += n;
		len -= n;
	}
}

static uint64_t modbus_next_wakeup(struct sim_model *m, uint64_t now)
{
	return line_falls_silent(m);
}

static void modbus_link_reset(struct sim_model *m, uint64_t now)
{
	struct modbus_state *s = m->state;
	s->in_len = 0;
}

static int modbus_run(struct sim_model *m, const struct sim_options *o, struct sim_host *host)
{
	struct modbus_state *s = m->state;
	return server_run(&s->plant, m, host);
}

const struct sim_model_ops modbus_model = {
	.name = "modbus",
	.summary = "gas analysers, FTIR and process GC, on Modbus RTU (--pty) and TCP",
	.state_size = sizeof(struct modbus_state),
	.options = options,
	.transports = 1U << SIM_PTY | 1U << SIM_TCP,
	.init = modbus_init,
	.finish = modbus_finish,
	.input = modbus_input,
	.tick = modbus_tick,
	.next_wakeup = modbus_next_wakeup,
	.link_reset = modbus_link_reset,
	.run = modbus_run,
	.run_transports = 1U << SIM_TCP,
};

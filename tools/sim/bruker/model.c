/* SPDX-License-Identifier: Apache-2.0 */
/* Bruker TENSOR, VERTEX, IFS 125HR and EM27: an FTIR spectrometer behind its embedded web server. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "bruker.h"

#define SERIAL_MAX 99999999

static const struct sim_option options[] = {
	{"model", "NAME", "vertex80", "tensor27, vertex80, ifs125 or em27"},
	{"serial", "N", "9990200", "serial number; 9990200 to 9990299 belong to simulators"},
	{"sample", "NAME", "polystyrene", "none, polystyrene, ethanol or co2"},
	{"laser", "CM-1", "15798.1", "wavenumber of the laser"},
	{"noise", "X", "0.00001", "of one scan; the interferogram's peak is 0.05"},
	{"source-off", "EFFECT", "goes-on", "of SRC=0 on a measurement: goes-on, ends"},
	{"marked-blocks", NULL, NULL, "set bit 30 in the types of data blocks"},
	SIM_HTTP_OPTIONS,
	{0},
};

static int bruker_init(struct sim_model *m, const struct sim_options *o)
{
	static const char *const models[] = {"tensor27", "vertex80", "ifs125", "em27", NULL};
	static const char *const names[] = {"TENSOR 27", "VERTEX 80", "IFS 125HR", "EM27"};
	static const char *const effects[] = {"goes-on", "ends", NULL};
	struct bruker *b = m->state;
	int64_t serial;
	int model = options_choice(o, "model", models);
	int effect = options_choice(o, "source-off", effects);
	b->m = m;
	b->plan.sample = scene_find(options_text(o, "sample"));
	if (b->plan.sample == NULL)
		return options_reject(
			"sample", options_text(o, "sample"), "none, polystyrene, ethanol or co2");
	if (model < 0 || effect < 0 || options_integer(o, "serial", 0, SERIAL_MAX, &serial) < 0 ||
		options_number(o, "laser", 15000, 16500, &b->plan.laser) < 0 ||
		options_number(o, "noise", 0, 1, &b->plan.noise) < 0)
		return -EINVAL;
	b->plan.name = names[model];
	b->plan.has_sensors = model == 3;
	b->plan.serial = (uint32_t)serial;
	b->plan.source_off_ends = effect;
	b->plan.marks_blocks = options_flag(o, "marked-blocks");
	b->plan.started = time(NULL);
	parameters_default(&b->set);
	return 0;
}

static void bruker_finish(struct sim_model *m)
{
	struct bruker *b = m->state;
	free(b->file);
}

static void bruker_tick(struct sim_model *m, uint64_t now)
{
	measure_advance(m->state, now);
}

static uint64_t bruker_next_wakeup(struct sim_model *m, uint64_t now)
{
	const struct bruker *b = m->state;
	return b->is_scanning ? b->scan_ends : SIM_NEVER;
}

static void bruker_respond(
	struct sim_model *m, const struct sim_http_request *request, struct sim_http_reply *reply)
{
	pages_answer(m->state, request, reply, m->now);
}

const struct sim_model_ops bruker_model = {
	.name = "bruker-web",
	.serial_first = 9990200,
	.serial_last = 9990299,
	.summary = "Bruker FTIR spectrometer behind its embedded web server",
	.state_size = sizeof(struct bruker),
	.options = options,
	.transports = 1U << SIM_TCP,
	.init = bruker_init,
	.finish = bruker_finish,
	.tick = bruker_tick,
	.next_wakeup = bruker_next_wakeup,
	.respond = bruker_respond,
	.run = sim_http_run,
	.run_transports = 1U << SIM_TCP,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Pfeiffer PrismaPro QMG 250 (INFICON MMSP): a residual gas analyser behind its web server. */
#include <errno.h>
#include <stdlib.h>

#include "prismapro.h"

#define SERIAL_MAX 99999999

static const struct sim_option options[] = {
	{"serial", "N", "9990600", "serial number; 9990600 to 9990699 belong to simulators"},
	{"masses", "U", "200", "the highest mass: 100, 200 or 300"},
	{"gas", "NAME", "none", "added to the residual gas: none, ethanol, toluene or argon"},
	{"pressure", "NTORR", "500", "total pressure, in units of 1e-9 Torr"},
	{"errors", "BITS", "0", "hardwareErrors, a decimal number"},
	SIM_HTTP_OPTIONS,
	{0},
};

static int prismapro_init(struct sim_model *m, const struct sim_options *o)
{
	static const char *const masses[] = {"100", "200", "300", NULL};
	struct prisma *p = m->state;
	int64_t serial, errors;
	double pressure;
	int mass = options_choice(o, "masses", masses);
	p->m = m;
	p->plan.gas = residue_find(options_text(o, "gas"));
	if (p->plan.gas == NULL)
		return options_reject(
			"gas", options_text(o, "gas"), "none, ethanol, toluene or argon");
	if (mass < 0 || options_integer(o, "serial", 0, SERIAL_MAX, &serial) < 0 ||
		options_number(o, "pressure", 0, 1e6, &pressure) < 0 ||
		options_integer(o, "errors", 0, UINT32_MAX, &errors) < 0)
		return -EINVAL;
	p->plan.serial = (uint32_t)serial;
	p->plan.mass_max = 100 * (mass + 1);
	p->plan.pressure = pressure * 1e-9;
	p->errors = (uint32_t)errors;
	p->was_reset = true;
	p->first = p->last = p->count = 1;
	p->next = 1;
	for (int i = 0; i < PRISMA_CHANNELS; i++)
		p->channels[i] = (struct prisma_channel){
			.mode_name = "Sweep", .stop = 50, .dwell = 32, .ppamu = 10};
	return 0;
}

static void prismapro_finish(struct sim_model *m)
{
	struct prisma *p = m->state;
	for (int i = 0; i < PRISMA_SCANS; i++)
		free(p->scans[i].values);
}

static void prismapro_tick(struct sim_model *m, uint64_t now)
{
	sweep_advance(m->state, now);
}

static uint64_t prismapro_next_wakeup(struct sim_model *m, uint64_t now)
{
	const struct prisma *p = m->state;
	return p->is_scanning ? p->scan_ends : SIM_NEVER;
}

static void prismapro_respond(
	struct sim_model *m, const struct sim_http_request *request, struct sim_http_reply *reply)
{
	targets_answer(m->state, request, reply, m->now);
}

const struct sim_model_ops prismapro_model = {
	.name = "prismapro",
	.serial_first = 9990600,
	.serial_last = 9990699,
	.summary = "Pfeiffer PrismaPro residual gas analyser behind its web server",
	.state_size = sizeof(struct prisma),
	.options = options,
	.transports = 1U << SIM_TCP,
	.init = prismapro_init,
	.finish = prismapro_finish,
	.tick = prismapro_tick,
	.next_wakeup = prismapro_next_wakeup,
	.respond = prismapro_respond,
	.run = sim_http_run,
	.run_transports = 1U << SIM_TCP,
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Hiden HAL RC residual gas analysers: the line, and the clock around the job. */
#include <errno.h>
#include <string.h>

#include "hiden.h"

#define SERIAL_MAX 99999999
#define TRIP_MIN   111
#define TRIP_MAX   115

static const struct sim_option options[] = {
	{"model", "N", "201", "101, 201 or 301: highest mass 100, 200 or 300"},
	{"serial", "N", "9990400", "serial number; 9990400 to 9990499 belong to simulators"},
	{"gas", "NAME", "none", "added to the residual gas: none, ethanol, toluene or argon"},
	{"pressure", "NTORR", "500", "total pressure, in units of 1e-9 Torr"},
	{"stop-excluded", NULL, NULL, "a sweep ends before its stop mass"},
	{"end", "TEXT", "code", "of the data: code for *C110*, mark for !"},
	{"trip", "CODE", "0", "protection trip: 111 inhibit, 112 pressure ... 115 temperature"},
	{"trip-after", "S", "0", "time of the trip"},
	{0},
};

static int hiden_init(struct sim_model *m, const struct sim_options *o)
{
	static const char *const models[] = {"101", "201", "301", NULL};
	static const char *const ends[] = {"code", "mark", NULL};
	struct hiden *h = m->state;
	int64_t serial, trip;
	double pressure, after;
	int model = options_choice(o, "model", models), end = options_choice(o, "end", ends);
	h->m = m;
	h->plan.gas = residue_find(options_text(o, "gas"));
	if (h->plan.gas == NULL)
		return options_reject(
			"gas", options_text(o, "gas"), "none, ethanol, toluene or argon");
	if (model < 0 || end < 0 || options_integer(o, "serial", 0, SERIAL_MAX, &serial) < 0 ||
		options_number(o, "pressure", 0, 1e6, &pressure) < 0 ||
		options_integer(o, "trip", 0, TRIP_MAX, &trip) < 0 ||
		options_number(o, "trip-after", 0, 86400, &after) < 0)
		return -EINVAL;
	if (trip != 0 && trip < TRIP_MIN)
		return options_reject("trip", options_text(o, "trip"), "0, or 111 to 115");
	h->plan.model = 101 + 100 * model;
	h->plan.mass_max = 100 * (model + 1);
	h->plan.serial = (uint32_t)serial;
	h->plan.pressure = pressure * 1e-9;
	h->plan.stop_excluded = options_flag(o, "stop-excluded");
	h->plan.ends_with_mark = end == 1;
	h->plan.trip = (int)trip;
	h->plan.trip_at = (uint64_t)(after * 1e9);
	h->points_max = 100;
	h->cycles = 1;
	h->device[DEVICE_EMISSION][0] = h->device[DEVICE_EMISSION][1] = 1000;
	h->device[DEVICE_ENERGY][0] = h->device[DEVICE_ENERGY][1] = 70;
	return 0;
}

static void hiden_finish(struct sim_model *m)
{
	struct hiden *h = m->state;
	buffer_finish(&h->data);
}

static void hiden_tick(struct sim_model *m, uint64_t now)
{
	struct hiden *h = m->state;
	h->now = now;
	if (h->plan.trip != 0 && now >= h->plan.trip_at)
		h->is_tripped = true;
	run_advance(h);
}

static void end_line(struct hiden *h)
{
	h->line[h->line_len] = '\0';
	if (h->line_is_long || strlen(h->line) != h->line_len)
		h->line[0] = '\0'; /* refused as an unknown command */
	hiden_command(h, h->line);
	h->line_len = 0;
	h->line_is_long = false;
}

static void hiden_input(struct sim_model *m, const uint8_t *data, size_t len, uint64_t now)
{
	struct hiden *h = m->state;
	h->now = now;
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\r')
			end_line(h);
		else if (h->line_len == HIDEN_LINE_MAX)
			h->line_is_long = true;
		else if (data[i] != '\n')
			h->line[h->line_len++] = (char)data[i];
	}
}

static uint64_t hiden_next_wakeup(struct sim_model *m, uint64_t now)
{
	const struct hiden *h = m->state;
	return h->state == STATE_RUN ? h->due : SIM_NEVER;
}

/* The job and the filament go on, as on the instrument. */
static void hiden_link_reset(struct sim_model *m, uint64_t now)
{
	struct hiden *h = m->state;
	h->line_len = 0;
	h->line_is_long = false;
}

const struct sim_model_ops hiden_model = {
	.name = "hiden-rga",
	.serial_first = 9990400,
	.serial_last = 9990499,
	.summary = "Hiden HAL RC residual gas analyser on its serial port or over TCP",
	.state_size = sizeof(struct hiden),
	.options = options,
	.transports = 1U << SIM_PTY | 1U << SIM_TCP,
	.init = hiden_init,
	.finish = hiden_finish,
	.input = hiden_input,
	.tick = hiden_tick,
	.next_wakeup = hiden_next_wakeup,
	.link_reset = hiden_link_reset,
};

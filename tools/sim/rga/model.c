/* SPDX-License-Identifier: Apache-2.0 */
/* SRS RGA100/200/300: the serial line and the clock around the head's commands. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "scan.h"

#define SERIAL_MAX 99999999

static const struct sim_option options[] = {
	{"model", "M_MAX", "200", "100, 200 or 300; unset: a head that does not report it"},
	{"serial", "N", "9990100", "serial number; 9990100 to 9990199 belong to simulators"},
	{"cdem", "yes|no", "yes", "whether the electron multiplier is fitted"},
	{"gases", "LIST", "N2:4e-7,H2O:2e-7,O2:1e-7,H2:5e-8,CO2:2e-8,Ar:5e-9",
		"gases in the vacuum and their Torr; names in assay-sim(1)"},
	{"filaments", "N", "2", "filaments that are not burnt out: 0 to 2"},
	{"jumper", "STATE", "protect", "JP100 lets calibration be written, or not: write, protect"},
	{"leak", "AT:FOR", NULL, "over-pressure after AT seconds for FOR seconds"},
	{"overrun", "P", "0", "probability that an analog scan overruns the transmit buffer"},
	{"hardware", "LIST", NULL, "error bytes of a broken head, as EQ:128,ED:64,EP:32"},
	{"fixed", NULL, NULL, "the same words in every scan: 12345, -250, 100000000"},
	{0},
};

/* ---- options ---- */

static int read_build(const struct sim_options *o, struct rga_plan *plan)
{
	static const char *const models[] = {"100", "200", "300", "unset", NULL};
	static const char *const answers[] = {"no", "yes", NULL};
	static const char *const jumpers[] = {"protect", "write", NULL};
	int64_t serial, filaments;
	int model = options_choice(o, "model", models);
	int cdem = options_choice(o, "cdem", answers);
	int jumper = options_choice(o, "jumper", jumpers);
	if (model < 0 || cdem < 0 || jumper < 0 ||
		options_integer(o, "serial", 0, SERIAL_MAX, &serial) < 0 ||
		options_integer(o, "filaments", 0, 2, &filaments) < 0 ||
		options_number(o, "overrun", 0, 1, &plan->overrun) < 0)
		return -EINVAL;
	plan->mass_max = model == 3 ? 200 : 100 * (model + 1);
	plan->model = model == 3 ? "???" : models[model];
	plan->has_cdem = cdem;
	plan->may_calibrate = jumper;
	plan->serial = (uint32_t)serial;
	plan->filaments = (int)filaments;
	plan->is_fixed = options_flag(o, "fixed");
	return 0;
}

/* "EQ:128,EP:64" */
static int read_hardware(const struct sim_options *o, struct rga_plan *plan)
{
	const char *text = options_text(o, "hardware"), *at = text;
	while (at != NULL && *at != '\0') {
		char name = '\0';
		unsigned value = 0;
		int used = 0;
		if (sscanf(at, "E%c:%3u%n", &name, &value, &used) != 2 || used == 0 ||
			value > UINT8_MAX || (at[used] != ',' && at[used] != '\0'))
			return options_reject("hardware", text, "bytes such as EQ:128,ED:64,EP:32");
		if (name == 'Q')
			plan->quadrupole = (uint8_t)value;
		else if (name == 'D')
			plan->detector = (uint8_t)value;
		else if (name == 'P')
			plan->supply = (uint8_t)value;
		else
			return options_reject("hardware", text, "EQ, ED or EP");
		at += used + (at[used] == ',');
	}
	return 0;
}

/* "30:5" */
static int read_leak(const struct sim_options *o, struct rga_chamber *chamber)
{
	const char *text = options_text(o, "leak"), *colon;
	char from[32];
	double seconds;
	if (text == NULL)
		return 0;
	colon = strchr(text, ':');
	if (colon == NULL || (size_t)(colon - text) >= sizeof from)
		return options_reject("leak", text, "two numbers of seconds such as 30:5");
	memcpy(from, text, (size_t)(colon - text));
	from[colon - text] = '\0';
	if (number_parse(from, &chamber->leak_from) < 0 || number_parse(colon + 1, &seconds) < 0)
		return options_reject("leak", text, "two numbers of seconds such as 30:5");
	chamber->leak_until = chamber->leak_from + seconds;
	return 0;
}

static int rga_init(struct sim_model *m, const struct sim_options *o)
{
	struct rga *rga = m->state;
	rga->m = m;
	const char *gases = options_text(o, "gases");
	if (chamber_parse(&rga->chamber, gases) < 0)
		return options_reject(
			"gases", gases, "gases and Torr such as N2:4e-7,ethanol:1e-7");
	if (read_build(o, &rga->plan) < 0 || read_hardware(o, &rga->plan) < 0 ||
		read_leak(o, &rga->chamber) < 0)
		return -EINVAL;
	rga_power_up(rga);
	return 0;
}

/* ---- the line ---- */

static void end_line(struct rga *rga)
{
	size_t len = rga->line_len;
	bool is_long = rga->line_is_long;
	rga->line[len] = '\0';
	rga->line_len = 0;
	rga->line_is_long = false;
	if (is_long) {
		rga_set_error(rga, RGA_TOO_LONG);
	} else if (rga->deaf > 0) {
		rga->deaf -= strcasecmp(rga->line, "IN0") == 0;
	} else if (len > 0) {
		rga_watch_pressure(rga);
		rga_command(rga, rga->line);
	}
}

/* A byte waits in the buffer while the head settles, and ends a scan or degassing. */
static void take_byte(struct rga *rga, uint8_t byte)
{
	if (byte == '\n')
		return;
	if (rga->activity == RGA_SETTLES) {
		if (rga->buffer_len == RGA_BUFFER)
			rga_set_error(rga, RGA_RX_OVERWRITE);
		else
			rga->buffer[rga->buffer_len++] = byte;
		return;
	}
	if (rga->activity != RGA_IDLE) {
		sim_truth(rga->m, "aborted", ",\"words\":%zu", rga->scan.at);
		rga->activity = RGA_IDLE;
		sim_discard(rga->m);
	}
	if (byte == '\r')
		end_line(rga);
	else if (rga->line_len == RGA_LINE_MAX)
		rga->line_is_long = true;
	else
		rga->line[rga->line_len++] = (char)byte;
}

/* ---- the model ---- */

static void rga_tick(struct sim_model *m, uint64_t now)
{
	struct rga *rga = m->state;
	while (rga->activity != RGA_IDLE && rga->due <= now) {
		if (rga->activity == RGA_MEASURES) {
			scan_advance(rga, now);
			continue;
		}
		rga->now = rga->due;
		rga_settled(rga);
		size_t at = 0;
		while (at < rga->buffer_len && rga->activity != RGA_SETTLES)
			take_byte(rga, rga->buffer[at++]);
		rga->buffer_len -= at;
		memmove(rga->buffer, rga->buffer + at, rga->buffer_len);
	}
	rga->now = now;
	rga_watch_pressure(rga);
}

static void rga_input(struct sim_model *m, const uint8_t *data, size_t len, uint64_t now)
{
	struct rga *rga = m->state;
	rga->now = now;
	for (size_t i = 0; i < len; i++)
		take_byte(rga, data[i]);
}

static uint64_t rga_next_wakeup(struct sim_model *m, uint64_t now)
{
	const struct rga *rga = m->state;
	return rga->activity == RGA_IDLE ? SIM_NEVER : rga->due;
}

/* Heating and settling go on; a scan ends, since its words have no reader. */
static void rga_link_reset(struct sim_model *m, uint64_t now)
{
	struct rga *rga = m->state;
	rga->line_len = 0;
	rga->line_is_long = false;
	rga->buffer_len = 0;
	if (rga->activity == RGA_MEASURES)
		rga->activity = RGA_IDLE;
}

const struct sim_model_ops rga_model = {
	.name = "srs-rga",
	.serial_first = 9990100,
	.serial_last = 9990199,
	.summary = "SRS RGA100/200/300 residual gas analyser on its serial port",
	.state_size = sizeof(struct rga),
	.options = options,
	.transports = 1U << SIM_PTY | 1U << SIM_TCP,
	.init = rga_init,
	.input = rga_input,
	.tick = rga_tick,
	.next_wakeup = rga_next_wakeup,
	.link_reset = rga_link_reset,
};

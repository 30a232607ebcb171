/* SPDX-License-Identifier: Apache-2.0 */
/* LabJack U6 and U6-Pro: an interface on USB, at the detector of a gas chromatograph. */
#include <errno.h>

#include "labjack.h"

#define SERIAL_MAX 999999999

static const struct sim_option options[] = {
	{"serial", "N", "9990800", "serial number; 9990800 to 9990899 belong to simulators"},
	{"model", "NAME", "u6-pro", "u6 or u6-pro, with resolutions 9 to 12"},
	{"firmware", "X.YZ", "1.43", "before 0.94 a stopped stream leaves bytes"},
	{"nominal", NULL, NULL, "calibration constants without the spread from unit to unit"},
	{"sample", "NAME", "alcohols", "alcohols, btex or blank"},
	{"length", "S", "300", "of a chromatogram"},
	{"height", "V", "0.8", "of the largest peak"},
	{"baseline", "V", "0.02", "the detector's signal without a peak"},
	{"drift", "V/H", "0.001", "of the baseline"},
	{"noise", "UV", "20", "of the detector, one standard deviation"},
	{"adc-noise", "FACTOR", "1", "of the converter; 0: only steps"},
	{"channel", "N", "0", "AINn of the detector; the others are at 0 V"},
	{"contact", "N", "0", "FIOn of the start contact, which is low while it is closed"},
	{"first", "S", "10", "time of the first injection"},
	{"cycle", "S", "0", "between injections; 0: there is one"},
	{"closed", "S", "0.12", "time for which the contact is closed"},
	{0},
};

static int read_wiring(struct u6_plan *p, const struct sim_options *o)
{
	int64_t channel, line;
	double first, cycle, closed;
	if (options_integer(o, "channel", 0, U6_CHANNELS - 1, &channel) < 0 ||
		options_integer(o, "contact", 0, U6_LINES - 1, &line) < 0 ||
		options_number(o, "first", 0, 1e6, &first) < 0 ||
		options_number(o, "cycle", 0, 1e6, &cycle) < 0 ||
		options_number(o, "closed", 0.0005, 1e6, &closed) < 0)
		return -EINVAL;
	p->channel = (unsigned)channel;
	p->line = (unsigned)line;
	p->first = (uint64_t)(first * 1e9);
	p->cycle = (uint64_t)(cycle * 1e9);
	p->closed = (uint64_t)(closed * 1e9);
	return 0;
}

static int read_detector(struct u6_plan *p, const struct sim_options *o)
{
	double drift, noise;
	p->trace.sample = options_choice(o, "sample", trace_samples);
	if (p->trace.sample < 0 || options_number(o, "length", 0.1, 1e5, &p->trace.length) < 0 ||
		options_number(o, "height", 0, 100, &p->trace.height) < 0 ||
		options_number(o, "baseline", -100, 100, &p->trace.baseline) < 0 ||
		options_number(o, "drift", -1000, 1000, &drift) < 0 ||
		options_number(o, "noise", 0, 1e6, &noise) < 0 ||
		options_number(o, "adc-noise", 0, 1000, &p->adc_noise) < 0)
		return -EINVAL;
	p->trace.drift = drift / 3600;
	p->noise = noise * 1e-6;
	return 0;
}

static int labjack_init(struct sim_model *m, const struct sim_options *o)
{
	static const char *const models[] = {"u6", "u6-pro", NULL};
	struct u6 *u = m->state;
	int64_t serial;
	double firmware;
	int model = options_choice(o, "model", models);
	u->m = m;
	u->reply_due = SIM_NEVER;
	if (model < 0 || options_integer(o, "serial", 0, SERIAL_MAX, &serial) < 0 ||
		options_number(o, "firmware", 0, 9.99, &firmware) < 0 ||
		read_wiring(&u->plan, o) < 0 || read_detector(&u->plan, o) < 0)
		return -EINVAL;
	u->plan.serial = (uint32_t)serial;
	u->plan.is_pro = model == 1;
	u->plan.firmware = (unsigned)(firmware * 100 + 0.5);
	analog_calibrate(u, options_flag(o, "nominal"));
	return 0;
}

/* The n-th injection, from 0; SIM_NEVER: there is none. */
static uint64_t injection(const struct u6_plan *p, uint64_t n)
{
	return n == 0 ? p->first : p->cycle > 0 ? p->first + n * p->cycle : SIM_NEVER;
}

static void log_injections(struct u6 *u)
{
	uint64_t at = contact_closed_at(u, u->now);
	if (at == SIM_NEVER || injection(&u->plan, u->injections) > at)
		return;
	u->injections = u->plan.cycle > 0 ? (at - u->plan.first) / u->plan.cycle + 1 : 1;
	FILE *out = sim_truth_start(u->m, "injection");
	if (out == NULL)
		return;
	fprintf(out, ",\"at\":%.9f", (double)at / 1e9);
	trace_print(&u->plan.trace, out);
	sim_truth_end(u->m);
}

static void labjack_tick(struct sim_model *m, uint64_t now)
{
	struct u6 *u = m->state;
	u->now = now;
	log_injections(u);
	stream_run(u);
	if (now >= u->reply_due)
		command_finish(u);
}

static void labjack_input(struct sim_model *m, const uint8_t *data, size_t len, uint64_t now)
{
	struct u6 *u = m->state;
	u->now = now;
	command_take(u, data, len);
}

static uint64_t labjack_next_wakeup(struct sim_model *m, uint64_t now)
{
	const struct u6 *u = m->state;
	uint64_t next = injection(&u->plan, u->injections), due = stream_due(u);
	next = due < next ? due : next;
	return u->reply_due < next ? u->reply_due : next;
}

/* Unplugged, it has no supply; the gas chromatograph goes on. */
static void labjack_link_reset(struct sim_model *m, uint64_t now)
{
	struct u6 *u = m->state;
	u->stream = (struct u6_stream){0};
	u->reply_len = 0;
	u->reply_due = SIM_NEVER;
}

static const struct sim_usb usb = {
	.vendor = 0x0CD5,
	.product = 0x0006,
	.packet = U6_PACKET,
	.in = 0x82,
	.out = 0x01,
	.stream = 0x83,
};

const struct sim_model_ops labjack_model = {
	.name = "labjack-u6",
	.serial_first = 9990800,
	.serial_last = 9990899,
	.summary = "LabJack U6 or U6-Pro at the detector of a gas chromatograph",
	.state_size = sizeof(struct u6),
	.options = options,
	.transports = 1U << SIM_USB,
	.usb = &usb,
	.init = labjack_init,
	.input = labjack_input,
	.tick = labjack_tick,
	.next_wakeup = labjack_next_wakeup,
	.link_reset = labjack_link_reset,
};

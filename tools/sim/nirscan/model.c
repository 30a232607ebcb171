/* SPDX-License-Identifier: Apache-2.0 */
/* TI DLP NIRscan Nano: a near infrared spectrometer on USB (HID) and on its UART. */
#include <errno.h>
#include <stdlib.h>

#include "nirscan.h"

#define SERIAL_MAX 9999999

static const struct sim_option options[] = {
	{"serial", "N", "9990500", "serial number; 9990500 to 9990599 belong to simulators"},
	{"sample", "NAME", "ethanol", "white, ethanol, water or polystyrene"},
	{"noise", "COUNTS", "300", "of one scan, one standard deviation"},
	{"gap", "MS", "100", "UART: a longer pause within a request ends it; the instrument: 1"},
	{0},
};

static int nirscan_init(struct sim_model *m, const struct sim_options *o)
{
	struct nirscan *n = m->state;
	int64_t serial;
	double gap;
	n->m = m;
	n->plan.sample = options_choice(o, "sample", light_samples);
	if (n->plan.sample < 0 || options_integer(o, "serial", 0, SERIAL_MAX, &serial) < 0 ||
		options_number(o, "noise", 0, 1e6, &n->plan.noise) < 0 ||
		options_number(o, "gap", 1, 1e6, &gap) < 0)
		return -EINVAL;
	n->plan.serial = (uint32_t)serial;
	n->plan.gap = (uint64_t)(gap * 1e6);
	n->gain = 64;
	n->repeats = nirscan_configs[0].repeats;
	n->may_hibernate = true;
	scan_make(n, true, n->reference);
	return 0;
}

static void nirscan_finish(struct sim_model *m)
{
	struct nirscan *n = m->state;
	free(n->file);
}

static void end_scan(struct nirscan *n)
{
	n->is_scanning = false;
	n->scans++;
	if (n->file == NULL)
		n->file = malloc(NIRSCAN_FILE_SIZE);
	if (n->file != NULL)
		scan_make(n, false, n->file);
}

static void nirscan_tick(struct sim_model *m, uint64_t now)
{
	struct nirscan *n = m->state;
	n->now = now;
	if (n->is_scanning && now >= n->scan_ends)
		end_scan(n);
	if (now >= packet_due(n))
		packet_give_up(n);
}

static void nirscan_input(struct sim_model *m, const uint8_t *data, size_t len, uint64_t now)
{
	struct nirscan *n = m->state;
	n->now = now;
	packet_take(n, data, len, m->env.transport == SIM_USB);
}

static uint64_t nirscan_next_wakeup(struct sim_model *m, uint64_t now)
{
	const struct nirscan *n = m->state;
	uint64_t due = packet_due(n);
	return n->is_scanning && n->scan_ends < due ? n->scan_ends : due;
}

static void nirscan_link_reset(struct sim_model *m, uint64_t now)
{
	struct nirscan *n = m->state;
	n->in_len = 0;
	n->skips_frame = false;
}

/* Usage page 0xFF00, one collection with an input and an output of 64 bytes, without report id. */
static const uint8_t report[] = {0x06, 0x00, 0xFF, 0x09, 0x01, 0xA1, 0x01, 0x15, 0x00, 0x26, 0xFF,
	0x00, 0x75, 0x08, 0x95, NIRSCAN_REPORT, 0x09, 0x01, 0x81, 0x02, 0x95, NIRSCAN_REPORT, 0x09,
	0x01, 0x91, 0x02, 0xC0};

static const struct sim_usb usb = {
	.vendor = 0x0451,
	.product = 0x4200,
	.packet = NIRSCAN_REPORT,
	.in = 0x81,
	.out = 0x01,
	.serial = "12345678", /* of all units */
	.report = report,
	.report_len = sizeof report,
};

const struct sim_model_ops nirscan_model = {
	.name = "nirscan-nano",
	.serial_first = 9990500,
	.serial_last = 9990599,
	.summary = "TI DLP NIRscan Nano near infrared spectrometer, by USB (HID) or UART",
	.state_size = sizeof(struct nirscan),
	.options = options,
	.transports = 1U << SIM_PTY | 1U << SIM_TCP | 1U << SIM_USB,
	.usb = &usb,
	.init = nirscan_init,
	.finish = nirscan_finish,
	.input = nirscan_input,
	.tick = nirscan_tick,
	.next_wakeup = nirscan_next_wakeup,
	.link_reset = nirscan_link_reset,
};

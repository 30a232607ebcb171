/* SPDX-License-Identifier: Apache-2.0 */
/*
 * labjack-u6: LabJack U6 and U6-Pro at the analogue output of a chromatograph's detector, over USB.
 *
 * packet, calibration, setup, stream and decode are pure; exchange and acquire use the link.  README.md
 * grades the facts.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "acquire.h"
#include "decode.h"
#include "exchange.h"

#define POLL_MS       2000
#define POLL_STEPS    1000 /* of full scale: less is noise */
#define PRODUCT       6
#define PRODUCT_PRO   0x08 /* bit of the last byte of the identity */
#define ANALOG_AT     9    /* of a reply of Feedback */
#define SAMPLE_24_BIT 256.0

static int read_constants(struct assay_instrument *ins)
{
	struct labjack *u6 = ins->state;
	struct calibration calibration;
	int r = 0;
	for (unsigned block = 0; r == 0 && block < MEMORY_BLOCKS; block++) {
		struct packet p;
		uint8_t reply[PACKET_MAX];
		packet_read_memory(&p, block);
		r = exchange(ins, &p, reply);
		memcpy(u6->constants + (size_t)block * MEMORY_REPLY, reply,
			r == 0 ? MEMORY_REPLY : 0);
	}
	if (r < 0 || calibration_read(u6->constants, sizeof u6->constants, &calibration))
		return r;
	assay_explain(ins, "the constants in the device's memory are not within 10 %% of the "
			   "nominal ones: the memory is erased or damaged, LabJack can restore it");
	return -EPROTO;
}

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	struct packet p;
	uint8_t reply[PACKET_MAX];
	packet_read_identity(&p);
	int r = exchange_halt(ins);
	if (r == 0)
		r = exchange(ins, &p, reply);
	if (r < 0)
		return r;
	unsigned product = packet_u16(reply + 19);
	if (product != PRODUCT) {
		assay_explain(ins, "product number %u: expected %d, a U6", product, PRODUCT);
		return -EPROTO;
	}
	snprintf(id->make, sizeof id->make, "LabJack");
	snprintf(id->model, sizeof id->model, "%s", reply[37] & PRODUCT_PRO ? "U6-Pro" : "U6");
	snprintf(id->serial, sizeof id->serial, "%u", packet_u32(reply + 15));
	snprintf(id->fw, sizeof id->fw, "%u.%02u, bootloader %u.%02u, hardware %u.%02u", reply[10],
		reply[9], reply[12], reply[11], reply[14], reply[13]);
	return read_constants(ins);
}

/* The voltage of each input, once, rounded to a thousandth of its range. */
static int poll(struct assay_instrument *ins, struct assay_values *out)
{
	const struct labjack *u6 = ins->state;
	struct calibration calibration;
	calibration_read(u6->constants, sizeof u6->constants, &calibration);
	for (size_t i = 0; i < u6->setup.inputs; i++) {
		const struct setup_input *input = &u6->setup.input[i];
		struct packet p;
		uint8_t reply[PACKET_MAX];
		char name[16];
		packet_read_analog(&p, input->channel,
			u6->setup.resolution | (unsigned)input->gain << 4,
			input->is_differential ? 0x80 : 0);
		int r = exchange(ins, &p, reply);
		if (r < 0)
			return r;
		double raw = (packet_u32(reply + ANALOG_AT - 1) >> 8) / SAMPLE_24_BIT;
		double step = setup_range(input->gain) / POLL_STEPS;
		snprintf(name, sizeof name, i == 0 ? "signal" : "signal_%zu", i + 1);
		assay_value(out, name,
			round(calibration_volts(&calibration.lines[input->gain], raw) / step) *
				step,
			"V");
	}
	return 0;
}

static const struct assay_link_defaults link_defaults[] = {
	{ASSAY_LINK_USB, "vid: 0x0cd5, pid: 0x0006, in: 0x82, out: 0x01, stream: 0x83"},
	{0, NULL},
};

static const struct assay_driver labjack_u6 = {
	ASSAY_DRIVER_HEAD,
	.name = "labjack-u6",
	.version = "1.0",
	.summary = "LabJack U6 and U6-Pro at the output of a chromatograph's detector",
	.make = "LabJack",
	.technique = "gc",
	.links = ASSAY_LINK_USB,
	.link_defaults = link_defaults,
	.settings = setup_settings,
	.state_size = sizeof(struct labjack),
	.raw_max = PACKET_MAX + CALIBRATION_BYTES + PLACE_BYTES + 2 * FRAME_SAMPLES_MAX +
		   FRAME_PACKETS_MAX * PACKET_EXTRA,
	.identify = identify,
	.configure = labjack_configure,
	.start = labjack_start,
	.acquire = labjack_acquire,
	.decode = labjack_decode,
	.stop = labjack_stop,
	.check = setup_check,
	.poll = poll,
	.poll_ms = POLL_MS,
};
ASSAY_DRIVER_EXPORT(labjack_u6);

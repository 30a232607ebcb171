/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All slots with a unit whose replies are partly the input.  The first byte chooses the settings.  Each
 * command takes one byte: right reply, or a length and bytes.  In a run packets follow, made of the
 * input, with right checksums or without.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../unit/drivers/labjack-u6/unit.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
	struct unit u;
	void (*unit)(struct host *, const uint8_t *, size_t);
};

static uint8_t next(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

static void answer(struct host *h, const uint8_t *command, size_t len)
{
	struct input *in = h->device_data;
	uint8_t kind = next(in);
	size_t n = kind & 0x3f;
	h->now++;
	if (kind & 0x80) {
		n = n < in->size ? n : in->size;
		host_answer(h, in->data, n);
		in->data += n, in->size -= n;
	}
	if (kind & 0x40)
		return;
	h->device_data = &in->u;
	in->unit(h, command, len);
	h->device_data = in;
}

static void stream(struct host *h, struct input *in)
{
	size_t count = in->u.setup[8];
	for (unsigned i = 0; i < 8 && in->size > 0; i++) {
		uint8_t packet[UNIT_PACKET] = {0};
		uint8_t kind = next(in), counter = next(in), error = next(in);
		uint16_t samples[25];
		for (size_t k = 0; k < 25; k++)
			samples[k] = kind & 4 ? 0xffff : (uint16_t)(next(in) * 257);
		size_t len = unit_packet(
			packet, samples, count < 25 ? count : 25, counter, error, kind * 250u, 0);
		if (kind & 1)
			packet[kind % len] ^= 1;
		if (kind & 2)
			len /= 2;
		host_answer(h, packet, len);
	}
}

static void measure(struct host *h, struct input *in)
{
	const struct assay_driver *d = h->driver;
	int r = -EAGAIN;
	for (int i = 0; r == -EAGAIN && i < 8; i++)
		r = d->start(&h->ins);
	if (r == 0)
		stream(h, in);
	for (int i = 0; r >= 0 && i < 12; i++) {
		h->raw.count = h->raw.total = 0;
		h->stopping = i == 11;
		r = d->acquire(&h->ins, &h->raw.handle);
		/* decode must be able to read the blocks that acquire accepted. */
		if (r >= ASSAY_FRAME && host_decode(h) < 0)
			abort();
		if (r == ASSAY_LAST || r == ASSAY_DONE)
			break;
	}
	d->stop(&h->ins);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.data = data, .size = size};
	struct assay_identity id = {0};
	struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
	uint8_t bits = next(&in);
	h->quiet = true;
	for (unsigned i = 0; i <= (bits & 3); i++)
		host_settings_set(
			host_add_row(h, "inputs"), "name", (const char[]){(char)('a' + i), 0});
	host_set(h, "rate", bits & 4 ? "10" : "1000");
	if (bits & 8)
		host_set(h, "start", "low");
	if (bits & 16)
		host_set(h, "duration", "0.3");
	host_set(h, "slice", bits & 32 ? "0.05" : "1");
	unit_init(&in.u, h);
	in.unit = h->device;
	h->device = answer;
	h->device_data = &in;
	h->stop_at = h->now + 60000;
	if (h->driver->identify(&h->ins, &id) == 0 && h->driver->configure(&h->ins) == 0) {
		measure(h, &in);
		host_poll(h);
	}
	host_destroy(h);
	return 0;
}

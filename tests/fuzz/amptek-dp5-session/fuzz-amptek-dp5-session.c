/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All slots with an instrument whose replies are the input.  The first two bytes choose link and
 * settings.  Each write of the driver takes one reply: a byte for its kind (bare bytes, or a packet
 * with right length and checksum), a length, and the bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static uint8_t next(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

static void answer_packet(struct host *h, const uint8_t head[2], const uint8_t *data, size_t len)
{
	static uint8_t packet[32775];
	unsigned sum = 0;
	uint8_t start[6] = {0xf5, 0xfa, head[0], head[1], (uint8_t)(len >> 8), (uint8_t)len};
	memcpy(packet, start, 6);
	memcpy(packet + 6, data, len);
	for (size_t i = 0; i < len + 6; i++)
		sum += packet[i];
	packet[6 + len] = (uint8_t)((0x10000 - (sum & 0xffff)) >> 8);
	packet[7 + len] = (uint8_t)(0x10000 - (sum & 0xffff));
	host_answer_split(h, packet, len + 8, h->ins.link == ASSAY_LINK_UDP ? 520 : len + 8);
}

/* A spectrum of 256 channels would be too long for an input: its end is repeated. */
static void answer_spectrum(struct host *h, const uint8_t *data, size_t len)
{
	uint8_t spectrum[3 * 256 + 64] = {0};
	size_t n = len < 128 ? len : 128;
	memcpy(spectrum + sizeof(spectrum) - n, data, n);
	answer_packet(h, (const uint8_t[]){0x81, 2}, spectrum, sizeof(spectrum));
}

static void answer(struct host *h, const uint8_t *data, size_t len)
{
	static const uint8_t heads[][2] = {
		{0xff, 0}, {0x80, 1}, {0x82, 7}, {0xff, 0x0d}, {0xff, 5}};
	struct input *in = h->device_data;
	uint8_t kind = next(in);
	size_t n = next(in);
	n = n * (kind & 0x80 ? 16 : 1);
	n = n < in->size ? n : in->size;
	switch (kind & 7) {
	case 0: host_answer(h, in->data, n); break;
	case 1: answer_spectrum(h, in->data, n); break;
	case 2: break;
	default: answer_packet(h, heads[(kind & 7) - 3], in->data, n);
	}
	in->data += n, in->size -= n;
	(void)data;
	(void)len;
}

static void choose(struct host *h, uint8_t bits)
{
	if (bits & 1)
		host_set(h, "channels", "1024");
	if (bits & 2)
		host_set(h, "preset_time", "1");
	if (bits & 4)
		host_set(h, "progress_every", "0.5");
	if (bits & 8)
		host_set(h, "slice", "1");
	if (bits & 16)
		host_set(h, "configuration", "RESC=Y;CLCK=80;TPEA=2;GAIN=60;PREC=100;TECS=225K;");
	if (bits & 32)
		host_set(h, "reset", "true");
	if (bits & 64)
		host_set(h, "save_to_flash", "true");
	if (bits & 128)
		host_set(h, "require_ready", "true");
}

static void measure(struct host *h)
{
	const struct assay_driver *d = h->driver;
	int r = d->start(&h->ins);
	for (int i = 0; r >= 0 && i < 4; i++) {
		h->raw.count = h->raw.total = 0;
		h->stopping = i == 3;
		r = d->acquire(&h->ins, &h->raw.handle);
		/* decode must be able to read the blocks that acquire accepted. */
		if (r >= ASSAY_FRAME && host_decode(h) < 0)
			abort();
		if (r == ASSAY_LAST)
			break;
	}
	d->stop(&h->ins);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum assay_link links[] = {ASSAY_LINK_USB, ASSAY_LINK_SERIAL, ASSAY_LINK_UDP};
	struct input in = {data, size};
	struct assay_identity id = {0};
	struct host *h = host_create(assay_driver, links[next(&in) % 3]);
	h->quiet = true;
	h->device = answer;
	h->device_data = &in;
	h->stop_at = h->now + 60000;
	choose(h, next(&in));
	if (h->driver->identify(&h->ins, &id) == 0 && h->driver->configure(&h->ins) == 0)
		measure(h);
	host_destroy(h);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A head whose replies to the driver's writes are the input: a length byte, then that number of
 * bytes. The input's first byte chooses the settings.
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

static void answer(struct host *h, const uint8_t *data, size_t len)
{
	struct input *in = h->device_data;
	if (in->size == 0)
		return;
	/* Lengths from 240 on are scans: multiples of a histogram of 1 to 3 u and its total. */
	size_t n = in->data[0] < 240 ? in->data[0] : (size_t)(in->data[0] - 239) * 16;
	in->data++, in->size--;
	n = n < in->size ? n : in->size;
	host_answer(h, in->data, n);
	in->data += n, in->size -= n;
	(void)data;
	(void)len;
}

static void choose(struct host *h, uint8_t bits)
{
	static const char *const modes[] = {"analog", "histogram", "series", "histogram"};
	host_set(h, "mode", modes[bits & 3]);
	host_set(h, "mass_last", "3");
	host_set(h, "sim_ions", "28");
	host_set(h, "total_pressure", bits & 4 ? "true" : "false");
	host_set(h, "convert", bits & 8 ? "partial_pressure" : "none");
	if (bits & 16)
		host_set(h, "emission_current", "1");
	if (bits & 32)
		host_set(h, "detector_voltage", "1400");
}

static void live(struct host *h)
{
	struct assay_identity id = {0};
	const struct assay_driver *d = h->driver;
	int r = d->identify(&h->ins, &id);
	if (r == 0)
		r = d->configure(&h->ins);
	if (r == 0) {
		r = d->start(&h->ins);
		if (r == 0 && d->acquire(&h->ins, &h->raw.handle) >= ASSAY_FRAME &&
			host_decode(h) < 0)
			abort(); /* decode must be able to read the blocks that acquire accepted */
		d->stop(&h->ins);
	}
	d->make_safe(&h->ins);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct input in = {data + 1, size - 1};
	struct host *h = host_create(assay_driver, ASSAY_LINK_SERIAL);
	h->quiet = true;
	h->device = answer;
	h->device_data = &in;
	choose(h, data[0]);
	live(h);
	host_destroy(h);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instrument whose replies are the input: a byte for the outcome of each request, and for
 * success registers.
 */
#include <errno.h>
#include <stdlib.h>

#include "modbus-map/sample.h"

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

static int answer(struct host *h, enum assay_modbus_table table, unsigned address, unsigned count,
	uint16_t *out)
{
	struct input *in = h->device_data;
	uint8_t outcome = in->size > 0 ? next(in) : 255;
	bool bits = table == ASSAY_COILS || table == ASSAY_DISCRETE;
	(void)address;
	if (outcome == 255)
		return -ETIMEDOUT;
	if (outcome == 254)
		return -EBADMSG;
	if (outcome >= 240)
		return ASSAY_MODBUS_EXCEPTION - (outcome - 239);
	for (unsigned i = 0; i < count; i++)
		out[i] = bits ? next(in) & 1 : (uint16_t)(next(in) << 8 | next(in));
	return 0;
}

/* One poll, which can take several calls. */
static int poll(struct host *h)
{
	int r;
	do
		r = h->driver->acquire(&h->ins, &h->raw.handle);
	while (r == -EAGAIN);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct input in = {data + 1, size - 1};
	struct assay_identity id = {0};
	struct host *h = sample_create(assay_driver, data[0]);
	const struct assay_driver *d = h->driver;
	h->modbus = answer;
	h->device_data = &in;
	if (d->identify(&h->ins, &id) == 0 && d->configure(&h->ins) == 0 &&
		d->start(&h->ins) == 0 && poll(h) >= ASSAY_FRAME && host_decode(h) < 0)
		abort(); /* decode must be able to read the blocks that acquire accepted */
	host_destroy(h);
	return 0;
}

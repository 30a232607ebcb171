/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instrument whose replies are the input: pieces of a length byte and as many bytes, given in
 * turn to each request, or all at once if it sends by itself.  The first byte chooses the profile.
 */
#include <stdlib.h>

#include "text-map/sample.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static void answer(struct host *h, const uint8_t *data, size_t len)
{
	struct input *in = h->device_data;
	(void)data, (void)len;
	if (in->size == 0)
		return;
	size_t n = in->data[0] < in->size ? in->data[0] : in->size - 1;
	if (in->data[0] == 0)
		host_silence(h);
	else
		host_answer(h, in->data + 1, n);
	in->data += n + 1;
	in->size -= n + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct input in = {data + 1, size - 1};
	struct assay_identity id = {0};
	struct host *h = sample_create(assay_driver, data[0]);
	const struct assay_driver *d = h->driver;
	h->device = answer;
	h->device_data = &in;
	if (d->configure(&h->ins) < 0)
		abort(); /* the profiles are right */
	if (d->identify(&h->ins, &id) == 0 && d->start(&h->ins) == 0)
		for (int i = 0; i < 4; i++) {
			if ((data[0] & 3) == 3)
				while (in.size > 0)
					answer(h, NULL, 0);
			h->raw.count = 0;
			if (d->acquire(&h->ins, &h->raw.handle) >= ASSAY_FRAME &&
				host_decode(h) < 0)
				abort(); /* decode must be able to read what acquire accepted */
		}
	d->stop(&h->ins);
	host_destroy(h);
	return 0;
}

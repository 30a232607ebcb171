/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instrument whose replies are the input: the first byte chooses link and settings.  Then each reply
 * is two bytes with its length, of which the highest bits are its kind, and that number of bytes: its
 * data, which get a right envelope; or the bytes as they come.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

/* The envelope of a reply to the request, with the result in `flags`. */
static size_t wrap(const uint8_t *request, bool is_usb, uint8_t flags, const uint8_t *data,
	size_t len, uint8_t *out)
{
	size_t at = is_usb ? 0 : 8, stated = is_usb ? len : len + 2;
	uint32_t sum = 0;
	memset(out, 0, 640);
	out[at] = request[at] | flags;
	out[at + 1] = request[at + 1];
	out[at + 2] = (uint8_t)stated;
	out[at + 3] = (uint8_t)(stated >> 8);
	if (is_usb) {
		memcpy(out + 4, data, len);
		return (4 + len + 63) / 64 * 64;
	}
	memcpy(out, "ABCD", 4);
	memcpy(out + 12, request + 12, 2);
	memcpy(out + 14, data, len);
	memcpy(out + 14 + len, "DCBA", 4);
	for (size_t i = 8; i < 14 + len; i++)
		sum += out[i];
	for (size_t i = 0; i < 4; i++)
		out[4 + i] = (uint8_t)(sum >> 8 * i);
	return 18 + len;
}

static void answer(struct host *h, const uint8_t *request, size_t request_len)
{
	struct input *in = h->device_data;
	bool is_usb = h->ins.link == ASSAY_LINK_USB;
	uint8_t reply[640];
	(void)request_len;
	if (in->size < 2)
		return;
	size_t n = in->data[0] | (size_t)(in->data[1] & 0x0f) << 8;
	uint8_t kind = in->data[1] >> 4;
	in->data += 2, in->size -= 2;
	n = n < in->size ? n : in->size;
	n = n < 512 ? n : 512;
	if (kind < 8)
		host_answer_split(h, reply,
			wrap(request, is_usb, (uint8_t)(kind & 3) << 4, in->data, n, reply), 64);
	else
		host_answer_split(h, in->data, n, is_usb ? 64 : 50);
	in->data += n, in->size -= n;
}

static void measure(struct host *h)
{
	const struct assay_driver *d = h->driver;
	int r = d->start(&h->ins);
	for (int turns = 0; (r == 0 || r == -EAGAIN) && turns < 1000; turns++)
		r = d->acquire(&h->ins, &h->raw.handle);
	if (r > 0 && host_decode(h) < 0)
		abort(); /* decode must be able to read the blocks that acquire accepted */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct assay_identity id = {0};
	uint8_t bits = data[0];
	struct input in = {data + 1, size - 1};
	struct host *h = host_create(assay_driver, bits & 1 ? ASSAY_LINK_USB : ASSAY_LINK_SERIAL);
	h->quiet = true;
	h->device = answer;
	h->device_data = &in;
	if (bits & 2)
		host_set(h, "scan_configuration", "1");
	if (bits & 4)
		host_set(h, "gain", "auto");
	if (h->driver->identify(&h->ins, &id) == 0 && h->driver->configure(&h->ins) == 0 &&
		host_poll(h) == 0)
		measure(h);
	host_destroy(h);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web server whose replies are the input after its first byte, which chooses settings: two bytes
 * with the length, of which the highest bit is a status other than 200, then that number of bytes.
 * After the last reply the port is lost.
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
	uint8_t *body; /* of the last reply, followed by a 0 byte */
};

static int reply_to(
	struct host *h, const struct assay_http_request *request, struct assay_http_reply *reply)
{
	struct input *in = h->device_data;
	(void)request;
	if (in->size < 2)
		return -ENODEV;
	size_t len = in->data[0] | (size_t)(in->data[1] & 0x7f) << 8;
	reply->status = in->data[1] & 0x80 ? 404 : 200;
	in->data += 2, in->size -= 2;
	len = len < in->size ? len : in->size;
	free(in->body);
	in->body = malloc(len + 1);
	memcpy(in->body, in->data, len);
	in->body[len] = '\0';
	in->data += len, in->size -= len;
	reply->body = in->body;
	reply->len = len;
	h->now += 20;
	return 0;
}

static void measure(struct host *h)
{
	const struct assay_driver *d = h->driver;
	int r = d->start(&h->ins);
	while (r == 0 || r == -EAGAIN)
		r = d->acquire(&h->ins, &h->raw.handle);
	if (r > 0 && host_decode(h) < 0)
		abort(); /* decode must be able to read the blocks that acquire accepted */
	d->stop(&h->ins);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assay_identity id = {.declared = false};
	if (size == 0)
		return 0;
	struct input in = {.data = data + 1, .size = size - 1};
	struct host *h = host_create(assay_driver, ASSAY_LINK_HTTP);
	h->quiet = true;
	h->http = reply_to;
	h->device_data = &in;
	host_set(h, "method", data[0] & 1 ? "Nat Gas" : "Air");
	host_set(h, "abort_run", data[0] & 2 ? "true" : "false");
	if (h->driver->identify(&h->ins, &id) == 0 && host_poll(h) == 0)
		measure(h);
	host_destroy(h);
	free(in.body);
	return 0;
}

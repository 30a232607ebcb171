/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sender of arbitrary bytes in pieces: a length, then so many bytes; a length of 0 is silence.
 * Each frame must be one line that follows a line end of the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "host.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_frame(const struct assay_bytes *line, const char *stream, size_t len)
{
	const char *end = memchr(line->data, '\n', line->len);
	if (line->len == 0 || end != (const char *)line->data + line->len - 1)
		abort();
	for (size_t at = 1; at + line->len <= len; at++)
		if (stream[at - 1] == '\n' && memcmp(stream + at, line->data, line->len) == 0)
			return;
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_TCP);
	char *stream = host_memory(h, size + 1);
	size_t len = 0;
	h->quiet = true;
	if (h->driver->start(&h->ins) < 0)
		abort();
	while (size > 0) {
		size_t n = data[0] < size ? data[0] : size - 1;
		if (data[0] == 0)
			host_silence(h);
		else if (n > 0)
			host_answer(h, data + 1, n);
		memcpy(stream + len, data + 1, n);
		len += n;
		data += n + 1;
		size -= n + 1;
	}
	while (h->driver->acquire(&h->ins, &h->raw.handle) == ASSAY_FRAME) {
		check_frame(&h->raw.blocks[0], stream, len);
		host_decode(h);
		h->raw.count = 0;
	}
	host_destroy(h);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A byte of choices, then raw blocks: kind, length of the name, name, length, bytes. */
#include <string.h>

#include "modbus-map/sample.h"

#define BLOCKS_MAX 80

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static size_t take(struct input *in, const uint8_t **from)
{
	size_t n = in->size > 0 ? in->data[0] : 0;
	if (in->size > 0)
		in->data++, in->size--;
	n = n < in->size ? n : in->size;
	*from = in->data;
	in->data += n, in->size -= n;
	return n;
}

static size_t take_blocks(struct host *h, struct input *in, struct assay_bytes *blocks)
{
	size_t count = 0;
	while (in->size > 0 && count < BLOCKS_MAX) {
		struct assay_bytes *block = &blocks[count++];
		bool failed = in->data[0] & 1;
		const uint8_t *name;
		in->data++, in->size--;
		size_t n = take(in, &name);
		char *copy = host_memory(h, n + 1);
		memcpy(copy, name, n);
		block->media = failed ? "application/x-modbus-failure"
				      : "application/x-modbus-registers";
		block->name = copy;
		block->len = take(in, &block->data);
	}
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct input in = {data + 1, size - 1};
	struct assay_bytes blocks[BLOCKS_MAX];
	struct host *h = sample_create(assay_driver, data[0]);
	size_t count = take_blocks(h, &in, blocks);
	host_decode_bytes(h, blocks, count, NULL, 0);
	host_destroy(h);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Raw blocks that come from the core, to be parsed again or as references of other runs: those that are
 * taken are read again from the bytes that a frame would have of them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "record/encode.h"
#include "record/read.h"
#include "worker/raw.h"

#define RAW_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void encode(struct raw *raw, enum unit_raw keep, struct buffer *to)
{
	const uint8_t *bytes;
	size_t count, len;
	must(raw_encoded(raw, keep, &count, &bytes, &len) == 0);
	buffer_reset(to);
	encode_array(to, count);
	encode_raw(to, bytes, len);
	struct reader r;
	read_init(&r, to->data, to->len);
	must(read_skip(&r) == 0 && read_finish(&r) == 0);
}

static void read_again(struct raw *raw, const struct assay_host *host)
{
	struct buffer encoded = {0};
	struct raw same;
	struct reader r;
	size_t count, n;
	encode(raw, UNIT_RAW_HASH, &encoded);
	encode(raw, UNIT_RAW_OFF, &encoded);
	encode(raw, UNIT_RAW_KEEP, &encoded);
	raw_init(&same, host, RAW_MAX);
	read_init(&r, encoded.data, encoded.len);
	must(raw_read(&same, &r) == 0);
	const struct assay_bytes *blocks = raw_blocks(raw, &count);
	const struct assay_bytes *others = raw_blocks(&same, &n);
	must(n == count);
	for (size_t i = 0; i < n; i++) {
		const struct assay_bytes *a = &blocks[i], *b = &others[i];
		must(strcmp(a->media, b->media) == 0 && (a->name == NULL) == (b->name == NULL));
		must(a->name == NULL || strcmp(a->name, b->name) == 0);
		must(a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0));
	}
	raw_finish(&same);
	buffer_finish(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct assay_host host = {.abi = ASSAY_DRIVER_ABI};
	struct raw raw;
	struct reader r;
	raw_init(&raw, &host, RAW_MAX);
	read_init(&r, data, size);
	if (raw_read(&raw, &r) == 0)
		read_again(&raw, &host);
	else
		must(raw.error == 0 || raw.why[0] != '\0');
	raw_finish(&raw);
	return 0;
}

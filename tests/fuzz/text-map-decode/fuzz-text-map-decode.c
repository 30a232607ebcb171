/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte chooses: with its highest bit, a pattern and a line with a zero byte between them;
 * else a profile, whose replies the rest is, with zero bytes between them.
 */
#include <stdlib.h>
#include <string.h>

#include "text-map/pattern.h"
#include "text-map/sample.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match(const char *text, size_t len)
{
	static struct parts parts;
	const char *zero = memchr(text, '\0', len);
	char why[400], plain[40];
	if (zero == NULL)
		return;
	pattern_unescape(text, plain, sizeof(plain));
	if (pattern_fault(text, "07", why, sizeof(why)) != NULL)
		return;
	const char *line = zero + 1;
	size_t n = len - (size_t)(line - text);
	parts = (struct parts){0};
	bool is_match = pattern_match(text, "07", line, n, &parts);
	if (!is_match && parts.count > 0)
		abort();
	for (size_t i = 0; i < parts.count; i++)
		if (parts.list[i].text < line || parts.list[i].text + parts.list[i].len > line + n)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assay_bytes raw[4] = {{0}};
	size_t count = 0;
	if (size == 0)
		return 0;
	if (data[0] & 128) {
		match((const char *)data + 1, size - 1);
		return 0;
	}
	struct host *h = sample_create(assay_driver, data[0]);
	for (size_t at = 1; at < size && count < 4; count++) {
		const uint8_t *zero = memchr(data + at, '\0', size - at);
		size_t len = zero != NULL ? (size_t)(zero - data) - at : size - at;
		raw[count] = (struct assay_bytes){
			.media = "text/plain", .data = data + at, .len = len};
		at += len + 1;
	}
	host_decode_bytes(h, raw, count, NULL, 0);
	host_destroy(h);
	return 0;
}

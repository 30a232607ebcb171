/* SPDX-License-Identifier: Apache-2.0 */
/* decode() on one block of arbitrary bytes under an arbitrary media type: text, NUL, bytes. */
#include <string.h>

#include "harness.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
	if (end == NULL)
		return 0;
	struct host *h = host_create(assay_driver, ASSAY_LINK_FOLDER);
	h->quiet = true;
	struct assay_bytes raw = {.media = (const char *)data,
		.name = "a@0",
		.data = end + 1,
		.len = size - (size_t)(end + 1 - data)};
	host_decode_bytes(h, &raw, 1, NULL, 0);
	host_destroy(h);
	return 0;
}

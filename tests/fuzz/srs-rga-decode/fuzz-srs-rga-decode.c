/* SPDX-License-Identifier: Apache-2.0 */
/* The head's replies, a NUL, the scan's bytes; the first byte switches pressures on. */
#include <string.h>

#include "host.h"
#include "srs-rga/scan.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct host *h = host_create(assay_driver, ASSAY_LINK_TCP);
	h->quiet = true;
	host_set(h, "convert", data[0] & 1 ? "partial_pressure" : "none");
	data++, size--;
	const uint8_t *end = memchr(data, '\0', size);
	size_t replies = end != NULL ? (size_t)(end - data) : size;
	size_t scan = end != NULL ? size - replies - 1 : 0;
	struct assay_bytes raw[] = {
		{.media = RGA_MEDIA_REPLIES, .data = data, .len = replies},
		{.media = RGA_MEDIA_SCAN, .data = data + size - scan, .len = scan},
	};
	host_decode_bytes(h, raw, 2, NULL, 0);
	host_destroy(h);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A run as the instrument stores it. */
#include "host.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assay_bytes raw = {
		.media = "application/json", .name = "run", .data = data, .len = size};
	struct host *h = host_create(assay_driver, ASSAY_LINK_HTTP);
	h->quiet = true;
	host_decode_bytes(h, &raw, 1, NULL, 0);
	host_destroy(h);
	return 0;
}

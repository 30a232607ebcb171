/* SPDX-License-Identifier: Apache-2.0 */
/* decode() on one raw block of arbitrary bytes. */
#include <stdlib.h>

#include "host.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_TCP);
	h->quiet = true;
	struct assay_bytes raw = {.media = "text/plain", .data = data, .len = size};
	if (host_decode_bytes(h, &raw, 1, NULL, 0) == 0 && host_find(h, "signal") == NULL)
		abort();
	host_destroy(h);
	return 0;
}

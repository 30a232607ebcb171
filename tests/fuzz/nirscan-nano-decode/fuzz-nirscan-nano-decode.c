/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scan's file; its last byte chooses the result and the blocks beside it: errors from the file's
 * first bytes, and the file as its own background.
 */
#include "host.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const results[] = {
		"single_beam", "reflectance", "transmittance", "absorbance"};
	if (size == 0)
		return 0;
	uint8_t bits = data[--size];
	struct host *h = host_create(assay_driver, ASSAY_LINK_SERIAL);
	h->quiet = true;
	host_set(h, "result", results[bits & 3]);
	host_set(h, "first_month", bits & 4 ? "0" : "1");
	struct assay_bytes raw[] = {
		{.media = "application/x-nirscan-scan", .data = data, .len = size},
		{.media = "application/x-nirscan-errors",
			.data = data,
			.len = size < 20 ? size : 20},
	};
	host_decode_bytes(h, raw, bits & 8 ? 1 : 2, raw, bits & 16 ? 0 : 1);
	host_destroy(h);
	return 0;
}

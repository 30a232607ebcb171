/* SPDX-License-Identifier: Apache-2.0 */
/* Raw blocks from the input: the first byte chooses settings; 0 bytes separate the four replies. */
#include <string.h>

#include "host.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {
		"scan", "systemStatus", "hardwareErrors", "hardwareWarnings"};
	struct assay_bytes raw[4];
	size_t count = 0;
	if (size == 0)
		return 0;
	uint8_t bits = data[0];
	data++, size--;
	while (count < 4) {
		const uint8_t *end = memchr(data, 0, size);
		size_t len = end != NULL && count < 3 ? (size_t)(end - data) : size;
		raw[count] = (struct assay_bytes){.media = "application/json",
			.name = names[count],
			.data = data,
			.len = len};
		count++;
		data += len, size -= len;
		if (size > 0)
			data++, size--;
	}
	struct host *h = host_create(assay_driver, ASSAY_LINK_HTTP);
	h->quiet = true;
	host_set(h, "mass_last", "1");
	if (bits & 1)
		host_set(h, "emission", "true");
	if (bits & 2)
		host_set(h, "total_pressure", bits & 4 ? "Torr" : "mbar");
	if (bits & 8) {
		host_set(h, "mode", "single");
		host_set(h, "sim_ions", "18");
		host_set(h, "sim_ions", "28");
	}
	if (bits & 16)
		host_set(h, "points_per_amu", "3");
	host_decode_bytes(h, raw, count, NULL, 0);
	host_destroy(h);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of the status, a NUL, the data; the first byte chooses the settings. */
#include <string.h>

#include "hiden-rga/measurement.h"
#include "host.h"

extern const struct assay_driver *const assay_driver;
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct host *h = host_create(assay_driver, ASSAY_LINK_TCP);
	h->quiet = true;
	host_set(h, "mode", data[0] & 1 ? "series" : "sweep");
	host_set(h, "mass_last", "3");
	host_set(h, "sim_ions", "18");
	host_set(h, "sim_ions", "28");
	host_set(h, "stop_mass", data[0] & 2 ? "left out" : "measured");
	if (data[0] & 4)
		host_set(h, "emission_current", "1");
	data++, size--;
	const uint8_t *end = memchr(data, '\0', size);
	size_t status = end != NULL ? (size_t)(end - data) : size;
	size_t rest = end != NULL ? size - status - 1 : 0;
	struct assay_bytes raw[] = {
		{.media = HIDEN_MEDIA_STATUS, .data = data, .len = status},
		{.media = HIDEN_MEDIA_DATA, .data = data + size - rest, .len = rest},
	};
	host_decode_bytes(h, raw, 2, NULL, 0);
	host_destroy(h);
	return 0;
}

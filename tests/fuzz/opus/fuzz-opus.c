/* SPDX-License-Identifier: Apache-2.0 */
/* A file in OPUS format, up to its single-beam spectrum. */
#include "bruker-web/processing.h"
#include "host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct assay_driver none = {.name = "none", .links = ASSAY_LINK_NONE};
	struct opus file;
	struct measurement m;
	struct spectrum s;
	char why[WHY_MAX];
	if (opus_open(&file, data, size) < 0 || measurement_read(&file, OPUS_SAMPLE, &m, why) < 0)
		return 0;
	/* A transform of many points only takes time. */
	if (m.limit / m.resolution > 4096)
		return 0;
	struct host *h = host_create(&none, ASSAY_LINK_NONE);
	struct processing p = {
		.apodization = apodization_find("blackman-harris-3"), .zero_filling = 2};
	processing_run(&p, &m, &h->frame.handle, &s, why);
	host_destroy(h);
	return 0;
}

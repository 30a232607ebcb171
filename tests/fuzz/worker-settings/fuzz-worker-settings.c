/* SPDX-License-Identifier: Apache-2.0 */
/* The settings that the core sends to a driver, and their merge with those that are read back. */
#include <assay/driver.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../unit/worker/settings-table.h"
#include "record/read.h"
#include "worker/report.h"
#include "worker/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Every setting that a driver requests must keep to its table. */
static void look_at(const struct assay_settings *s)
{
	double time = assay_number(s, "time");
	int64_t channels = assay_int(s, "channels");
	if (assay_has(s, "time") && !(time >= 0.1 && time <= 10))
		abort();
	if (assay_has(s, "channels") && (channels < 1 || channels > 4096))
		abort();
	const char *mode = assay_text(s, "mode");
	if (mode != NULL && strcmp(mode, "scan") != 0 && strcmp(mode, "histogram") != 0)
		abort();
	for (size_t i = 0; i < assay_count(s, "ions"); i++)
		if (assay_number_at(s, "ions", i) - assay_number_at(s, "ions", i) != 0)
			abort();
	for (size_t i = 0; i < assay_count(s, "map"); i++)
		if (!assay_has(assay_row(s, "map", i), "address"))
			abort();
}

/* Accepted settings come back as one map that can be read. */
static void merge(const uint8_t *data, size_t len)
{
	struct report report = {0};
	struct buffer out = {0};
	struct reader r;
	struct assay_variable v = {.type = ASSAY_SCALAR_FLOAT, .real = 4.992, .unit = "s"};
	report_add(&report, "time", &v);
	report_add(&report, "gain", &v);
	if (report_merge(&report, data, len, &out) == 0) {
		read_init(&r, out.data, out.len);
		r.depth_max = 12;
		if (read_skip(&r) < 0 || read_finish(&r) < 0)
			abort();
	}
	buffer_finish(&out);
	report_finish(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct assay_host host = {.abi = ASSAY_DRIVER_ABI};
	struct settings *settings;
	char why[SETTINGS_WHY];
	settings_services(&host);
	if (settings_create(table, data, len, &host, &settings, why) == 0) {
		look_at(settings_handle(settings));
		settings_destroy(settings);
		merge(data, len);
	}
	return 0;
}

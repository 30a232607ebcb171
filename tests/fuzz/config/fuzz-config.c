/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration file in one text, read with a fixed catalog; if it loads, its parts are merged
 * and found.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "config/load.h"
#include "drivers.h"

static void use(const struct config *config)
{
	struct buffer to = {0};
	char *why;
	const struct assay_span nothing = {0};
	for (size_t i = 0; i < config->instrument_count; i++) {
		const struct config_instrument *ins = &config->instruments[i];
		assert(config_find(config, ins->key) == ins);
		assert(ins->port_name != NULL && ins->canonical.len != 0);
		assert(config_merge(ins->driver, ins->settings, nothing, &to, &why) == 0);
	}
	config_sample_fits(config, "SAMPLE-1");
	buffer_finish(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config;
	struct config_errors errors;
	int r = load_text((const char *)data, size, &test_catalog, &config, &errors);
	assert((r == 0) == (errors.count == 0 && config != NULL));
	if (r == 0)
		use(config);
	config_errors_finish(&errors);
	config_destroy(config);
	return 0;
}

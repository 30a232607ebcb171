/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration file in one text, or after SAVED the saved texts of all its files behind a checksum
 * that is right here, read with a fixed catalog; if it loads, its parts are merged and found.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "config/load.h"
#include "drivers.h"

#define SAVED "saved:"

static int load_as_saved(
	const uint8_t *data, size_t size, struct config **config, struct config_errors *errors)
{
	struct buffer file = {0}, saved = {0};
	struct config *again;
	char end[20];
	buffer_append(&file, data, size);
	snprintf(end, sizeof end, "end %08x\n", (unsigned)crc32c(0, data, size));
	buffer_append(&file, end, strlen(end));
	struct assay_span span = {file.data, file.len};
	*errors = (struct config_errors){0};
	int r = load_saved(span, "", &test_catalog, config, errors);
	if (r == 0) {
		config_save(*config, &saved);
		span = (struct assay_span){saved.data, saved.len};
		assert(load_saved(span, "", &test_catalog, &again, errors) == 0);
		assert(memcmp(again->sha256, (*config)->sha256, sizeof again->sha256) == 0);
		config_destroy(again);
	}
	buffer_finish(&file);
	buffer_finish(&saved);
	return r;
}

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
	size_t head = strlen(SAVED);
	bool is_saved = size > head && memcmp(data, SAVED, head) == 0;
	int r = is_saved ? load_as_saved(data + head, size - head, &config, &errors)
			 : load_text((const char *)data, size, &test_catalog, &config, &errors);
	assert(is_saved || (r == 0) == (errors.count == 0 && config != NULL));
	assert((r == 0) == (config != NULL));
	if (r == 0)
		use(config);
	config_errors_finish(&errors);
	config_destroy(config);
	return 0;
}

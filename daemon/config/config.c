/* SPDX-License-Identifier: Apache-2.0 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/inside.h"

void config_destroy(struct config *config)
{
	if (config == NULL)
		return;
	if (config->inside->has_sample)
		regfree(&config->inside->sample);
	config_errors_finish(&config->warnings);
	arena_finish(&config->inside->arena);
	free(config->inside);
	free(config);
}

const struct config_instrument *config_find(const struct config *config, const char *key)
{
	for (size_t i = 0; i < config->instrument_count; i++)
		if (strcmp(config->instruments[i].key, key) == 0)
			return &config->instruments[i];
	return NULL;
}

const struct config_method *config_find_method(const struct config *config, const char *id)
{
	for (size_t i = 0; i < config->method_count; i++)
		if (strcmp(config->methods[i].id, id) == 0)
			return &config->methods[i];
	return NULL;
}

bool config_sample_fits(const struct config *config, const char *sample)
{
	return !config->inside->has_sample ||
	       regexec(&config->inside->sample, sample, 0, NULL, 0) == 0;
}

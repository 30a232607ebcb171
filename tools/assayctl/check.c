/* SPDX-License-Identifier: Apache-2.0 */
/* check, schema: the configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "catalog.h"
#include "config/config.h"
#include "print.h"
#include "schema.h"

struct catalog *load_catalog(const struct options *options)
{
	struct catalog *catalog = NULL;
	char *why = NULL;
	int r = catalog_load(options->worker, options->drivers, &catalog, &why);
	if (r < 0)
		fprintf(stderr, "assayctl: %s\n", why != NULL ? why : strerror(-r));
	free(why);
	return catalog;
}

static json_t *errors_json(const struct config_errors *errors, bool warnings)
{
	json_t *list = json_array();
	for (size_t i = 0; i < errors->count; i++) {
		const struct config_error *e = &errors->items[i];
		if (config_error_is_warning(e) != warnings)
			continue;
		json_array_append_new(list,
			json_pack("{s:s*, s:i, s:i, s:s}", "file", e->mark.file, "line",
				(int)e->mark.line, "column", (int)e->mark.column, "text", e->text));
	}
	return list;
}

int command_check(const struct options *options, const struct args *args)
{
	const char *file = args->words[0] != NULL ? args->words[0] : options->config;
	struct catalog *catalog = load_catalog(options);
	if (catalog == NULL)
		return 1;
	struct config *config = NULL;
	struct config_errors errors = {0};
	int r = config_load_profile(file, catalog, &config, &errors);
	bool is_profile = r != -ENOENT;
	if (!is_profile)
		r = config_load(file, catalog, &config, &errors);
	const struct config_errors *findings = r == 0 ? &config->warnings : &errors;
	if (options->json)
		print_object(json_pack("{s:o, s:o}", "errors", errors_json(findings, false),
			"warnings", errors_json(findings, true)));
	else
		config_errors_write(findings, stderr);
	if (r == 0 && !options->json && is_profile)
		printf("%s: a profile, no errors\n", file);
	else if (r == 0 && !options->json)
		printf("%s: %zu instrument%s, no errors\n", file, config->instrument_count,
			config->instrument_count == 1 ? "" : "s");
	config_errors_finish(&errors);
	config_destroy(config);
	catalog_destroy(catalog);
	return r == 0 ? 0 : 1;
}

int command_schema(const struct options *options, const struct args *args)
{
	struct catalog *catalog = load_catalog(options);
	if (catalog == NULL)
		return 1;
	json_t *schema = args_has(args, "profile") ? schema_make_profile(catalog)
						   : schema_make(catalog);
	bool made = schema != NULL;
	print_object(schema);
	catalog_destroy(catalog);
	return made ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* describe: what the drivers can be told. */
#include <stdio.h>
#include <string.h>

#include "catalog.h"
#include "command.h"
#include "config/jsonout.h"

static const struct {
	unsigned bit;
	const char *name;
} links[] = {{ASSAY_LINK_SERIAL, "serial"}, {ASSAY_LINK_USB, "usb"}, {ASSAY_LINK_TCP, "tcp"},
	{ASSAY_LINK_UDP, "udp"}, {ASSAY_LINK_HTTP, "http"}, {ASSAY_LINK_MODBUS_RTU, "modbus-rtu"},
	{ASSAY_LINK_MODBUS_TCP, "modbus-tcp"}, {ASSAY_LINK_NONE, "none"}};

static const char *const types[] = {[ASSAY_BOOL] = "bool",
	[ASSAY_INT] = "int",
	[ASSAY_NUMBER] = "number",
	[ASSAY_TEXT] = "text",
	[ASSAY_CHOICE] = "choice",
	[ASSAY_TABLE] = "table"};

static void write_flags(struct json *j, unsigned flags)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {{ASSAY_REQUIRED, "required"}, {ASSAY_LIST, "list"},
		{ASSAY_CALIBRATION, "calibration"}, {ASSAY_HAZARD, "hazard"}, {ASSAY_LIVE, "live"}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if ((flags & names[i].bit) == 0)
			continue;
		json_key(j, names[i].name);
		json_bool(j, true);
	}
}

static void write_settings(struct json *j, const char *key, const struct assay_setting *settings)
{
	json_key(j, key);
	json_open(j, '[');
	for (const struct assay_setting *s = settings; s != NULL && s->name != NULL; s++) {
		json_open(j, '{');
		json_pair(j, "name", s->name);
		json_pair(j, "type", types[s->type]);
		json_pair(j, "unit", s->unit);
		if (s->min < s->max) {
			json_key(j, "min");
			json_number(j, s->min);
			json_key(j, "max");
			json_number(j, s->max);
		}
		if (s->choices != NULL) {
			json_key(j, "choices");
			json_open(j, '[');
			for (const char *const *choice = s->choices; *choice != NULL; choice++)
				json_text(j, *choice);
			json_close(j, ']');
		}
		write_flags(j, s->flags);
		json_pair(j, "default", s->fallback);
		json_pair(j, "help", s->help);
		if (s->columns != NULL)
			write_settings(j, "columns", s->columns);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void write_driver(struct json *j, const struct catalog_driver *driver)
{
	json_open(j, '{');
	json_pair(j, "name", driver->name);
	json_pair(j, "version", driver->version);
	json_pair(j, "summary", driver->summary);
	json_pair(j, "technique", driver->technique);
	json_pair(j, "make", driver->make);
	json_key(j, "links");
	json_open(j, '[');
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		if ((driver->links & links[i].bit) != 0)
			json_text(j, links[i].name);
	}
	json_close(j, ']');
	write_settings(j, "settings", driver->settings);
	json_close(j, '}');
}

static void print_json(const struct catalog *catalog, const struct catalog_driver *one)
{
	struct buffer text = {0};
	struct json j = {.to = &text};
	json_open(&j, '[');
	for (size_t i = 0; i < catalog->count; i++) {
		if (one == NULL || one == &catalog->drivers[i])
			write_driver(&j, &catalog->drivers[i]);
	}
	json_close(&j, ']');
	if (!text.failed)
		printf("%.*s\n", (int)text.len, (const char *)text.data);
	buffer_finish(&text);
}

static void print_summaries(const struct catalog *catalog)
{
	for (size_t i = 0; i < catalog->count; i++)
		printf("%-16s %s\n", catalog->drivers[i].name, catalog->drivers[i].summary);
}

static void print_unknown(const struct catalog *catalog, const char *name)
{
	fprintf(stderr, "assayctl: there is no driver %s; there are:", name);
	for (size_t i = 0; i < catalog->count; i++)
		fprintf(stderr, " %s", catalog->drivers[i].name);
	fputc('\n', stderr);
}

int command_describe(const struct options *options, int argc, char **argv)
{
	if (argc > 2)
		return command_usage("describe", "one driver at a time");
	struct catalog *catalog = load_catalog(options);
	if (catalog == NULL)
		return 1;
	const struct catalog_driver *one = argc == 2 ? catalog_find(catalog, argv[1]) : NULL;
	bool unknown = argc == 2 && one == NULL;
	if (unknown)
		print_unknown(catalog, argv[1]);
	else if (options->json)
		print_json(catalog, one);
	else if (one != NULL)
		catalog_describe(one, stdout);
	else
		print_summaries(catalog);
	catalog_destroy(catalog);
	return unknown ? 1 : 0;
}

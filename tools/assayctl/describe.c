/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe: what drivers can be told, and what an instrument was told.  The daemon answers where
 * it runs, else the program assay-worker is asked for the drivers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "catalog.h"
#include "client.h"
#include "print.h"

#define ASK_SECONDS 5
#define INDENT      24
#define COLUMNS     80

/* Words from column INDENT on, lines of at most COLUMNS. */
static void wrap(const char *text, int at)
{
	int column = at;
	while (*text != '\0') {
		int len = (int)strcspn(text, " ");
		if (column > INDENT && column + 1 + len > COLUMNS) {
			printf("\n%*s", INDENT, "");
			column = INDENT;
		} else if (column > at) {
			putchar(' ');
			column++;
		}
		printf("%.*s", len, text);
		column += len;
		text += len + strspn(text + len, " ");
	}
	putchar('\n');
}

/* --- one setting ----------------------------------------------------------------------------- */

static const char *const type_names[][2] = {{"bool", "true or false"}, {"int", "whole number"},
	{"number", "number"}, {"text", "text"}, {"choice", ""}, {"table", "list of rows"}};

static bool is(const struct pairs *f, const char *key)
{
	return strcmp(pairs_get(f, key), "yes") == 0;
}

static const char *unit_of(const struct pairs *f)
{
	const char *unit = pairs_get(f, "unit");
	return strcmp(unit, "1") == 0 || unit[0] == '{' ? "" : unit;
}

static void print_bounds(FILE *to, const struct pairs *f)
{
	const char *min = pairs_get(f, "min"), *max = pairs_get(f, "max"), *unit = unit_of(f);
	if (min[0] == '\0')
		return;
	if (is(f, "hex"))
		fprintf(to, ", 0x%llx to 0x%llx", strtoull(min, NULL, 10), strtoull(max, NULL, 10));
	else
		fprintf(to, ", %s to %s%s%s", min, max, unit[0] != '\0' ? " " : "", unit);
}

/* "number in s, 0 to 3600 s; default 60 s" */
static void print_kind(FILE *to, const struct pairs *f, const char *choices)
{
	const char *type = pairs_get(f, "type"), *unit = unit_of(f);
	if (is(f, "list"))
		fputs("list of: ", to);
	for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
		if (strcmp(type, type_names[i][0]) == 0)
			fputs(type_names[i][1], to);
	}
	fputs(choices, to);
	if (unit[0] != '\0')
		fprintf(to, " in %s", unit);
	print_bounds(to, f);
	if (pairs_get(f, "default")[0] != '\0')
		fprintf(to, "; default %s", pairs_get(f, "default"));
	if (is(f, "required"))
		fputs("; must be given", to);
	if (is(f, "live"))
		fputs("; assayctl set", to);
	if (is(f, "hazard"))
		fputs("; HAZARD: switches on something that can do harm", to);
}

/* The value that is in force, and what differs from it. */
static void print_present(FILE *to, const struct assay_span *value, const struct assay_span *file,
	const struct assay_span *back, const char *from)
{
	char text[200];
	print_setting(text, sizeof text, value);
	if (value->len == 0)
		fputs("= not set", to);
	else if (strcmp(from, "set") == 0)
		fprintf(to, "= %s (set at run time;", text);
	else
		fprintf(to, "= %s (%s)", text, from);
	if (strcmp(from, "set") == 0) {
		print_setting(text, sizeof text, file);
		fprintf(to, " the configuration says %s)", file->len > 0 ? text : "nothing");
	}
	if (back->len > 0) {
		print_setting(text, sizeof text, back);
		fprintf(to, "; the instrument says %s", text);
	}
}

/* What is not text in a setting's map. */
struct setting {
	struct pairs pairs;
	char choices[300];
	struct assay_span value, file, back, columns;
};

static void read_choices(struct reader *r, char *text, size_t size)
{
	size_t items, len = 0;
	struct assay_string choice;
	read_array(r, &items);
	for (; items > 0 && read_text(r, &choice) == 0 && len < size; items--)
		len += (size_t)snprintf(text + len, size - len, "%s%.*s", len > 0 ? " | " : "",
			(int)choice.len, choice.data);
}

static int read_setting(struct reader *r, struct setting *s)
{
	struct reader again = *r;
	size_t pairs;
	struct assay_string key;
	*s = (struct setting){.choices = ""};
	if (pairs_read(&s->pairs, &again) < 0)
		return -1;
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "choices"))
			read_choices(r, s->choices, sizeof s->choices);
		else if (assay_string_is(key, "value"))
			read_raw(r, &s->value);
		else if (assay_string_is(key, "file"))
			read_raw(r, &s->file);
		else if (assay_string_is(key, "read_back"))
			read_raw(r, &s->back);
		else if (assay_string_is(key, "columns"))
			read_raw(r, &s->columns);
		else
			read_skip(r);
	}
	return r->error;
}

static void print_one(const struct setting *s, int indent, bool present)
{
	char *kind = NULL, *now = NULL;
	size_t size;
	FILE *text = open_memstream(&kind, &size);
	if (text == NULL)
		return;
	print_kind(text, &s->pairs, s->choices);
	fclose(text);
	int n = printf("%*s%s ", indent, "", pairs_get(&s->pairs, "name"));
	if (n < INDENT)
		n += printf("%*s", INDENT - n, "");
	wrap(pairs_get(&s->pairs, "help"), n);
	printf("%*s", INDENT, "");
	wrap(kind, INDENT);
	free(kind);
	text = present ? open_memstream(&now, &size) : NULL;
	if (text != NULL) {
		print_present(text, &s->value, &s->file, &s->back, pairs_get(&s->pairs, "from"));
		fclose(text);
		printf("%*s", INDENT, "");
		wrap(now, INDENT);
		free(now);
	}
}

/* The settings of one kind, title first; `present`: with their values. */
static void print_table(struct assay_span table, const char *calibration, int indent,
	const char *title, bool present)
{
	struct reader *r = calloc(1, sizeof *r);
	struct setting *s = calloc(1, sizeof *s);
	size_t items = 0;
	bool any = false;
	if (r != NULL && s != NULL) {
		read_init(r, table.data, table.len);
		read_array(r, &items);
	}
	for (; items > 0 && read_setting(r, s) == 0; items--) {
		if (calibration != NULL &&
			strcmp(pairs_get(&s->pairs, "calibration"), calibration) != 0)
			continue;
		if (!any && title != NULL)
			printf("\n%s\n", title);
		any = true;
		print_one(s, indent, present);
		if (s->columns.len > 0)
			print_table(s->columns, NULL, indent + 2, NULL, false);
	}
	free(r);
	free(s);
}

static void print_tables(struct assay_span table, bool present)
{
	print_table(table, "", 2, "settings", present);
	print_table(table, "yes", 2, "calibration", present);
}

/* --- drivers and instruments ----------------------------------------------------------------- */

static void print_links(struct assay_span links)
{
	static struct pairs f;
	struct reader r;
	size_t items;
	read_init(&r, links.data, links.len);
	read_array(&r, &items);
	printf("\nlink\n");
	for (; items > 0 && pairs_read(&f, &r) == 0; items--) {
		const char *defaults = pairs_get(&f, "defaults");
		int n = printf("  %s ", pairs_get(&f, "type"));
		n += printf("%*s", n < INDENT ? INDENT - n : 0, "");
		wrap(defaults[0] != '\0' ? defaults : "(nothing is preset)", n);
	}
}

static void print_driver(const struct pairs *f, struct assay_span links, struct assay_span settings)
{
	const char *technique = pairs_get(f, "technique"), *make = pairs_get(f, "make");
	printf("%s %s: %s\n", pairs_get(f, "name"), pairs_get(f, "version"),
		pairs_get(f, "summary"));
	printf("technique: %s\n", technique[0] != '\0' ? technique : "as configured");
	if (make[0] != '\0')
		printf("make: %s\n", make);
	print_links(links);
	print_tables(settings, false);
}

static void print_instrument(const struct pairs *f, struct assay_span settings)
{
	printf("%s: driver %s%s%s\n", pairs_get(f, "key"), pairs_get(f, "driver"),
		pairs_get(f, "profile")[0] != '\0' ? ", profile " : "", pairs_get(f, "profile"));
	if (is(f, "changed"))
		printf("changed at run time; a reload or restart brings back the configuration\n");
	print_tables(settings, true);
}

/* The texts of a map, and two of its lists. */
static int read_map_of(
	struct reader *r, struct pairs *f, struct assay_span *links, struct assay_span *settings)
{
	struct reader again = *r;
	size_t pairs;
	struct assay_string key;
	if (pairs_read(f, &again) < 0)
		return -1;
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "links"))
			read_raw(r, links);
		else if (assay_string_is(key, "settings"))
			read_raw(r, settings);
		else
			read_skip(r);
	}
	return r->error;
}

/* The reply to describe: {drivers: [...]} or {instrument: {...}}. */
static void print_reply(const struct buffer *reply, bool one)
{
	static struct pairs f;
	static struct reader r;
	struct assay_span links = {0}, settings = {0};
	struct assay_string key;
	size_t items, pairs;
	if (reply_array(reply, "drivers", &r, &items) == 0) {
		for (; items > 0 && read_map_of(&r, &f, &links, &settings) == 0; items--) {
			if (one)
				print_driver(&f, links, settings);
			else
				printf("%-16s %s\n", pairs_get(&f, "name"),
					pairs_get(&f, "summary"));
		}
		return;
	}
	read_init(&r, reply->data, reply->len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (!assay_string_is(key, "instrument"))
			read_skip(&r);
		else if (read_map_of(&r, &f, &links, &settings) == 0)
			print_instrument(&f, settings);
	}
}

/* --- who answers ----------------------------------------------------------------------------- */

static int ask(
	const struct options *options, const char *what, const char *name, struct buffer *reply)
{
	struct request request;
	buffer_reset(reply);
	client_begin(&request, "describe");
	map_text(&request.map, what, name);
	return client_try(options, &request, ASK_SECONDS, reply);
}

/* The daemon's socket is there: it is asked.  What a killed one left behind does not answer. */
static int ask_daemon(const struct options *options, const char *name, struct buffer *reply)
{
	if (strncmp(options->control, "ipc://", 6) == 0 && access(options->control + 6, F_OK) != 0)
		return -1;
	int r = name != NULL ? ask(options, "instrument", name, reply) : 1;
	return r > 0 ? ask(options, "driver", name, reply) : r;
}

static int ask_worker(const struct options *options, const char *name, struct buffer *reply)
{
	struct catalog *catalog = load_catalog(options);
	if (catalog == NULL)
		return 1;
	const struct catalog_driver *one = name != NULL ? catalog_find(catalog, name) : NULL;
	if (name != NULL && one == NULL) {
		fprintf(stderr, "assayctl: there is no driver %s; there are:", name);
		for (size_t i = 0; i < catalog->count; i++)
			fprintf(stderr, " %s", catalog->drivers[i].name);
		fputs("; instruments are known where assayd runs\n", stderr);
		catalog_destroy(catalog);
		return 1;
	}
	struct map map;
	buffer_reset(reply);
	map_open(&map, reply);
	map_bool(&map, "ok", true);
	map_key(&map, "drivers");
	encode_array(reply, one != NULL ? 1 : catalog->count);
	for (size_t i = 0; i < catalog->count; i++) {
		if (one == NULL || one == &catalog->drivers[i])
			catalog_put(reply, &catalog->drivers[i]);
	}
	map_close(&map);
	catalog_destroy(catalog);
	return 0;
}

int command_describe(const struct options *options, const struct args *args)
{
	struct buffer reply = {0};
	const char *name = args->words[0];
	int r = ask_daemon(options, name, &reply);
	if (r > 0)
		r = client_explain(options, &reply);
	else if (r < 0)
		r = ask_worker(options, name, &reply);
	if (r == 0 && options->json)
		print_json(&reply);
	else if (r == 0)
		print_reply(&reply, name != NULL);
	buffer_finish(&reply);
	return r;
}

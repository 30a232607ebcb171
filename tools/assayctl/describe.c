/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe: the settings of drivers and instruments.  They come from the daemon if it runs,
 * otherwise, of drivers only, from the program assay-worker.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "catalog.h"
#include "client.h"
#include "print.h"

#define INDENT  24
#define COLUMNS 80

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

struct setting {
	char name[40], help[260], type[20], unit[40], min[40], max[40], preset[260], from[260];
	char calibration[4];
	bool required, list, hex, hazard, live, calibrates;
	struct assay_span choices, columns, value, file, read_back;
};

static const struct keys setting_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct setting, name), ROW_TEXT(struct setting, help),
		ROW_TEXT(struct setting, type), ROW_TEXT(struct setting, unit),
		ROW_TEXT(struct setting, min), ROW_TEXT(struct setting, max),
		{"default", KEY_OTHER, KEY_AT(struct setting, preset), .read = print_read_value},
		ROW_TEXT(struct setting, from), ROW_TEXT(struct setting, calibration),
		ROW_BOOL(struct setting, required), ROW_BOOL(struct setting, list),
		ROW_BOOL(struct setting, hex), ROW_BOOL(struct setting, hazard),
		ROW_BOOL(struct setting, live), ROW_BOOL(struct setting, calibrates),
		ROW_RAW(struct setting, choices), ROW_RAW(struct setting, columns),
		ROW_RAW(struct setting, value), ROW_RAW(struct setting, file),
		ROW_RAW(struct setting, read_back), {0}},
	.open = true};

static const char *const type_names[][2] = {{"bool", "true or false"}, {"int", "whole number"},
	{"number", "number"}, {"text", "text"}, {"table", "list of rows"}};

static void print_choices(FILE *to, struct assay_span choices)
{
	struct reader r;
	size_t items;
	struct assay_string choice;
	read_init(&r, choices.data, choices.len);
	read_array(&r, &items);
	for (size_t i = 0; i < items && read_text(&r, &choice) == 0; i++)
		fprintf(to, "%s%.*s", i > 0 ? " | " : "", (int)choice.len, choice.data);
}

/* "number in s, 0 to 3600 s; default 60 s" */
static void print_kind(FILE *to, const struct setting *s)
{
	bool has_unit = s->unit[0] != '\0' && strcmp(s->unit, "1") != 0 && s->unit[0] != '{';
	const char *unit = has_unit ? s->unit : "";
	if (s->list)
		fputs("list of: ", to);
	for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
		if (strcmp(s->type, type_names[i][0]) == 0)
			fputs(type_names[i][1], to);
	}
	if (s->choices.len > 0)
		print_choices(to, s->choices);
	if (has_unit)
		fprintf(to, " in %s", unit);
	if (s->min[0] != '\0' && s->hex)
		fprintf(to, ", 0x%llx to 0x%llx", strtoull(s->min, NULL, 10),
			strtoull(s->max, NULL, 10));
	else if (s->min[0] != '\0')
		fprintf(to, ", %s to %s%s%s", s->min, s->max, has_unit ? " " : "", unit);
	if (s->preset[0] != '\0')
		fprintf(to, "; default %s", s->preset);
	if (s->required)
		fputs("; must be given", to);
	if (s->live)
		fputs("; assayctl set", to);
	if (s->calibrates)
		fputs("; a calibration holds for one value", to);
	if (s->hazard)
		fputs("; HAZARD: switches on something that can do harm", to);
}

/* The value in force, its origin, and other values that differ from it. */
static void print_present(FILE *to, const struct setting *s)
{
	fputs(s->value.len == 0 ? "= not set" : "= ", to);
	if (s->value.len > 0)
		print_setting(to, s->value);
	if (strcmp(s->from, "set") == 0) {
		fputs(" (set at run time; the configuration has ", to);
		if (s->file.len > 0)
			print_setting(to, s->file);
		fputs(s->file.len > 0 ? ")" : "nothing)", to);
	} else if (s->value.len > 0) {
		fprintf(to, " (%s)", s->from);
	}
	if (s->read_back.len > 0) {
		fputs("; the instrument reports ", to);
		print_setting(to, s->read_back);
	}
}

static void print_wrapped(void (*print)(FILE *to, const struct setting *s), const struct setting *s)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	if (to == NULL)
		return;
	print(to, s);
	fclose(to);
	printf("%*s", INDENT, "");
	wrap(text, INDENT);
	free(text);
}

/* The settings of one kind, title first; `present`: with their values. */
static void print_table(struct assay_span table, const char *calibration, int indent,
	const char *title, bool present)
{
	struct reader r;
	size_t items;
	bool any = false;
	read_init(&r, table.data, table.len);
	read_array(&r, &items);
	for (; items > 0; items--) {
		struct setting s = {0};
		if (keys_read(&r, &setting_keys, &s, NULL) < 0)
			return;
		if (calibration != NULL && strcmp(s.calibration, calibration) != 0)
			continue;
		if (!any && title != NULL)
			printf("\n%s\n", title);
		any = true;
		int n = printf("%*s%s ", indent, "", s.name);
		if (n < INDENT)
			n += printf("%*s", INDENT - n, "");
		wrap(s.help, n);
		print_wrapped(print_kind, &s);
		if (present)
			print_wrapped(print_present, &s);
		if (s.columns.len > 0)
			print_table(s.columns, NULL, indent + 2, NULL, false);
	}
}

/* --- drivers and instruments ----------------------------------------------------------------- */

struct link {
	char type[40], defaults[260];
};

/* A driver, or an instrument with its settings. */
struct subject {
	char name[40], version[40], summary[260], technique[40], make[260];
	char key[40], driver[40], link[300], address[80], profile[260];
	bool changed;
	struct assay_span links, settings;
};

static const struct keys link_keys = {.rows = (const struct key[]){ROW_TEXT(struct link, type),
					      ROW_TEXT(struct link, defaults), {0}},
	.open = true};

static const struct keys subject_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct subject, name),
		ROW_TEXT(struct subject, version), ROW_TEXT(struct subject, summary),
		ROW_TEXT(struct subject, technique), ROW_TEXT(struct subject, make),
		ROW_TEXT(struct subject, key), ROW_TEXT(struct subject, driver),
		ROW_TEXT(struct subject, link), ROW_TEXT(struct subject, address),
		ROW_TEXT(struct subject, profile), ROW_BOOL(struct subject, changed),
		ROW_RAW(struct subject, links), ROW_RAW(struct subject, settings), {0}},
	.open = true};

static void print_tables(struct assay_span table, bool present)
{
	print_table(table, "", 2, "settings", present);
	print_table(table, "yes", 2, "calibration", present);
}

static void print_driver(const struct subject *driver)
{
	struct reader r;
	size_t items;
	printf("%s %s: %s\n", driver->name, driver->version, driver->summary);
	printf("technique: %s\n",
		driver->technique[0] != '\0' ? driver->technique : "as configured");
	if (driver->make[0] != '\0')
		printf("make: %s\n", driver->make);
	puts("\nlink");
	read_init(&r, driver->links.data, driver->links.len);
	read_array(&r, &items);
	for (; items > 0; items--) {
		struct link link = {0};
		if (keys_read(&r, &link_keys, &link, NULL) < 0)
			break;
		int n = printf("  %s ", link.type);
		n += printf("%*s", n < INDENT ? INDENT - n : 0, "");
		wrap(link.defaults[0] != '\0' ? link.defaults : "(nothing is preset)", n);
	}
	print_tables(driver->settings, false);
}

/* The reply to describe: {drivers: [...]} or {instrument: {...}}.  `one`: a driver was named. */
static void print_reply(struct assay_span reply, bool one)
{
	struct reader r;
	struct subject subject = {0};
	struct assay_span instrument = keys_value(reply, string_of("instrument"));
	if (instrument.len > 0 &&
		keys_decode(&subject_keys, instrument.data, instrument.len, &subject) == 0) {
		printf("%s: driver %s%s%s\n", subject.key, subject.driver,
			subject.profile[0] != '\0' ? ", profile " : "", subject.profile);
		printf("%s%s%s\n", subject.link,
			subject.address[0] != '\0' ? ", connected to " : "", subject.address);
		if (subject.changed)
			puts("changed at run time; a reload or restart brings back the "
			     "configuration");
		print_tables(subject.settings, true);
	}
	for (size_t left = print_open_list(reply, "drivers", &r); left > 0; left--) {
		subject = (struct subject){0};
		if (keys_read(&r, &subject_keys, &subject, NULL) < 0)
			return;
		if (one)
			print_driver(&subject);
		else
			printf("%-16s %s\n", subject.name, subject.summary);
	}
}

/* --- the command ----------------------------------------------------------------------------- */

static int ask(const struct options *options, const char *key, const char *name,
	struct control_reply *reply)
{
	struct control_request request;
	control_request_init(&request, "describe");
	map_text(&request.map, key, name);
	return client_try(options, &request, ASK_SECONDS, reply);
}

/* As control_send(), of an instrument or else of a driver; -ENOENT: there is no socket. */
static int ask_daemon(const struct options *options, const char *name, struct control_reply *reply)
{
	*reply = (struct control_reply){0};
	if (strncmp(options->control, "ipc://", 6) == 0 && access(options->control + 6, F_OK) != 0)
		return -ENOENT;
	int r = name != NULL ? ask(options, "instrument", name, reply) : 1;
	if (r <= 0)
		return r;
	control_reply_finish(reply);
	return ask(options, "driver", name, reply);
}

/* The same reply about drivers, from the program assay-worker. */
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
	const char *name = args->words[0];
	struct control_reply reply;
	struct buffer drivers = {0};
	int r = ask_daemon(options, name, &reply);
	struct assay_span body = reply.body;
	if (r > 0) {
		r = client_explain(options, r, &reply);
	} else if (r < 0) { /* no daemon, or the socket of one that was killed */
		r = ask_worker(options, name, &drivers);
		body = (struct assay_span){drivers.data, drivers.len};
	}
	if (r == 0 && options->json)
		print_json(body);
	else if (r == 0)
		print_reply(body, name != NULL);
	buffer_finish(&drivers);
	control_reply_finish(&reply);
	return r;
}

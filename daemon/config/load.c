/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/calibration.h"
#include "config/canonical.h"
#include "config/check.h"
#include "config/inside.h"
#include "config/instrument.h"
#include "config/load.h"
#include "config/method.h"
#include "config/ports.h"
#include "config/profile.h"
#include "config/sections.h"
#include "config/source.h"
#include "config/warnings.h"
#include "record/text.h"

#ifndef ASSAY_PROFILE_DIR
#error "the build sets the folder of installed profiles"
#endif

#define FILES_MAX 1000

/* The files' roots, the main file's first; NULL: the file could not be read. */
struct files {
	struct node *roots[FILES_MAX];
	size_t count;
};

struct top {
	const struct node *laboratory, *journal, *sockets, *instruments, *methods;
};

#define AT(member) offsetof(struct top, member)

const struct field config_fields[] = {
	{"laboratory", FIELD_NODE, FIELD_REQUIRED, AT(laboratory),
		.help = "the laboratory, and the facts that a run must have"},
	{"journal", FIELD_NODE, 0, AT(journal), .help = "how and where records are kept"},
	{"sockets", FIELD_NODE, 0, AT(sockets), .help = "where other programs connect"},
	{"instruments", FIELD_NODE, 0, AT(instruments), .help = "the instruments, by name"},
	{"methods", FIELD_NODE, 0, AT(methods), .help = "the methods, by id"},
	{0},
};

/* Of a file in instruments.d and methods.d. */
static const struct field part_fields[] = {
	{"instruments", FIELD_NODE, 0, AT(instruments), .help = "the instruments, by name"},
	{"methods", FIELD_NODE, 0, AT(methods), .help = "the methods, by id"},
	{0},
};

/* --- files ----------------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);
	return len > n && strcmp(text + len - n, end) == 0;
}

static int is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Others, hidden ones too, are not read; .yml is an error, because it is surely meant. */
static bool is_yaml(const struct dirent *entry)
{
	const char *name = entry->d_name;
	return name[0] != '.' && entry->d_type != DT_DIR &&
	       (ends_with(name, ".yaml") || ends_with(name, ".yml"));
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_file(struct load *load, struct files *files, const char *path)
{
	struct config_mark where = {path, 1, 1};
	if (files->count != 0 && ends_with(path, ".yml")) {
		load_error(load, where, "the file's name ends in .yml, expected .yaml");
		return;
	}
	if (files->count == FILES_MAX) {
		load_error(load, where, "there are more than %d files", FILES_MAX);
		return;
	}
	files->roots[files->count++] = source_load(load->source, path, load->arena, load->errors);
}

/* As load_folder(), among saved texts: these are the files that were read once, in their order. */
static void load_saved_folder(struct load *load, struct files *files, const char *folder)
{
	size_t len = strlen(folder);
	for (const struct source_text *t = load->source->first; t != NULL; t = t->next) {
		bool is_in = strncmp(t->path, folder, len) == 0 && t->path[len] == '/' &&
			     strchr(t->path + len + 1, '/') == NULL;
		if (is_in)
			load_file(load, files, t->path);
	}
}

static void load_folder(struct load *load, struct files *files, const char *name)
{
	struct dirent **entries;
	const char *folder = arena_printf(load->arena, "%s/%s", load->dir, name);
	struct config_mark where = {folder, 1, 1};
	if (load->source->is_saved) {
		load_saved_folder(load, files, folder);
		return;
	}
	int count = scandir(folder, &entries, is_entry, by_bytes);
	if (count < 0) {
		if (errno != ENOENT)
			load_error(load, where, "the folder cannot be read: %s", strerror(errno));
		return;
	}
	for (int i = 0; i < count; i++) {
		const char *file = entries[i]->d_name;
		const char *path = arena_printf(load->arena, "%s/%s", folder, file);
		if (is_yaml(entries[i]))
			load_file(load, files, path);
		else
			load_warning(load, where, WARN_NOT_READ, file);
		free(entries[i]);
	}
	free(entries);
}

/* --- entries by name ------------------------------------------------------------------------- */

static const struct node *map_of(const struct top *top, size_t offset)
{
	return *(const struct node *const *)((const char *)top + offset);
}

/*
 * The entries of one section (instruments, methods) of all files.  An entry is left out if an
 * earlier one has its name.  NULL without memory.
 */
static const struct node **collect(struct load *load, const struct top *tops, size_t file_count,
	size_t offset, const char *name, size_t *count)
{
	size_t total = 0;
	*count = 0;
	for (size_t i = 0; i < file_count; i++) {
		const struct node *map = map_of(&tops[i], offset);
		total += map != NULL ? map->count : 0;
	}
	const struct node **entries = arena_array(load->arena, total, sizeof *entries);
	for (size_t i = 0; i < file_count && entries != NULL; i++) {
		const struct node *map = map_of(&tops[i], offset), *node = NULL;
		if (map != NULL && map->type == NODE_LIST)
			load_error(load, map->mark,
				"found a list, expected names of %s such as 'name:', without '-'",
				name);
		else if (map != NULL && fields_expect_map(load, map, name, true))
			node = map->first;
		for (; node != NULL; node = node->next) {
			size_t same = 0;
			while (same < *count && strcmp(entries[same]->key, node->key) != 0)
				same++;
			if (same == *count) {
				entries[(*count)++] = node;
				continue;
			}
			struct config_mark first = entries[same]->key_mark;
			load_error(load, node->key_mark,
				"'%.60s' is defined twice, first in %s:%u:%u", node->key,
				first.file, first.line, first.column);
		}
	}
	return entries;
}

/* --- the whole configuration ------------------------------------------------------------------ */

static void make_canonical(struct load *load)
{
	struct config *config = load->config;
	for (size_t i = 0; i < config->instrument_count; i++)
		canonical_instrument(load, &config->instruments[i]);
	for (size_t i = 0; i < config->method_count; i++)
		canonical_method(load, &config->methods[i]);
	canonical_config(load);
}

static void read_files(struct load *load, const struct files *files)
{
	struct config *config = load->config;
	struct top *tops = arena_array(load->arena, files->count, sizeof *tops);
	size_t count;
	if (tops == NULL)
		return;
	for (size_t i = 0; i < files->count; i++) {
		const struct node *root = files->roots[i];
		if (root != NULL)
			fields_read(load, root, i == 0 ? "the configuration" : "this file",
				root->mark, i == 0 ? config_fields : part_fields, &tops[i]);
	}
	if (files->count != 0 && files->roots[0] != NULL) {
		if (tops[0].laboratory != NULL)
			laboratory_read(load, tops[0].laboratory, tops[0].laboratory->key_mark);
		journal_read(load, tops[0].journal);
		sockets_read(load, tops[0].sockets);
	}

	const struct node **nodes = collect(
		load, tops, files->count, AT(instruments), "instruments", &count);
	config->instruments = arena_array(load->arena, count, sizeof *config->instruments);
	bool *sound = arena_array(load->arena, count, sizeof *sound);
	for (size_t i = 0; i < count && config->instruments != NULL && sound != NULL; i++) {
		size_t before = load->errors->count;
		instrument_read(load, nodes[i], &config->instruments[config->instrument_count++]);
		sound[i] = load->errors->count == before && !load->errors->incomplete;
	}
	ports_check(load);
	const struct node **sections = nodes;

	nodes = collect(load, tops, files->count, AT(methods), "methods", &count);
	config->methods = arena_array(load->arena, count, sizeof *config->methods);
	for (size_t i = 0; i < count && config->methods != NULL; i++)
		method_read(load, nodes[i], &config->methods[config->method_count++]);

	if (load->errors->count == 0)
		check_add_methods(load);
	check_run(load);
	if (load->arena->failed)
		return;
	if (load->errors->count == 0)
		make_canonical(load);
	for (size_t i = 0; i < config->instrument_count; i++)
		if (sound[i])
			warn_of_instrument(load, sections[i], &config->instruments[i]);
	for (size_t i = 0; i < files->count; i++)
		warn_of_texts(load, files->roots[i]);
	if (load->errors->count != 0)
		return;
	if (config->instrument_count == 0)
		load_warning(load, files->roots[0]->mark, WARN_NO_INSTRUMENT);
	calibration_warn(load);
	errors_sort(&config->warnings, files->roots[0]->mark.file);
}

static int start(struct load *load, const struct catalog *catalog, struct config **out,
	struct config_errors *errors)
{
	struct config *config = calloc(1, sizeof *config);
	struct config_inside *inside = calloc(1, sizeof *inside);
	*out = NULL;
	*errors = (struct config_errors){0};
	if (config == NULL || inside == NULL) {
		free(config);
		free(inside);
		return -ENOMEM;
	}
	config->inside = inside;
	*load = (struct load){.arena = &inside->arena,
		.source = &inside->source,
		.errors = errors,
		.catalog = catalog,
		.config = config};
	return 0;
}

/*
 * Hands the configuration over, or destroys it: its warnings are among the errors then.  The errors
 * of a load that ran out of memory are dropped, because they may be wrong.
 */
static int finish(struct load *load, const char *path, struct config **out)
{
	const struct config_errors *errors = load->errors, *warnings = &load->config->warnings;
	bool is_short = load->arena->failed || (errors->incomplete && errors->count < ERRORS_MAX) ||
			(warnings->incomplete && warnings->count < ERRORS_MAX);
	if (!is_short && load->errors->count == 0) {
		*out = load->config;
		return 0;
	}
	if (is_short)
		config_errors_finish(load->errors);
	else
		errors_move(load->errors, &load->config->warnings);
	errors_sort(load->errors, path);
	config_destroy(load->config);
	return is_short ? -ENOMEM : -EINVAL;
}

/* The main file and those that belong to it. */
static void load_all(struct load *load, const char *path, const char *profile_dir)
{
	struct files *files = arena_alloc(load->arena, sizeof *files);
	const char *slash = strrchr(path, '/');
	load->dir = slash == NULL ? "." : arena_text(load->arena, path, (size_t)(slash - path));
	load->profile_dir = profile_dir;
	if (files != NULL) {
		load_file(load, files, arena_text(load->arena, path, strlen(path)));
		load_folder(load, files, "instruments.d");
		load_folder(load, files, "methods.d");
		read_files(load, files);
	}
}

int load_files(const char *path, const char *profile_dir, const struct catalog *catalog,
	struct config **out, struct config_errors *errors)
{
	struct load load;
	int r = start(&load, catalog, out, errors);
	if (r < 0)
		return r;
	load_all(&load, path, profile_dir);
	return finish(&load, path, out);
}

int load_saved(struct assay_span saved, const char *profile_dir, const struct catalog *catalog,
	struct config **out, struct config_errors *errors)
{
	struct load load;
	int r = start(&load, catalog, out, errors);
	if (r < 0)
		return r;
	r = source_parse(load.source, saved, load.arena);
	if (r < 0) {
		config_destroy(load.config);
		return r;
	}
	load_all(&load, load.source->first->path, profile_dir);
	return finish(&load, load.source->first->path, out);
}

int config_load_saved(struct assay_span saved, const struct catalog *catalog, struct config **out,
	struct config_errors *errors)
{
	return load_saved(saved, ASSAY_PROFILE_DIR, catalog, out, errors);
}

void config_save(const struct config *config, struct buffer *out)
{
	source_format(&config->inside->source, out);
}

int config_load(const char *path, const struct catalog *catalog, struct config **out,
	struct config_errors *errors)
{
	return load_files(path, ASSAY_PROFILE_DIR, catalog, out, errors);
}

/* A map with keys of a profile, and none of a configuration. */
static bool is_profile(const struct node *root)
{
	for (const struct field *f = config_fields; f->name != NULL; f++)
		if (node_get(root, f->name) != NULL)
			return false;
	return node_get(root, "driver") != NULL || node_get(root, "settings") != NULL;
}

int config_load_profile(const char *path, const struct catalog *catalog, struct config **out,
	struct config_errors *errors)
{
	struct load load;
	struct profile profile;
	int r = start(&load, catalog, out, errors);
	if (r < 0)
		return r;
	const char *name = arena_text(load.arena, path, strlen(path));
	const struct node *root = source_load(load.source, name, load.arena, errors);
	if (root == NULL || !is_profile(root)) {
		config_errors_finish(errors);
		config_destroy(load.config);
		return -ENOENT;
	}
	profile_take(&load, root, name, &profile);
	instrument_check_profile(&load, &profile);
	check_run(&load);
	errors_sort(&load.config->warnings, path);
	return finish(&load, path, out);
}

const char *config_profile_dir(void)
{
	return ASSAY_PROFILE_DIR;
}

int config_read_profile(const char *name, struct config_profile *out, struct config_errors *errors)
{
	static const struct catalog none;
	struct load load;
	struct profile profile;
	struct config *config;
	int r = start(&load, &none, &config, errors);
	if (r < 0)
		return r;
	load.dir = ".";
	load.profile_dir = ASSAY_PROFILE_DIR;
	const struct node node = {.type = NODE_SCALAR, .mark = {name, 1, 1}, .text = name};
	if (profile_read(&load, &node, &profile) && profile.driver == NULL)
		load_error(&load, profile.root->mark, "'driver' is missing");
	*out = (struct config_profile){0};
	text_copy(out->driver, sizeof out->driver, string_of(profile.driver));
	text_copy(out->summary, sizeof out->summary, string_of(profile.summary));
	text_copy(out->make, sizeof out->make, string_of(profile.make));
	text_copy(out->model, sizeof out->model, string_of(profile.model));
	r = finish(&load, name, &config);
	config_destroy(config);
	return r;
}

static int load_one(const char *name, const char *dir, const char *text, size_t len,
	const struct catalog *catalog, struct config **out, struct config_errors *errors)
{
	struct load load;
	int r = start(&load, catalog, out, errors);
	if (r < 0)
		return r;
	load.dir = dir;
	load.profile_dir = ASSAY_PROFILE_DIR;
	struct files *files = arena_alloc(load.arena, sizeof *files);
	if (files != NULL) {
		files->count = 1;
		files->roots[0] = yaml_parse(text, len, name, load.arena, errors);
		read_files(&load, files);
	}
	return finish(&load, name, out);
}

int load_text(const char *text, size_t len, const struct catalog *catalog, struct config **out,
	struct config_errors *errors)
{
	return load_one("text", NULL, text, len, catalog, out, errors);
}

int load_named_text(const char *name, const char *text, size_t len, const struct catalog *catalog,
	struct config **out, struct config_errors *errors)
{
	return load_one(name, ".", text, len, catalog, out, errors);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "config/catalog.h"
#include "record/keys.h"
#include "wire/describe.h"

#define DRIVERS_MAX  256
#define SETTINGS_MAX 256
#define CHOICES_MAX  256
#define LINKS_MAX    32
#define TEXT_MAX     2000

/* Memory of catalog_destroy(). */
struct owned_catalog {
	struct catalog catalog; /* first */
	struct arena arena;
};

int catalog_keep_paths(struct catalog *catalog, const char *worker, const char *drivers)
{
	struct arena *arena = &((struct owned_catalog *)catalog)->arena;
	catalog->worker = arena_text(arena, worker, strlen(worker));
	catalog->driver_dir = arena_text(arena, drivers, strlen(drivers));
	return arena->failed ? -ENOMEM : 0;
}

struct description {
	struct reader r; /* first: the functions of keys get a pointer to it */
	struct arena *arena;
	unsigned deep; /* tables that are open */
};

void catalog_destroy(struct catalog *catalog)
{
	if (catalog == NULL)
		return;
	struct owned_catalog *owned = (struct owned_catalog *)catalog;
	arena_finish(&owned->arena);
	free(owned);
}

/* --- texts and lists in the arena ------------------------------------------------------------- */

static int read_arena_text(struct reader *r, const struct key *key, void *to)
{
	struct assay_string text;
	size_t at = r->at;
	if (read_text(r, &text) < 0)
		return r->error;
	if (text.len > TEXT_MAX || memchr(text.data, '\0', text.len) != NULL)
		return read_fail(
			r, at, "must be a text of at most %d bytes without zero bytes", TEXT_MAX);
	*(const char **)to = arena_text(((struct description *)r)->arena, text.data, text.len);
	return 0;
}

/* Opens a list.  Its elements are zeroed, with one more at the end. */
static int open_list(struct reader *r, size_t max, size_t size, void **list, size_t *count)
{
	size_t at = r->at, items;
	*count = 0;
	if (read_array(r, &items) < 0)
		return r->error;
	if (items > max)
		return read_fail(r, at, "must be a list of at most %zu", max);
	*list = arena_array(((struct description *)r)->arena, items + 1, size);
	if (*list == NULL)
		return -ENOMEM;
	*count = items;
	return 0;
}

/* `check` gets each element and its place; it may be NULL. */
static int read_list(struct reader *r, const struct keys *keys, size_t max,
	int (*check)(struct reader *r, size_t at, const void *element), void *list, size_t *count)
{
	void *elements;
	int error = open_list(r, max, keys->size, &elements, count);
	if (error < 0)
		return error;
	*(void **)list = elements;
	for (size_t i = 0; error == 0 && i < *count; i++) {
		char *element = (char *)elements + i * keys->size;
		size_t at = r->at;
		error = keys_read(r, keys, element, NULL);
		if (error == 0 && check != NULL)
			error = check(r, at, element);
	}
	return error;
}

/* --- settings --------------------------------------------------------------------------------- */

static int read_choices(struct reader *r, const struct key *key, void *to)
{
	size_t count;
	void *choices;
	int error = open_list(r, CHOICES_MAX, sizeof(const char *), &choices, &count);
	if (error < 0)
		return error;
	*(void **)to = choices;
	for (size_t i = 0; error == 0 && i < count; i++)
		error = read_arena_text(r, key, (const char **)choices + i);
	return error;
}

static int read_settings(struct reader *r, const struct key *key, void *to);

static const struct keys setting_keys = {
	.rows = (const struct key[]){{"name", KEY_OTHER, KEY_AT(struct assay_setting, name),
					     .required = true, .read = read_arena_text},
		{"type", KEY_UINT, KEY_AT(struct assay_setting, type)},
		{"flags", KEY_UINT, KEY_AT(struct assay_setting, flags)},
		{"unit", KEY_OTHER, KEY_AT(struct assay_setting, unit), .read = read_arena_text},
		{"min", KEY_NUMBER, KEY_AT(struct assay_setting, min)},
		{"max", KEY_NUMBER, KEY_AT(struct assay_setting, max)},
		{"choices", KEY_OTHER, KEY_AT(struct assay_setting, choices), .read = read_choices},
		{"columns", KEY_OTHER, KEY_AT(struct assay_setting, columns),
			.read = read_settings},
		{"fallback", KEY_OTHER, KEY_AT(struct assay_setting, fallback),
			.read = read_arena_text},
		{"help", KEY_OTHER, KEY_AT(struct assay_setting, help), .read = read_arena_text},
		{0}},
	.size = sizeof(struct assay_setting),
	.open = true};

static int check_setting(struct reader *r, size_t at, const void *element)
{
	const struct assay_setting *s = element;
	bool has_choices = s->choices != NULL && s->choices[0] != NULL;
	bool has_columns = s->columns != NULL && s->columns[0].name != NULL;
	const char *wrong = NULL;
	if (!name_is_valid(string_of(s->name)))
		return read_fail(r, at, "the name of a setting expected");
	if (s->type < ASSAY_BOOL || s->type > ASSAY_TABLE)
		wrong = "is of an unknown type";
	else if ((s->type == ASSAY_CHOICE) != has_choices)
		wrong = "has a type that does not fit its choices";
	else if ((s->type == ASSAY_TABLE) != has_columns)
		wrong = "has a type that does not fit its columns";
	else if (s->min > s->max)
		wrong = "has an empty range";
	else if ((s->flags & ASSAY_HEX) != 0 && (s->min < 0 || s->max > UINT32_MAX))
		wrong = "has no hexadecimal range";
	return wrong == NULL ? 0 : read_fail(r, at, "setting '%.32s' %s", s->name, wrong);
}

static int read_settings(struct reader *r, const struct key *key, void *to)
{
	struct description *d = (struct description *)r;
	size_t count;
	if (d->deep > DESCRIBE_COLUMNS_DEEP)
		return read_fail(r, r->at, "tables are nested too deeply");
	d->deep++;
	int error = read_list(r, &setting_keys, SETTINGS_MAX, check_setting, to, &count);
	d->deep--;
	return error;
}

/* --- drivers ---------------------------------------------------------------------------------- */

static const struct keys link_keys = {
	.rows = (const struct key[]){{"link", KEY_UINT, KEY_AT(struct assay_link_defaults, link)},
		{"defaults", KEY_OTHER, KEY_AT(struct assay_link_defaults, defaults),
			.required = true, .read = read_arena_text},
		{0}},
	.size = sizeof(struct assay_link_defaults),
	.open = true};

static int read_link_defaults(struct reader *r, const struct key *key, void *to)
{
	size_t count;
	return read_list(r, &link_keys, LINKS_MAX, NULL, to, &count);
}

static const struct keys driver_keys = {
	.rows = (const struct key[]){{"name", KEY_OTHER, KEY_AT(struct catalog_driver, name),
					     .required = true, .read = read_arena_text},
		{"version", KEY_OTHER, KEY_AT(struct catalog_driver, version), .required = true,
			.read = read_arena_text},
		{"summary", KEY_OTHER, KEY_AT(struct catalog_driver, summary), .required = true,
			.read = read_arena_text},
		{"technique", KEY_OTHER, KEY_AT(struct catalog_driver, technique),
			.read = read_arena_text},
		{"make", KEY_OTHER, KEY_AT(struct catalog_driver, make), .read = read_arena_text},
		{"links", KEY_UINT, KEY_AT(struct catalog_driver, links)},
		{"link_defaults", KEY_OTHER, KEY_AT(struct catalog_driver, link_defaults),
			.read = read_link_defaults},
		{"has_make_safe", KEY_BOOL, KEY_AT(struct catalog_driver, has_make_safe)},
		{"has_check", KEY_BOOL, KEY_AT(struct catalog_driver, has_check)},
		{"sha256", KEY_COPY, KEY_AT(struct catalog_driver, sha256)},
		{"settings", KEY_OTHER, KEY_AT(struct catalog_driver, settings),
			.read = read_settings},
		{0}},
	.size = sizeof(struct catalog_driver),
	.open = true};

static const struct keys problem_keys = {
	.rows = (const struct key[]){{"file", KEY_OTHER, KEY_AT(struct catalog_problem, file),
					     .required = true, .read = read_arena_text},
		{"text", KEY_OTHER, KEY_AT(struct catalog_problem, text), .required = true,
			.read = read_arena_text},
		{0}},
	.size = sizeof(struct catalog_problem),
	.open = true};

static int check_driver(struct reader *r, size_t at, const void *element)
{
	const struct catalog_driver *driver = element;
	if (token_is_valid(string_of(driver->name)))
		return 0;
	return read_fail(r, at, "the name of a driver expected");
}

static int read_drivers(struct reader *r, const struct key *key, void *to)
{
	struct catalog *catalog = to;
	return read_list(
		r, &driver_keys, DRIVERS_MAX, check_driver, &catalog->drivers, &catalog->count);
}

static int read_problems(struct reader *r, const struct key *key, void *to)
{
	struct catalog *catalog = to;
	return read_list(
		r, &problem_keys, DRIVERS_MAX, NULL, &catalog->problems, &catalog->problem_count);
}

static int read_version(struct reader *r, const struct key *key, void *to)
{
	uint64_t version;
	size_t at = r->at;
	if (read_uint(r, &version) == 0 && version != DESCRIBE_VERSION)
		return read_fail(r, at, "version %d of the description expected", DESCRIBE_VERSION);
	return r->error;
}

static const struct keys catalog_keys = {
	.rows = (const struct key[]){{"version", KEY_OTHER, .required = true, .read = read_version},
		{"drivers", KEY_OTHER, .read = read_drivers},
		{"errors", KEY_OTHER, .read = read_problems}, {0}},
	.open = true};

int catalog_read(const uint8_t *data, size_t len, struct catalog **out, char **why)
{
	*out = NULL;
	*why = NULL;
	struct owned_catalog *owned = calloc(1, sizeof *owned);
	struct description *d = calloc(1, sizeof *d);
	int r = -ENOMEM;
	if (owned == NULL || d == NULL)
		goto err_free;
	read_init(&d->r, data, len);
	d->r.depth_max = READ_DEPTH_MAX;
	d->arena = &owned->arena;
	r = keys_read(&d->r, &catalog_keys, &owned->catalog, NULL);
	if (r == 0)
		r = read_finish(&d->r);
	if (owned->arena.failed)
		r = -ENOMEM;
	else if (r < 0 &&
		 asprintf(why, "the description of the drivers cannot be read: %s at byte %zu",
			 d->r.text, d->r.error_at) < 0)
		*why = NULL;
	if (r < 0)
		goto err_free;
	free(d);
	*out = &owned->catalog;
	return 0;

err_free:
	free(d);
	catalog_destroy(owned != NULL ? &owned->catalog : NULL);
	return r;
}

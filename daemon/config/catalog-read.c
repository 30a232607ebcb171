/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "config/catalog.h"
#include "record/read.h"
#include "record/text.h"
#include "wire/describe.h"

#define DRIVERS_MAX  256
#define SETTINGS_MAX 256
#define CHOICES_MAX  256
#define TEXT_MAX     2000

/* What catalog_destroy() frees. */
struct owned_catalog {
	struct catalog catalog; /* first */
	struct arena arena;
};

struct reading {
	struct reader r;
	struct arena *arena;
};

void catalog_destroy(struct catalog *catalog)
{
	if (catalog == NULL)
		return;
	struct owned_catalog *owned = (struct owned_catalog *)catalog;
	arena_finish(&owned->arena);
	free(owned);
}

/* --- pieces ---------------------------------------------------------------------------------- */

static void get_text(struct reading *c, const char **out)
{
	struct assay_string text;
	size_t at = c->r.at;
	*out = "";
	if (read_text(&c->r, &text) < 0)
		return;
	if (text.len > TEXT_MAX || memchr(text.data, '\0', text.len) != NULL)
		read_fail(&c->r, at, "a text of at most %d bytes without NUL expected", TEXT_MAX);
	else
		*out = arena_text(c->arena, text.data, text.len);
}

/* Begins a list of at most `max`; the elements, zeroed, and one more as an end. */
static void *get_list(struct reading *c, size_t max, size_t size, size_t *count)
{
	size_t at = c->r.at;
	*count = 0;
	size_t items;
	if (read_array(&c->r, &items) < 0)
		return NULL;
	if (items > max) {
		read_fail(&c->r, at, "at most %zu items expected", max);
		return NULL;
	}
	void *list = arena_array(c->arena, items + 1, size);
	if (list != NULL)
		*count = items;
	else
		read_fail(&c->r, at, "no memory");
	return list;
}

/* The next key of a map of which `*left` pairs remain; false at its end or after an error. */
static bool next_key(struct reading *c, size_t *left, struct assay_string *key)
{
	if (*left == 0)
		return false;
	--*left;
	return read_key(&c->r, key) == 0;
}

static void get_unsigned(struct reading *c, unsigned *out)
{
	size_t at = c->r.at;
	uint64_t value = 0;
	*out = 0;
	if (read_uint(&c->r, &value) == 0 && value > UINT32_MAX)
		read_fail(&c->r, at, "a number that fits 32 bits expected");
	else
		*out = (unsigned)value;
}

static const char *const *get_choices(struct reading *c)
{
	size_t count;
	const char **choices = get_list(c, CHOICES_MAX, sizeof *choices, &count);
	for (size_t i = 0; i < count; i++)
		get_text(c, &choices[i]);
	return choices;
}

/* --- settings -------------------------------------------------------------------------------- */

static const struct assay_setting *get_settings(struct reading *c, unsigned deep);

static void check_setting(struct reading *c, size_t at, const struct assay_setting *s)
{
	bool has_choices = s->choices != NULL && s->choices[0] != NULL;
	bool has_columns = s->columns != NULL && s->columns[0].name != NULL;
	if (!name_is_valid(string_of(s->name)))
		read_fail(&c->r, at, "the name of a setting expected");
	else if (s->type < ASSAY_BOOL || s->type > ASSAY_TABLE)
		read_fail(&c->r, at, "the type of setting '%.32s' is unknown", s->name);
	else if ((s->type == ASSAY_CHOICE) != has_choices)
		read_fail(&c->r, at, "the choices of setting '%.32s' and its type differ", s->name);
	else if ((s->type == ASSAY_TABLE) != has_columns)
		read_fail(&c->r, at, "the columns of setting '%.32s' and its type differ", s->name);
	else if (s->min > s->max)
		read_fail(&c->r, at, "the range of setting '%.32s' is empty", s->name);
	else if ((s->flags & ASSAY_HEX) != 0 && (s->min < 0 || s->max > UINT32_MAX))
		read_fail(&c->r, at, "the range of setting '%.32s' is no hexadecimal one", s->name);
}

static void get_setting(struct reading *c, struct assay_setting *out, unsigned deep)
{
	size_t pairs, at = c->r.at;
	unsigned type = 0;
	struct assay_string key;
	read_map(&c->r, &pairs);
	while (next_key(c, &pairs, &key)) {
		if (assay_string_is(key, "name"))
			get_text(c, &out->name);
		else if (assay_string_is(key, "type"))
			get_unsigned(c, &type);
		else if (assay_string_is(key, "flags"))
			get_unsigned(c, &out->flags);
		else if (assay_string_is(key, "unit"))
			get_text(c, &out->unit);
		else if (assay_string_is(key, "min"))
			read_double(&c->r, &out->min);
		else if (assay_string_is(key, "max"))
			read_double(&c->r, &out->max);
		else if (assay_string_is(key, "choices"))
			out->choices = get_choices(c);
		else if (assay_string_is(key, "columns"))
			out->columns = get_settings(c, deep + 1);
		else if (assay_string_is(key, "fallback"))
			get_text(c, &out->fallback);
		else if (assay_string_is(key, "help"))
			get_text(c, &out->help);
		else
			read_skip(&c->r);
	}
	out->type = (enum assay_setting_type)type;
	if (c->r.error == 0)
		check_setting(c, at, out);
}

static const struct assay_setting *get_settings(struct reading *c, unsigned deep)
{
	size_t count;
	if (deep > DESCRIBE_COLUMNS_DEEP) {
		read_fail(&c->r, c->r.at, "tables are nested too deeply");
		return NULL;
	}
	struct assay_setting *settings = get_list(c, SETTINGS_MAX, sizeof *settings, &count);
	for (size_t i = 0; i < count && c->r.error == 0; i++)
		get_setting(c, &settings[i], deep);
	return settings;
}

/* --- drivers --------------------------------------------------------------------------------- */

static const struct assay_link_defaults *get_link_defaults(struct reading *c)
{
	size_t count;
	struct assay_link_defaults *list = get_list(c, 32, sizeof *list, &count);
	for (size_t i = 0; i < count; i++) {
		size_t pairs = 0;
		struct assay_string key;
		list[i].defaults = "";
		read_map(&c->r, &pairs);
		while (next_key(c, &pairs, &key)) {
			if (assay_string_is(key, "link"))
				get_unsigned(c, &list[i].link);
			else if (assay_string_is(key, "defaults"))
				get_text(c, &list[i].defaults);
			else
				read_skip(&c->r);
		}
	}
	return list;
}

static void get_sha256(struct reading *c, uint8_t out[32])
{
	const uint8_t *bytes;
	if (read_fixed(&c->r, 32, &bytes) == 0)
		memcpy(out, bytes, 32);
}

static void get_driver(struct reading *c, struct catalog_driver *out)
{
	size_t pairs = 0, at = c->r.at;
	struct assay_string key;
	read_map(&c->r, &pairs);
	while (next_key(c, &pairs, &key)) {
		if (assay_string_is(key, "name"))
			get_text(c, &out->name);
		else if (assay_string_is(key, "version"))
			get_text(c, &out->version);
		else if (assay_string_is(key, "summary"))
			get_text(c, &out->summary);
		else if (assay_string_is(key, "technique"))
			get_text(c, &out->technique);
		else if (assay_string_is(key, "make"))
			get_text(c, &out->make);
		else if (assay_string_is(key, "links"))
			get_unsigned(c, &out->links);
		else if (assay_string_is(key, "link_defaults"))
			out->link_defaults = get_link_defaults(c);
		else if (assay_string_is(key, "has_make_safe"))
			read_bool(&c->r, &out->has_make_safe);
		else if (assay_string_is(key, "sha256"))
			get_sha256(c, out->sha256);
		else if (assay_string_is(key, "settings"))
			out->settings = get_settings(c, 0);
		else
			read_skip(&c->r);
	}
	if (!token_is_valid(string_of(out->name)))
		read_fail(&c->r, at, "the name of a driver expected");
	if (out->version == NULL || out->summary == NULL)
		read_fail(&c->r, at, "a driver with version and summary expected");
}

static void get_drivers(struct reading *c, struct catalog *out)
{
	out->drivers = get_list(c, DRIVERS_MAX, sizeof *out->drivers, &out->count);
	for (size_t i = 0; i < out->count && c->r.error == 0; i++)
		get_driver(c, &out->drivers[i]);
}

static void get_problems(struct reading *c, struct catalog *out)
{
	out->problems = get_list(c, DRIVERS_MAX, sizeof *out->problems, &out->problem_count);
	for (size_t i = 0; i < out->problem_count; i++) {
		size_t pairs = 0;
		struct assay_string key;
		out->problems[i] = (struct catalog_problem){"", ""};
		read_map(&c->r, &pairs);
		while (next_key(c, &pairs, &key)) {
			if (assay_string_is(key, "file"))
				get_text(c, &out->problems[i].file);
			else if (assay_string_is(key, "text"))
				get_text(c, &out->problems[i].text);
			else
				read_skip(&c->r);
		}
	}
}

static int get_catalog(struct reading *c, struct catalog *out)
{
	size_t pairs = 0;
	uint64_t version = 0;
	struct assay_string key;
	read_map(&c->r, &pairs);
	while (next_key(c, &pairs, &key)) {
		if (assay_string_is(key, "version"))
			read_uint(&c->r, &version);
		else if (assay_string_is(key, "drivers"))
			get_drivers(c, out);
		else if (assay_string_is(key, "errors"))
			get_problems(c, out);
		else
			read_skip(&c->r);
	}
	if (version != DESCRIBE_VERSION)
		read_fail(&c->r, 0, "version %d of the description expected", DESCRIBE_VERSION);
	return read_finish(&c->r);
}

int catalog_read(const uint8_t *data, size_t len, struct catalog **out, char **why)
{
	*out = NULL;
	*why = NULL;
	struct owned_catalog *owned = calloc(1, sizeof *owned);
	struct reading *c = calloc(1, sizeof *c);
	int r = -ENOMEM;
	if (owned == NULL || c == NULL)
		goto err_free;
	read_init(&c->r, data, len);
	c->r.depth_max = READ_DEPTH_MAX;
	c->arena = &owned->arena;
	r = get_catalog(c, &owned->catalog);
	if (owned->arena.failed)
		r = -ENOMEM;
	else if (r < 0 && asprintf(why,
				  "the description of the drivers cannot be read: %s at "
				  "byte %zu",
				  c->r.text, c->r.error_at) < 0)
		*why = NULL;
	if (r < 0)
		goto err_free;
	free(c);
	*out = &owned->catalog;
	return 0;

err_free:
	free(c);
	catalog_destroy(owned != NULL ? &owned->catalog : NULL);
	return r;
}

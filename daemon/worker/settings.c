/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "record/keys.h"
#include "record/text.h"
#include "worker/fatal.h"
#include "worker/settings.h"

#define DEPTH_MAX 12

struct set;

/* The elements of one setting: one for a single value, none if it is absent. */
struct value {
	size_t count;
	union {
		bool *flags;
		int64_t *integers;
		double *numbers;
		const char **texts;
		struct set *rows;
	} u;
};

/* All settings, or one row of a table: a value per entry of its table. */
struct set {
	struct assay_settings handle; /* first: the driver's view */
	const struct assay_setting *table;
	struct value *values;
};

struct settings {
	struct set all;
	struct arena arena;
};

struct settings_reader {
	struct reader *r;
	struct arena *arena;
	const struct assay_host *host;
	char *why;
};

static int complain(struct settings_reader *in, const struct assay_setting *row, const char *what)
{
	if (in->why[0] == '\0')
		snprintf(in->why, SETTINGS_WHY, "setting '%s': %s", row->name, what);
	return -EINVAL;
}

/* --- one setting ------------------------------------------------------------------------------ */

struct quantity {
	union {
		int64_t integer;
		double number;
	} v;
	struct assay_string unit;
};

/* A number alone, or {v, u} with the table's unit: the core has converted it. */
static int read_number(
	struct settings_reader *in, const struct assay_setting *row, struct value *value, size_t i)
{
	bool is_integer = row->type == ASSAY_INT, is_map = read_peek(in->r) == READ_MAP;
	const struct key rows[] = {
		{"v", is_integer ? KEY_INT : KEY_NUMBER, KEY_AT(struct quantity, v),
			.required = true},
		{"u", KEY_TEXT, KEY_AT(struct quantity, unit), .required = true},
		{0},
	};
	struct quantity q = {.unit = string_of(row->unit != NULL ? row->unit : "1")};
	int r = is_map       ? keys_read(in->r, &(struct keys){.rows = rows}, &q, NULL)
		: is_integer ? read_int(in->r, &q.v.integer)
			     : read_double(in->r, &q.v.number);
	if (r < 0)
		return complain(in, row, is_integer ? "is not an integer" : "is not a number");
	if (!assay_string_is(q.unit, row->unit != NULL ? row->unit : "1"))
		return complain(in, row, "is not in the driver's unit");
	if (is_integer)
		value->u.integers[i] = q.v.integer;
	else
		value->u.numbers[i] = q.v.number;
	double number = is_integer ? (double)q.v.integer : q.v.number;
	bool bounded = row->min != 0 || row->max != 0;
	if (!isfinite(number) || (bounded && (number < row->min || number > row->max)))
		return complain(in, row, "is out of range");
	return 0;
}

static int read_string(struct settings_reader *in, const struct assay_setting *row, const char **to)
{
	struct assay_string text;
	if (read_text(in->r, &text) < 0 || memchr(text.data, '\0', text.len) != NULL)
		return complain(in, row, "is not a text");
	*to = arena_text(in->arena, text.data, text.len);
	if (row->type != ASSAY_CHOICE)
		return 0;
	for (size_t i = 0; row->choices != NULL && row->choices[i] != NULL; i++) {
		if (assay_string_is(text, row->choices[i]))
			return 0;
	}
	return complain(in, row, "is not one of the choices");
}

static int read_row(struct settings_reader *in, const struct assay_setting *row, struct set *to);

static int read_value(
	struct settings_reader *in, const struct assay_setting *row, struct value *value)
{
	static const size_t sizes[] = {[ASSAY_BOOL] = sizeof(bool),
		[ASSAY_INT] = sizeof(int64_t),
		[ASSAY_NUMBER] = sizeof(double),
		[ASSAY_TEXT] = sizeof(char *),
		[ASSAY_CHOICE] = sizeof(char *),
		[ASSAY_TABLE] = sizeof(struct set)};
	bool is_list = row->type == ASSAY_TABLE || (row->flags & ASSAY_LIST) != 0;
	size_t count = 1;
	if (is_list && read_array(in->r, &count) < 0)
		return complain(in, row, "is not a list");
	/* All members of the union are pointers: sets any of them. */
	value->u.flags = arena_array(in->arena, count, sizes[row->type]);
	if (value->u.flags == NULL)
		return -ENOMEM;
	value->count = count;
	int r = 0;
	for (size_t i = 0; i < count && r == 0; i++) {
		switch (row->type) {
		case ASSAY_BOOL:
			if (read_bool(in->r, &value->u.flags[i]) < 0)
				r = complain(in, row, "is not true or false");
			break;
		case ASSAY_INT:
		case ASSAY_NUMBER: r = read_number(in, row, value, i); break;
		case ASSAY_TEXT:
		case ASSAY_CHOICE: r = read_string(in, row, &value->u.texts[i]); break;
		case ASSAY_TABLE: r = read_row(in, row, &value->u.rows[i]); break;
		}
	}
	return r;
}

/* --- a set of settings ------------------------------------------------------------------------ */

static size_t table_length(const struct assay_setting *table)
{
	size_t n = 0;
	while (table != NULL && table[n].name != NULL)
		n++;
	return n;
}

static int set_init(struct settings_reader *in, struct set *set, const struct assay_setting *table)
{
	set->handle.host = in->host;
	set->table = table;
	set->values = arena_array(in->arena, table_length(table), sizeof *set->values);
	return set->values != NULL ? 0 : -ENOMEM;
}

/* The value of one name. */
static int read_pair(struct settings_reader *in, struct set *set, struct assay_string name)
{
	size_t n = table_length(set->table);
	for (size_t i = 0; i < n; i++) {
		if (assay_string_is(name, set->table[i].name))
			return set->values[i].count > 0
				       ? complain(in, &set->table[i], "is given twice")
				       : read_value(in, &set->table[i], &set->values[i]);
	}
	if (in->why[0] == '\0')
		snprintf(in->why, SETTINGS_WHY, "the driver has no setting '%.*s'",
			(int)(name.len < 40 ? name.len : 40), name.data);
	return -EINVAL;
}

static int check_required(struct settings_reader *in, const struct set *set)
{
	size_t n = table_length(set->table);
	for (size_t i = 0; i < n; i++) {
		if ((set->table[i].flags & ASSAY_REQUIRED) != 0 && set->values[i].count == 0)
			return complain(in, &set->table[i], "is missing");
	}
	return 0;
}

static int read_row(struct settings_reader *in, const struct assay_setting *row, struct set *to)
{
	size_t items;
	int r = set_init(in, to, row->columns);
	if (r < 0)
		return r;
	if (read_array(in->r, &items) < 0 || items % 2 != 0)
		return complain(in, row, "has a row that is not a list of names and values");
	for (size_t i = 0; i < items; i += 2) {
		struct assay_string name;
		if (read_text(in->r, &name) < 0)
			return complain(in, row, "has a row with a name that is not a text");
		r = read_pair(in, to, name);
		if (r < 0)
			return r;
	}
	return check_required(in, to);
}

static int read_all(struct settings_reader *in, struct set *to)
{
	size_t pairs;
	if (read_map(in->r, &pairs) < 0)
		return -EINVAL;
	while (pairs-- > 0) {
		struct assay_string name;
		if (read_key(in->r, &name) < 0)
			return -EINVAL;
		int r = read_pair(in, to, name);
		if (r < 0)
			return r;
	}
	return read_finish(in->r) < 0 ? -EINVAL : 0;
}

int settings_create(const struct assay_setting *table, const uint8_t *data, size_t len,
	const struct assay_host *host, struct settings **out, char why[SETTINGS_WHY])
{
	struct settings *settings = calloc(1, sizeof *settings);
	struct reader r;
	*out = NULL;
	why[0] = '\0';
	if (settings == NULL)
		return -ENOMEM;
	struct settings_reader in = {.r = &r, .arena = &settings->arena, .host = host, .why = why};
	read_init(&r, len > 0 ? (const void *)data : "\xa0", len > 0 ? len : 1);
	r.depth_max = DEPTH_MAX;
	int error = set_init(&in, &settings->all, table);
	if (error == 0)
		error = read_all(&in, &settings->all);
	if (error == 0)
		error = check_required(&in, &settings->all);
	if (error == 0 && settings->arena.failed)
		error = -ENOMEM;
	if (error == -EINVAL && why[0] == '\0')
		snprintf(why, SETTINGS_WHY, "the settings are not encoded correctly: %s", r.text);
	if (error < 0)
		settings_destroy(settings);
	else
		*out = settings;
	return error;
}

void settings_destroy(struct settings *settings)
{
	if (settings == NULL)
		return;
	arena_finish(&settings->arena);
	free(settings);
}

const struct assay_settings *settings_handle(const struct settings *settings)
{
	return &settings->all.handle;
}

/* --- services --------------------------------------------------------------------------------- */

static const struct set *set_of(const struct assay_settings *handle)
{
	return (const struct set *)(const void *)handle;
}

/*
 * The row of the name, and its value.  decode() requests many, mostly by the constant that the table
 * has, because the linker merges equal ones: then no letter is compared.
 */
static const struct assay_setting *find(
	const struct set *set, const char *name, const struct value **value)
{
	static const struct assay_setting none = {0};
	const struct assay_setting *table = set->table != NULL ? set->table : &none;
	size_t i = 0;
	while (table[i].name != NULL && table[i].name != name)
		i++;
	if (table[i].name == NULL)
		for (i = 0; table[i].name != NULL && strcmp(table[i].name, name) != 0;)
			i++;
	if (table[i].name == NULL)
		fatal_driver(
			"the driver requested the setting '%s', which is not in its table", name);
	*value = &set->values[i];
	return &table[i];
}

/* Element i, or NULL if the setting is absent; an index past the end of a list is a bug. */
static const struct value *element(
	const struct assay_settings *handle, const char *name, unsigned types, size_t i)
{
	const struct value *value;
	const struct assay_setting *row = find(set_of(handle), name, &value);
	if ((types >> row->type & 1) == 0)
		fatal_driver("the driver requested the setting '%s' by another type", name);
	if (i < value->count)
		return value;
	if (i > 0 || row->type == ASSAY_TABLE)
		fatal_driver("the driver requested '%s' number %zu of %zu", name, i, value->count);
	return NULL;
}

static bool get_has(const struct assay_settings *handle, const char *name)
{
	const struct value *value;
	(void)find(set_of(handle), name, &value);
	return value->count > 0;
}

static size_t get_count(const struct assay_settings *handle, const char *name)
{
	const struct value *value;
	(void)find(set_of(handle), name, &value);
	return value->count;
}

static bool get_flag(const struct assay_settings *handle, const char *name)
{
	const struct value *value = element(handle, name, 1u << ASSAY_BOOL, 0);
	return value != NULL && value->u.flags[0];
}

static int64_t get_integer(const struct assay_settings *handle, const char *name, size_t i)
{
	const struct value *value = element(handle, name, 1u << ASSAY_INT, i);
	return value != NULL ? value->u.integers[i] : 0;
}

static double get_number(const struct assay_settings *handle, const char *name, size_t i)
{
	const struct value *value = element(handle, name, 1u << ASSAY_NUMBER, i);
	return value != NULL ? value->u.numbers[i] : 0;
}

static const char *get_text(const struct assay_settings *handle, const char *name, size_t i)
{
	const struct value *value = element(handle, name, 1u << ASSAY_TEXT | 1u << ASSAY_CHOICE, i);
	return value != NULL ? value->u.texts[i] : NULL;
}

static const struct assay_settings *get_row(
	const struct assay_settings *handle, const char *name, size_t i)
{
	return &element(handle, name, 1u << ASSAY_TABLE, i)->u.rows[i].handle;
}

void settings_services(struct assay_host *host)
{
	host->has = get_has;
	host->count = get_count;
	host->flag = get_flag;
	host->integer = get_integer;
	host->number = get_number;
	host->text = get_text;
	host->row = get_row;
}

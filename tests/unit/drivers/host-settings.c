/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 256

struct host_value {
	size_t count; /* 0: absent */
	bool is_default;
	double *numbers;
	int64_t *integers;
	const char **texts;
	struct host_settings **rows;
};

/* --- numbers, strictly --- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void trim(const char **text, size_t *len)
{
	while (*len > 0 && (**text == ' ' || **text == '\t'))
		(*text)++, (*len)--;
	while (*len > 0 && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t'))
		(*len)--;
}

static size_t digits(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && is_digit(text[n]))
		n++;
	return n;
}

/* The length of the number at the start of text, 0 if none. */
static size_t number_length(const char *text, size_t len)
{
	size_t at = len > 0 && (text[0] == '-' || text[0] == '+');
	size_t whole = digits(text + at, len - at), part = 0;
	at += whole;
	if (at < len && text[at] == '.') {
		part = digits(text + at + 1, len - at - 1);
		at += 1 + part;
	}
	if (whole + part == 0)
		return 0;
	if (at < len && (text[at] == 'e' || text[at] == 'E')) {
		size_t e = at + 1;
		e += e < len && (text[e] == '-' || text[e] == '+');
		size_t n = digits(text + e, len - e);
		at = n > 0 ? e + n : at;
	}
	return at;
}

static int parse_number(const char *text, size_t len, double *out)
{
	static locale_t c_locale;
	char copy[64];
	trim(&text, &len);
	if (len == 0 || len >= sizeof(copy) || number_length(text, len) != len)
		return -EBADMSG;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (c_locale == NULL)
		c_locale = newlocale(LC_ALL_MASK, "C", NULL);
	double v = strtod_l(copy, NULL, c_locale);
	if (v - v != 0)
		return -EBADMSG;
	*out = v;
	return 0;
}

static int parse_integer(const char *text, size_t len, int64_t *out)
{
	trim(&text, &len);
	bool minus = len > 0 && text[0] == '-';
	size_t at = len > 0 && (minus || text[0] == '+');
	if (at == len || at + digits(text + at, len - at) != len)
		return -EBADMSG;
	uint64_t v = 0;
	for (; at < len; at++) {
		unsigned d = (unsigned)(text[at] - '0');
		if (v > ((uint64_t)INT64_MAX - d) / 10)
			return -EBADMSG;
		v = v * 10 + d;
	}
	*out = minus ? -(int64_t)v : (int64_t)v;
	return 0;
}

/* --- reading --- */

static const char *const type_names[] = {[ASSAY_BOOL] = "bool",
	[ASSAY_INT] = "int",
	[ASSAY_NUMBER] = "number",
	[ASSAY_TEXT] = "text",
	[ASSAY_CHOICE] = "choice",
	[ASSAY_TABLE] = "table"};

static const struct host_settings *from(const struct assay_settings *s)
{
	return (const struct host_settings *)(const void *)s;
}

static struct host_value *look_up(
	const struct host_settings *s, const char *name, const struct assay_setting **row)
{
	for (size_t i = 0; s->table != NULL && s->table[i].name != NULL; i++) {
		*row = &s->table[i];
		if (strcmp((*row)->name, name) == 0)
			return &s->values[i];
	}
	host_bug("'%s' is not in the driver's table of settings", name);
}

/* The value, NULL if absent; reading another type is a bug. */
static const struct host_value *ask(
	const struct assay_settings *s, const char *name, size_t i, unsigned types)
{
	const struct assay_setting *row;
	const struct host_value *v = look_up(from(s), name, &row);
	if (!(types & 1u << row->type))
		host_bug("'%s' is read as another type than its own, %s", name,
			type_names[row->type]);
	if (v->count == 0)
		return NULL;
	if (i >= v->count)
		host_bug("'%s' has %zu values, not %zu", name, v->count, i + 1);
	return v;
}

static bool has(const struct assay_settings *s, const char *name)
{
	const struct assay_setting *row;
	return look_up(from(s), name, &row)->count > 0;
}

static size_t count(const struct assay_settings *s, const char *name)
{
	const struct assay_setting *row;
	return look_up(from(s), name, &row)->count;
}

static bool flag(const struct assay_settings *s, const char *name)
{
	const struct host_value *v = ask(s, name, 0, 1u << ASSAY_BOOL);
	return v != NULL && v->integers[0] != 0;
}

static int64_t integer(const struct assay_settings *s, const char *name, size_t i)
{
	const struct host_value *v = ask(s, name, i, 1u << ASSAY_INT);
	return v != NULL ? v->integers[i] : 0;
}

static double number(const struct assay_settings *s, const char *name, size_t i)
{
	const struct host_value *v = ask(s, name, i, 1u << ASSAY_NUMBER);
	return v != NULL ? v->numbers[i] : 0;
}

static const char *text(const struct assay_settings *s, const char *name, size_t i)
{
	const struct host_value *v = ask(s, name, i, 1u << ASSAY_TEXT | 1u << ASSAY_CHOICE);
	return v != NULL ? v->texts[i] : NULL;
}

static const struct assay_settings *table_row(
	const struct assay_settings *s, const char *name, size_t i)
{
	const struct host_value *v = ask(s, name, i, 1u << ASSAY_TABLE);
	if (v == NULL)
		host_bug("row %zu of the empty table '%s'", i, name);
	return &v->rows[i]->handle;
}

/* --- setting --- */

static void check_range(const struct assay_setting *row, double v)
{
	if ((row->min != 0 || row->max != 0) && (v < row->min || v > row->max))
		host_bug("'%s': %g is outside %g ... %g", row->name, v, row->min, row->max);
}

static double read_quantity(const struct assay_setting *row, const char *value)
{
	size_t n = number_length(value, strlen(value));
	double v;
	if (parse_number(value, n, &v) < 0)
		host_bug("'%s': \"%s\" is not a number", row->name, value);
	const char *unit = value + n + strspn(value + n, " ");
	if (*unit != '\0' && (row->unit == NULL || strcmp(unit, row->unit) != 0))
		host_bug("'%s': write it in %s", row->name, row->unit != NULL ? row->unit : "1");
	check_range(row, v);
	return v;
}

static int64_t read_integer(const struct assay_setting *row, const char *value)
{
	int64_t v = 0;
	if (strncmp(value, "0x", 2) == 0) {
		for (const char *c = value + 2; *c != '\0'; c++) {
			uint8_t byte;
			char pair[3] = {'0', *c, '\0'};
			host_hex(pair, &byte, 1);
			v = v << 4 | byte;
		}
	} else if (parse_integer(value,
			   digits(value + (*value == '-'), strlen(value)) + (*value == '-'),
			   &v) < 0) {
		host_bug("'%s': \"%s\" is not an integer", row->name, value);
	}
	check_range(row, (double)v);
	return v;
}

static bool read_flag(const struct assay_setting *row, const char *value)
{
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		host_bug("'%s': \"%s\" is neither true nor false", row->name, value);
	return value[0] == 't';
}

static const char *read_choice(const struct assay_setting *row, const char *value)
{
	for (size_t i = 0; row->choices[i] != NULL; i++)
		if (strcmp(row->choices[i], value) == 0)
			return row->choices[i];
	host_bug("'%s': \"%s\" is not one of the choices", row->name, value);
}

static size_t make_room(
	struct host_settings *s, const struct assay_setting *row, struct host_value *v)
{
	if (v->is_default ||
		(v->count > 0 && !(row->flags & ASSAY_LIST) && row->type != ASSAY_TABLE))
		v->count = 0;
	v->is_default = false;
	if (v->numbers == NULL) {
		v->numbers = host_memory(s->host, VALUES_MAX * sizeof(*v->numbers));
		v->integers = host_memory(s->host, VALUES_MAX * sizeof(*v->integers));
		v->texts = host_memory(s->host, VALUES_MAX * sizeof(*v->texts));
		v->rows = host_memory(s->host, VALUES_MAX * sizeof(*v->rows));
	}
	if (v->count == VALUES_MAX)
		host_bug("'%s' has more than %d values", row->name, VALUES_MAX);
	return v->count++;
}

void host_settings_set(struct host_settings *s, const char *name, const char *value)
{
	const struct assay_setting *row;
	struct host_value *v = look_up(s, name, &row);
	size_t i = make_room(s, row, v);
	switch (row->type) {
	case ASSAY_BOOL: v->integers[i] = read_flag(row, value); break;
	case ASSAY_INT: v->integers[i] = read_integer(row, value); break;
	case ASSAY_NUMBER: v->numbers[i] = read_quantity(row, value); break;
	case ASSAY_TEXT: v->texts[i] = host_text(s->host, value); break;
	case ASSAY_CHOICE: v->texts[i] = read_choice(row, value); break;
	case ASSAY_TABLE: host_bug("'%s' is a table: use host_add_row()", name);
	}
}

void host_set(struct host *h, const char *name, const char *value)
{
	host_settings_set(&h->settings, name, value);
}

void host_unset(struct host *h, const char *name)
{
	const struct assay_setting *row;
	look_up(&h->settings, name, &row)->count = 0;
}

struct host_settings *host_add_row(struct host *h, const char *name)
{
	const struct assay_setting *row;
	struct host_value *v = look_up(&h->settings, name, &row);
	if (row->type != ASSAY_TABLE)
		host_bug("'%s' is not a table", name);
	size_t i = make_room(&h->settings, row, v);
	v->rows[i] = host_memory(h, sizeof(*v->rows[i]));
	v->rows[i]->handle.host = h->ins.host;
	host_settings_init(h, v->rows[i], row->columns);
	return v->rows[i];
}

/* A list's default is written "[a, b]". */
static void set_defaults(struct host_settings *s, const struct assay_setting *row)
{
	char *text = host_text(s->host, row->fallback);
	if (text[0] != '[') {
		host_settings_set(s, row->name, text);
		return;
	}
	char *rest = NULL;
	for (char *part = strtok_r(text, "[], ", &rest); part != NULL;
		part = strtok_r(NULL, "[], ", &rest))
		host_settings_set(s, row->name, part);
}

void host_settings_init(struct host *h, struct host_settings *s, const struct assay_setting *table)
{
	size_t n = 0;
	while (table != NULL && table[n].name != NULL)
		n++;
	s->host = h;
	s->table = table;
	s->values = host_memory(h, (n + 1) * sizeof(*s->values));
	for (size_t i = 0; i < n; i++) {
		if (table[i].fallback == NULL)
			continue;
		set_defaults(s, &table[i]);
		s->values[i].is_default = true;
	}
}

void host_settings_services(struct assay_host *services)
{
	services->has = has;
	services->flag = flag;
	services->integer = integer;
	services->number = number;
	services->text = text;
	services->count = count;
	services->row = table_row;
	services->parse_number = parse_number;
	services->parse_integer = parse_integer;
}

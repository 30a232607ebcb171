/* SPDX-License-Identifier: Apache-2.0 */
#include "parts.h"

void part_begin(struct buffer *part, const char *kind, size_t vars)
{
	encode_text(part, "kind");
	encode_text(part, kind);
	encode_text(part, "vars");
	encode_array(part, vars);
}

/* A variable up to and with its unit; the caller adds data and closes. */
void part_open_var(struct map *var, struct buffer *to, const char *name, const char *role,
	const char *dim, const char *unit)
{
	map_open(var, to);
	map_text(var, "name", name);
	map_text(var, "role", role);
	map_key(var, "dims");
	encode_array(to, dim != NULL);
	if (dim != NULL)
		encode_text(to, dim);
	map_text(var, "unit", unit);
}

void part_typed(struct buffer *to, const char *name, const char *role, const char *dim,
	const char *unit, enum assay_element element, const void *data, size_t count)
{
	struct map var;
	part_open_var(&var, to, name, role, dim, unit);
	map_key(&var, "data");
	encode_typed(to, element, data, count);
	map_close(&var);
}

void part_axis(
	struct buffer *to, const char *name, const char *unit, double start, double step, size_t n)
{
	struct map var;
	part_open_var(&var, to, name, "axis", name, unit);
	map_key(&var, "data");
	encode_linear(to, start, step, n);
	map_close(&var);
}

void part_number(struct buffer *to, const char *name, const char *unit, double value)
{
	struct map var;
	part_open_var(&var, to, name, "aux", NULL, unit);
	map_f64(&var, "data", value);
	map_close(&var);
}

void part_integer(struct buffer *to, const char *name, int64_t value)
{
	struct map var;
	part_open_var(&var, to, name, "aux", NULL, "{count}");
	map_key(&var, "data");
	encode_int(var.to, value);
	map_close(&var);
}

void part_texts(struct buffer *to, const char *const *texts, size_t count)
{
	encode_array(to, count);
	for (size_t i = 0; i < count; i++)
		encode_text(to, texts[i]);
}

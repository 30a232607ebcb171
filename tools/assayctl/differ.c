/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "differ.h"
#include "record/element.h"
#include "record/keys.h"

static bool same(struct assay_span a, struct assay_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

struct variable_name {
	char name[ASSAY_NAME_MAX + 1];
};

static const struct keys name_keys = {
	.rows = (const struct key[]){{"name", KEY_CHARS, KEY_AT(struct variable_name, name)}, {0}},
	.open = true};

/* The bytes of a typed array; false for any other form. */
static bool elements_of(struct assay_span data, struct assay_span *bytes, size_t *size)
{
	struct reader r;
	enum assay_element element;
	read_init(&r, data.data, data.len);
	if (read_peek(&r) != READ_TAG || read_typed(&r, &element, bytes) < 0)
		return false;
	*size = assay_element_size(element);
	return true;
}

static void describe_data(
	const char *name, struct assay_span was, struct assay_span now, char text[DIFFER_TEXT])
{
	struct assay_span a, b;
	size_t size_a, size_b, at = 0;
	bool arrays = elements_of(was, &a, &size_a) && elements_of(now, &b, &size_b);
	if (!arrays || size_a != size_b) {
		snprintf(text, DIFFER_TEXT, "%s", name);
		return;
	}
	while (at < a.len && at < b.len && a.data[at] == b.data[at])
		at++;
	snprintf(text, DIFFER_TEXT, "%s[%zu]", name, at / size_a);
}

static void describe_var(struct assay_span was, struct assay_span now, char text[DIFFER_TEXT])
{
	struct variable_name variable = {.name = "?"};
	struct reader r;
	size_t pairs;
	struct assay_string key;
	struct assay_span value;
	keys_decode(&name_keys, was.data, was.len, &variable);
	const char *name = variable.name;
	snprintf(text, DIFFER_TEXT, "%s: it has other parts", name);
	read_init(&r, was.data, was.len);
	for (read_map(&r, &pairs); pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (read_raw(&r, &value) < 0)
			return;
		struct assay_span other = keys_value(now, key);
		if (same(value, other))
			continue;
		if (assay_string_is(key, "data"))
			describe_data(name, value, other, text);
		else
			snprintf(text, DIFFER_TEXT, "%s: %.*s", name, (int)key.len, key.data);
		return;
	}
}

bool vars_differ(struct assay_span recorded, struct assay_span decoded, char text[DIFFER_TEXT])
{
	struct reader a, b;
	size_t count_a = 0, count_b = 0;
	struct assay_span was, now;
	if (same(recorded, decoded))
		return false;
	read_init(&a, recorded.data, recorded.len);
	read_init(&b, decoded.data, decoded.len);
	read_array(&a, &count_a);
	read_array(&b, &count_b);
	snprintf(text, DIFFER_TEXT, "%zu variables instead of %zu", count_b, count_a);
	for (size_t i = 0; i < count_a && i < count_b; i++) {
		if (read_raw(&a, &was) < 0 || read_raw(&b, &now) < 0)
			break;
		if (!same(was, now)) {
			describe_var(was, now, text);
			break;
		}
	}
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "reply.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Any value but 0.  Without it the library opens /dev/urandom, which a worker must not. */
#define HASH_SEED 1
/* Sent in place of NaN and infinity; its 7 digits always read as this double. */
#define NO_NUMBER (-9.999999e-31)

/* A text of the instrument, without bytes that act on a terminal. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(reply_member(object, name));
	return text != NULL ? text : "";
}

/* The first error: {command, code, id, level, message}, in `data` or in `conditions`. */
static void explain(const json_t *root, char why[WHY_MAX])
{
	const json_t *list = reply_member(root, "data");
	if (!json_is_array(list))
		list = reply_member(root, "conditions");
	const json_t *error = json_array_get(list, 0);
	snprintf(why, WHY_MAX, "%.60s %.100s", text_of(error, "id"), text_of(error, "message"));
	make_printable(why);
}

int reply_read(const void *body, size_t len, struct reply *out, char why[WHY_MAX])
{
	json_error_t error;
	json_object_seed(HASH_SEED);
	*out = (struct reply){.root = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error)};
	if (out->root == NULL) {
		snprintf(why, WHY_MAX, "no JSON: line %d, column %d", error.line, error.column);
		return -EBADMSG;
	}
	const char *name = text_of(out->root, "name");
	out->data = reply_member(out->root, "data");
	int r = strncasecmp(name, "error", 5) == 0 ? -EPROTO : -EBADMSG;
	if (out->data != NULL && (strcasecmp(name, "got") == 0 || strcasecmp(name, "wasSet") == 0))
		return 0;
	if (r == -EPROTO)
		explain(out->root, why);
	else
		snprintf(why, WHY_MAX, "no reply of this instrument: expected name and data");
	reply_free(out);
	return r;
}

void reply_free(struct reply *reply)
{
	json_decref(reply->root);
	*reply = (struct reply){NULL, NULL};
}

const json_t *reply_member(const json_t *object, const char *name)
{
	const char *key;
	const json_t *value;
	json_object_foreach((json_t *)(uintptr_t)object, key,
		value) if (strcasecmp(key, name) == 0) return value;
	return NULL;
}

bool reply_unsigned(const json_t *value, uint32_t *out)
{
	json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
	*out = number >= 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
	return number >= 0 && number <= UINT32_MAX;
}

bool reply_scan(const json_t *data, struct scan *out)
{
	uint32_t size;
	*out = (struct scan){.values = reply_member(data, "values")};
	if (out->values == NULL || json_is_null(out->values))
		return json_is_object(data);
	out->count = json_array_size(out->values);
	if (!json_is_array(out->values) ||
		!reply_unsigned(reply_member(data, "scannum"), &out->number) ||
		!reply_unsigned(reply_member(data, "scansize"), &size) || size != out->count)
		return false;
	for (size_t i = 0; i < out->count; i++)
		if (!json_is_number(json_array_get(out->values, i)))
			return false;
	return true;
}

double scan_value(const struct scan *scan, size_t i)
{
	double value = json_number_value(json_array_get(scan->values, i));
	return value == NO_NUMBER ? NAN : value;
}

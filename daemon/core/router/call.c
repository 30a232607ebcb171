/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/router/call.h"

#define SHOWN_MAX 64 /* bytes of a word of the request in a refusal */

static const struct key no_keys[] = {{0}};
static const struct keys op_keys = {
	.rows = (const struct key[]){{"op", KEY_TEXT, .size = sizeof(struct assay_string)}, {0}},
	.open = true};

/* Operation `i` of all families; NULL: there are no more. */
static const struct op *op_at(const struct op *const *ops, size_t i)
{
	for (; *ops != NULL; ops++) {
		for (const struct op *op = *ops; op->name != NULL; op++) {
			if (i-- == 0)
				return op;
		}
	}
	return NULL;
}

static const struct key *keys_of(const struct op *op)
{
	return op->args.rows != NULL ? op->args.rows : no_keys;
}

int call_refuse(struct call *call, const char *code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(call->text, sizeof call->text, format, args);
	va_end(args);
	call->code = code;
	return -EINVAL;
}

void call_add_word(char *text, size_t size, const char *word)
{
	size_t len = strlen(text);
	snprintf(text + len, size - len, "%s%s", len > 0 ? ", " : "", word);
}

static int refuse_op(struct call *call, struct assay_string name)
{
	const struct op *op;
	char known[400] = "";
	for (size_t i = 0; (op = op_at(call->ops, i)) != NULL; i++)
		call_add_word(known, sizeof known, op->name);
	return call_refuse(call, "unknown-op", "unknown op '%.*s'; accepted: %s",
		(int)(name.len < SHOWN_MAX ? name.len : SHOWN_MAX), name.data, known);
}

static int refuse_request(struct call *call, const struct reader *r)
{
	return call_refuse(call, "bad-request",
		"a request is one CBOR map with the text `op` and its arguments: %s", r->text);
}

static int refuse_arguments(
	struct call *call, const struct keys_found *found, const struct reader *r)
{
	const char *op = call->op->name, *rest;
	char known[400] = "";
	switch (found->fault) {
	case KEYS_UNKNOWN:
		for (const struct key *key = keys_of(call->op); key->name != NULL; key++)
			call_add_word(known, sizeof known, key->name);
		return call_refuse(call, "unknown-argument",
			"%s has no argument '%.*s'; accepted: %s", op,
			(int)(found->name.len < SHOWN_MAX ? found->name.len : SHOWN_MAX),
			found->name.data, known[0] != '\0' ? known : "none");
	case KEYS_MISSING:
		return call_refuse(call, "missing-argument", "%s needs %s: %s", op,
			found->key->name, found->key->help);
	case KEYS_WRONG: /* "name: must be ...", or the path to a fault inside the value */
		rest = r->text + strlen(found->key->name) + 2;
		return call_refuse(call, "bad-argument", "%s of %s%s %s", found->key->name, op,
			strncmp(rest, "must ", 5) == 0 ? "" : ":", rest);
	case KEYS_MALFORMED: break;
	}
	return refuse_request(call, r);
}

/* `op` may be anywhere in the map, so the map is read twice. */
int call_read(struct call *call, const uint8_t *data, size_t len)
{
	struct reader r;
	struct assay_string name = {0};
	struct keys_found found;
	read_init(&r, data, len);
	if (keys_read(&r, &op_keys, &name, NULL) < 0 || read_finish(&r) < 0)
		return refuse_request(call, &r);
	if (name.data == NULL)
		return call_refuse(call, "bad-request", "the request has no `op`");
	size_t i = 0;
	while ((call->op = op_at(call->ops, i)) != NULL && !assay_string_is(name, call->op->name))
		i++;
	if (call->op == NULL)
		return refuse_op(call, name);

	struct keys keys = {.rows = keys_of(call->op), .passed = "op"};
	assert(call->op->args.size <= sizeof call->storage);
	memset(call->storage, 0, call->op->args.size);
	if (call->op->defaults != NULL)
		memcpy(call->storage, call->op->defaults, call->op->args.size);
	call->args = call->storage;
	read_init(&r, data, len);
	return keys_read(&r, &keys, call->storage, &found) < 0 ? refuse_arguments(call, &found, &r)
							       : 0;
}

/* --- help ------------------------------------------------------------------------------------ */

static const char *type_name(const struct key *key)
{
	switch (key->type) {
	case KEY_TEXT:
	case KEY_CHARS:
	case KEY_WORD: return "text";
	case KEY_UINT: return "uint";
	case KEY_BOOL: return "bool";
	case KEY_BYTES:
	case KEY_FIXED:
	case KEY_COPY: return "bytes";
	default: return "any";
	}
}

int call_help(struct call *call)
{
	struct map ops, row, args, arg;
	const struct op *op;
	map_key(&call->reply, "ops");
	map_open(&ops, call->reply.to);
	for (size_t i = 0; (op = op_at(call->ops, i)) != NULL; i++) {
		map_key(&ops, op->name);
		map_open(&row, ops.to);
		map_text(&row, "help", op->help);
		map_key(&row, "args");
		map_open(&args, row.to);
		for (const struct key *key = keys_of(op); key->name != NULL; key++) {
			map_key(&args, key->name);
			map_open(&arg, args.to);
			map_text(&arg, "type", type_name(key));
			map_bool(&arg, "required", key->required);
			map_text(&arg, "help", key->help);
			map_close(&arg);
		}
		map_close(&args);
		map_close(&row);
	}
	map_close(&ops);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/commit/published.h"
#include "core/replay/call.h"
#include "record/encode.h"
#include "record/read.h"

/* --- requests -------------------------------------------------------------------------------- */

int replay_fail(struct replay_call *call, const char *code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(call->text, sizeof call->text, format, args);
	va_end(args);
	call->code = code;
	return -EINVAL;
}

const struct replay_value *replay_arg(const struct replay_call *call, const char *name)
{
	for (size_t i = 0; call->op->args[i].name != NULL; i++) {
		if (strcmp(call->op->args[i].name, name) == 0)
			return &call->args[i];
	}
	assert(!"an argument that the op does not declare");
	return NULL;
}

/* Appends "a, b, c" to text. */
static void add_word(char *text, size_t size, const char *word)
{
	size_t len = strlen(text);
	snprintf(text + len, size - len, "%s%s", len > 0 ? ", " : "", word);
}

static int refuse_op(struct replay_call *call, struct assay_string op)
{
	char known[200] = "";
	for (const struct replay_op *at = replay_ops; at->name != NULL; at++)
		add_word(known, sizeof known, at->name);
	return replay_fail(call, "bad-request", "unknown op '%.*s'; accepted: %s",
		(int)(op.len < 64 ? op.len : 64), op.data, known);
}

static int refuse_arg(struct replay_call *call, struct assay_string name)
{
	char known[200] = "";
	for (const struct replay_arg *at = call->op->args; at->name != NULL; at++)
		add_word(known, sizeof known, at->name);
	return replay_fail(call, "bad-request", "%s has no '%.*s'; accepted: %s", call->op->name,
		(int)(name.len < 64 ? name.len : 64), name.data,
		known[0] != '\0' ? known : "nothing");
}

static int read_value(struct reader *r, enum replay_type type, struct replay_value *value)
{
	value->given = true;
	switch (type) {
	case REPLAY_TEXT: return read_text(r, &value->text);
	case REPLAY_UINT: return read_uint(r, &value->number);
	case REPLAY_UUID: return read_fixed(r, ASSAY_UUID_SIZE, &value->bytes);
	case REPLAY_SHA256: return read_fixed(r, ASSAY_SHA256_SIZE, &value->bytes);
	case REPLAY_RUN:
		if (read_peek(r) == READ_TEXT)
			return read_text(r, &value->text);
		return read_fixed(r, ASSAY_UUID_SIZE, &value->bytes);
	}
	return -EBADMSG;
}

static int read_argument(struct replay_call *call, struct reader *r, struct assay_string key)
{
	static const char *const types[] = {[REPLAY_TEXT] = "a text",
		[REPLAY_UINT] = "a whole number",
		[REPLAY_UUID] = "16 bytes",
		[REPLAY_SHA256] = "32 bytes",
		[REPLAY_RUN] = "a run's number or its 16 bytes"};
	for (size_t i = 0; call->op->args[i].name != NULL; i++) {
		const struct replay_arg *at = &call->op->args[i];
		if (!assay_string_is(key, at->name))
			continue;
		if (read_value(r, at->type, &call->args[i]) < 0)
			return replay_fail(call, "bad-request", "%s of %s must be %s", at->name,
				call->op->name, types[at->type]);
		return 0;
	}
	return refuse_arg(call, key);
}

static int bad_request(struct replay_call *call, const struct reader *r)
{
	return replay_fail(call, "bad-request",
		"a request is one CBOR map with the text `op` and its arguments: %s", r->text);
}

/* `op` may stand anywhere in the map, so the map is read twice. */
static int find_op(struct replay_call *call, const uint8_t *data, size_t len)
{
	struct reader r;
	size_t pairs;
	struct assay_string key, op = {0};
	read_init(&r, data, len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (assay_string_is(key, "op"))
			read_text(&r, &op);
		else
			read_skip(&r);
	}
	if (read_finish(&r) < 0)
		return bad_request(call, &r);
	if (op.data == NULL)
		return replay_fail(call, "bad-request", "the request has no `op`");
	for (const struct replay_op *at = replay_ops; at->name != NULL; at++) {
		if (assay_string_is(op, at->name)) {
			call->op = at;
			return 0;
		}
	}
	return refuse_op(call, op);
}

static int read_arguments(struct replay_call *call, const uint8_t *data, size_t len)
{
	struct reader r;
	size_t pairs;
	struct assay_string key;
	read_init(&r, data, len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		int e = assay_string_is(key, "op") ? read_skip(&r) : read_argument(call, &r, key);
		if (e < 0)
			return e;
	}
	for (size_t i = 0; call->op->args[i].name != NULL; i++) {
		if (call->op->args[i].required && !call->args[i].given)
			return replay_fail(call, "bad-request", "%s needs `%s`", call->op->name,
				call->op->args[i].name);
	}
	return 0;
}

/* --- replies --------------------------------------------------------------------------------- */

static void put_error(
	struct replay_answer *answer, const char *code, const char *text, const uint8_t *journal)
{
	struct map map;
	buffer_reset(&answer->head);
	page_drop(answer->page);
	answer->page = NULL;
	answer->has_cursor = false;
	map_open(&map, &answer->head);
	map_text(&map, "op", "error");
	map_text(&map, "code", code);
	map_text(&map, "text", text);
	map_bytes(&map, "journal", journal, JOURNAL_ID_SIZE);
	map_close(&map);
}

void replay_refuse(struct replay_answer *answer, const char *code, const char *text)
{
	put_error(answer, code, text, NULL);
}

void replay_handle(const struct replay_desk *desk, const uint8_t *data, size_t len,
	struct replay_answer *answer)
{
	struct replay_call call = {
		.desk = desk, .answer = answer, .part = {.bytes_max = REPLAY_BYTES_MAX}};
	int r = find_op(&call, data, len);
	if (r == 0)
		r = read_arguments(&call, data, len);
	if (r == 0)
		r = call.op->run(&call);
	if (r < 0) {
		bool is_wrong = strcmp(call.code, "wrong-journal") == 0;
		put_error(answer, call.code, call.text,
			is_wrong ? published_id(desk->published) : NULL);
	} else if (answer->head.failed) {
		replay_refuse(answer, "busy", "there is no memory for the reply");
	}
}

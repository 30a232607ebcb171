/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/commit/published.h"
#include "core/replay/ops.h"

static const struct op *const families[] = {
	replay_journal_ops, /* help, hello, fetch, run, ctx, last, find, proof */
	replay_cursor_ops,  /* cursor, cursors */
	NULL,
};

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

void replay_handle(const struct replay_sources *sources, const struct lease_peer *peer,
	const uint8_t *data, size_t len, struct replay_answer *answer)
{
	struct replay_call replay = {.sources = sources,
		.peer = peer,
		.answer = answer,
		.range.bytes_max = REPLAY_BYTES_MAX};
	struct call call = {.ops = families, .on = &replay};
	map_open(&call.reply, &answer->head);
	int r = call_read(&call, data, len);
	if (r < 0)
		call.code = "bad-request"; /* of all that is wrong with a request's form */
	else
		r = call.op->run(&call);
	map_close(&call.reply);
	answer->page = replay.range.page;
	if (r < 0) {
		bool is_wrong = strcmp(call.code, "wrong-journal") == 0;
		put_error(answer, call.code, call.text,
			is_wrong ? published_id(sources->published) : NULL);
	} else if (answer->head.failed) {
		replay_refuse(answer, "busy", "out of memory");
	}
}

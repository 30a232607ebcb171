/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/replay/cursors.h"
#include "core/replay/call.h"
#include "record/encode.h"

static int refuse_move(struct replay_call *call, int r)
{
	switch (r) {
	case -EINVAL:
		return replay_fail(call, "bad-request",
			"a cursor's name is [a-z0-9-]{1,32}, its topic [a-z0-9-/] with a final /");
	case -ENOENT:
		return replay_fail(call, "wrong-journal",
			"there is no journal of this id; `hello` lists those there are");
	case -ERANGE:
		return replay_fail(
			call, "bad-request", "the cursor is further already; it never goes back");
	case -EDOM:
		return replay_fail(
			call, "bad-request", "the journal does not go that far: see `head`");
	case -EBADMSG:
		return replay_fail(call, "bad-request",
			"the file of this cursor is damaged; forget it to begin anew");
	case -ENOSPC:
		return replay_fail(call, "bad-request",
			"there are %d cursors, or this one has %d marks: that is the limit",
			CURSORS_MAX, CURSOR_MARKS_MAX);
	}
	return replay_fail(call, "busy", "the cursor cannot be moved: %s", strerror(-r));
}

static void put_view(struct map *map, const struct cursor_view *view)
{
	map_text(map, "name", view->name);
	map_key(map, "at");
	cursor_put_marks(map->to, view);
	if (view->is_damaged)
		map_bool(map, "damaged", true);
}

static int show(struct replay_call *call, struct assay_string name)
{
	struct cursor_view view;
	struct map map;
	int r = cursors_find(call->desk->cursors, name, &view);
	if (r == -ENOENT)
		return replay_fail(call, "not-found", "there is no cursor of this name");
	if (r < 0)
		return replay_fail(call, "busy", "there is no memory for the reply");
	map_open(&map, &call->answer->head);
	map_text(&map, "op", "cursor");
	put_view(&map, &view);
	map_close(&map);
	free(view.marks);
	return 0;
}

int replay_cursor(struct replay_call *call)
{
	const struct replay_value *journal = replay_arg(call, "journal");
	const struct replay_value *topic = replay_arg(call, "topic");
	const struct replay_value *seq = replay_arg(call, "seq");
	struct assay_string name = replay_arg(call, "name")->text;
	if (!journal->given && !topic->given && !seq->given)
		return show(call, name);
	if (!journal->given || !topic->given || !seq->given)
		return replay_fail(call, "bad-request",
			"a cursor is moved with `journal`, `topic` and `seq`, asked with none");
	int r = cursors_move(call->desk->cursors, name, journal->bytes, topic->text, seq->number);
	if (r < 0)
		return refuse_move(call, r);
	struct map map;
	map_open(&map, &call->answer->head);
	map_text(&map, "op", "ok");
	map_close(&map);
	call->answer->has_cursor = true;
	return 0;
}

int replay_cursors(struct replay_call *call)
{
	struct map map, row;
	struct cursor_view view;
	struct buffer rows = {0};
	size_t count = 0;
	for (; cursors_view(call->desk->cursors, count, &view) == 0; count++) {
		map_open(&row, &rows);
		put_view(&row, &view);
		map_close(&row);
		free(view.marks);
	}
	map_open(&map, &call->answer->head);
	map_text(&map, "op", "cursors");
	map_key(&map, "cursors");
	encode_array(map.to, count);
	encode_raw(map.to, rows.data, rows.len);
	map_close(&map);
	if (rows.failed)
		map.to->failed = true;
	buffer_finish(&rows);
	return 0;
}

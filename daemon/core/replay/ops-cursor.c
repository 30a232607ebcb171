/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on durable cursors; control/ops-cursor.c forgets them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/replay/cursors.h"
#include "core/replay/leases.h"
#include "core/replay/ops.h"

static int refuse_move(struct call *call, int r)
{
	switch (r) {
	case -EINVAL:
		return call_refuse(call, "bad-request",
			"a cursor's name is [a-z0-9-]{1,32}, its topic [a-z0-9-/] with a final /");
	case -ENOENT:
		return call_refuse(call, "wrong-journal",
			"there is no journal of this id; `hello` lists them");
	case -ERANGE:
		return call_refuse(call, "bad-request",
			"the cursor is past this seq and never goes back: another program used "
			"this name since; give each its own");
	case -EDOM:
		return call_refuse(
			call, "bad-request", "the journal does not go that far: see `head`");
	case -EBADMSG:
		return call_refuse(call, "bad-request",
			"the file of this cursor is damaged; forget it to start again");
	case -ENOSPC:
		return call_refuse(call, "bad-request",
			"there are %d cursors, or this one has %d marks: that is the limit",
			CURSORS_MAX, CURSOR_MARKS_MAX);
	}
	return call_refuse(call, "busy", "the cursor cannot be moved: %s", strerror(-r));
}

static void put_view(struct map *map, const struct cursor_view *view)
{
	map_text(map, "name", view->name);
	map_key(map, "at");
	cursor_put_marks(map->to, view->marks, view->count);
	if (view->is_damaged)
		map_bool(map, "damaged", true);
}

struct cursor_args {
	struct assay_string name, topic;
	const uint8_t *journal;
	uint64_t seq; /* UINT64_MAX: absent */
	bool take;
};

static int take_lease(struct call *call, struct assay_string name)
{
	const struct replay_call *replay = call->on;
	char who[200];
	if (!token_is_valid(name) ||
		leases_take(replay->sources->leases, name, replay->peer, who, sizeof who) == 0)
		return 0;
	return call_refuse(call, "in-use",
		"cursor %.*s is in use by another program: %s; give each program a name of its "
		"own, or try again when that one has ended, or made no request for %d s",
		(int)name.len, name.data, who, (int)(LEASE_NS / NS_PER_S));
}

/* With a name only it shows the cursor, with all arguments it moves it. */
static int op_cursor(struct call *call)
{
	const struct cursor_args *args = call->args;
	struct replay_call *replay = call->on;
	struct cursors *cursors = replay->sources->cursors;
	int given = (args->journal != NULL) + (args->topic.data != NULL) +
		    (args->seq != UINT64_MAX);
	int r = args->take || given == 3 ? take_lease(call, args->name) : 0;
	if (r < 0)
		return r;
	if (given == 0) {
		struct cursor_view view;
		r = cursors_find(cursors, args->name, &view);
		if (r == -ENOENT)
			return call_refuse(call, "not-found", "there is no cursor of this name");
		if (r < 0)
			return call_refuse(call, "busy", "out of memory");
		map_text(&call->reply, "op", "cursor");
		put_view(&call->reply, &view);
		free(view.marks);
		return 0;
	}
	if (given < 3)
		return call_refuse(call, "bad-request",
			"a cursor is moved with `journal`, `topic` and `seq`, shown with none");
	r = cursors_move(cursors, args->name, args->journal, args->topic, args->seq);
	if (r < 0)
		return refuse_move(call, r);
	map_text(&call->reply, "op", "ok");
	replay->answer->has_cursor = true;
	return 0;
}

static int op_cursors(struct call *call)
{
	const struct replay_call *replay = call->on;
	struct map row;
	struct cursor_view view;
	struct buffer rows = {0};
	size_t count = 0;
	for (; cursors_view(replay->sources->cursors, count, &view) == 0; count++) {
		map_open(&row, &rows);
		put_view(&row, &view);
		map_close(&row);
		free(view.marks);
	}
	map_text(&call->reply, "op", "cursors");
	map_key(&call->reply, "cursors");
	encode_array(call->reply.to, count);
	encode_raw(call->reply.to, rows.data, rows.len);
	call->reply.to->failed |= rows.failed;
	buffer_finish(&rows);
	return 0;
}

const struct op replay_cursor_ops[] = {
	{"cursor", "moves a durable cursor, or shows it",
		OP_ARGS(struct cursor_args,
			{"name", KEY_TEXT, KEY_AT(struct cursor_args, name), .required = true,
				.help = "of the cursor"},
			{"journal", KEY_FIXED, KEY_AT(struct cursor_args, journal),
				.limit = JOURNAL_ID_SIZE, .help = "the journal's id"},
			{"topic", KEY_TEXT, KEY_AT(struct cursor_args, topic),
				.help = "a topic, or the start of topics"},
			{"seq", KEY_UINT, KEY_AT(struct cursor_args, seq),
				.help = "everything up to this is dealt with"},
			{"take", KEY_BOOL, KEY_AT(struct cursor_args, take),
				.help = "from now on it belongs to this program"}),
		.defaults = &(const struct cursor_args){.seq = UINT64_MAX}, .run = op_cursor},
	{"cursors", "lists all durable cursors", .run = op_cursors},
	{0},
};

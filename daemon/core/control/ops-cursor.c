/* SPDX-License-Identifier: Apache-2.0 */
/* The operation on durable cursors that is for people; replay/ has those of consumers. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/commit/audit.h"
#include "core/control/ops.h"
#include "core/core.h"
#include "core/replay/cursors.h"

struct forget_args {
	struct assay_string name;
};

/* The audit record keeps the cursor's marks: from now on it holds nothing back. */
static int op_cursor_forget(struct call *call)
{
	const struct forget_args *args = call->args;
	struct core *core = call->on;
	struct cursor_view view = {0};
	int r = cursors_find(core->cursors, args->name, &view);
	if (r == 0)
		r = cursors_forget(core->cursors, args->name);
	if (r == 0) {
		struct buffer before = {0};
		struct map map;
		map_open(&map, &before);
		map_text(&map, "name", view.name);
		map_key(&map, "at");
		cursor_put_marks(&before, view.marks, view.count);
		map_close(&map);
		audit_put(&core->audit, "cursor-forgotten", call->actor, &before, NULL, NULL);
		buffer_finish(&before);
	}
	free(view.marks);
	if (r == -ENOENT)
		return call_refuse(call, "not-found", "there is no cursor of this name");
	if (r < 0)
		return call_refuse(
			call, "refused", "the cursor cannot be removed: %s", strerror(-r));
	return 0;
}

const struct op control_cursor_ops[] = {
	{"cursor-forget",
		"forgets a durable cursor: entries that only it had not read may be removed",
		OP_ARGS(struct forget_args,
			{"name", KEY_TEXT, KEY_AT(struct forget_args, name), .required = true,
				.help = "as its consumer calls it"}),
		.run = op_cursor_forget},
	{0},
};

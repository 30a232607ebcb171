/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/commit/audit.h"
#include "core/control/ops.h"
#include "core/replay/cursors.h"

/* What the cursor stood at stays in the audit: from now on it holds nothing back. */
static void note(struct control_call *call, const struct cursor_view *view)
{
	struct buffer before = {0};
	struct map map;
	map_open(&map, &before);
	map_text(&map, "name", view->name);
	map_key(&map, "at");
	cursor_put_marks(&before, view);
	map_close(&map);
	audit(&call->core->audit, "cursor-forgotten", &call->actor, &before, NULL, NULL);
	buffer_finish(&before);
}

int op_cursor_forget(struct control_call *call)
{
	struct cursor_view view;
	struct assay_string name = control_arg(call, "name")->text;
	int r = cursors_find(call->core->cursors, name, &view);
	if (r == 0) {
		r = cursors_forget(call->core->cursors, name);
		if (r == 0)
			note(call, &view);
		free(view.marks);
	}
	if (r == -ENOENT)
		return control_refuse(call, "not-found", "there is no cursor of this name");
	if (r < 0)
		return control_refuse(
			call, "refused", "the cursor cannot be removed: %s", strerror(-r));
	return 0;
}

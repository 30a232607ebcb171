/* SPDX-License-Identifier: Apache-2.0 */
/* What the operations share, and those that have a file of their own. */
#ifndef ASSAY_CORE_CONTROL_OPS_H
#define ASSAY_CORE_CONTROL_OPS_H

#include "core/control/control.h"

struct instrument;

/* The one that the argument `instrument` names; NULL after a refusal that names the others. */
struct instrument *control_instrument(struct control_call *call);

/* A pair, unless the text is NULL or empty. */
void control_add_text(struct map *map, const char *key, const char *text);

/* control-archive.c */
int op_archived(struct control_call *call);

/* ops-capture.c */
int op_capture_start(struct control_call *call);
int op_capture_read(struct control_call *call);
int op_capture_stop(struct control_call *call);

/* control-run.c */
int op_run_start(struct control_call *call);
int op_run_stop(struct control_call *call);
int op_run_abort(struct control_call *call);

/*
 * Asks the instrument for this run, which is taken, and answers the call when it has begun or not;
 * `repeats` is the number of the run that it repeats, or NULL.
 */
int control_start(struct control_call *call, struct instrument *instrument,
	struct run_request *request, const char *repeats);

/* control-past.c */
int op_runs(struct control_call *call);
int op_run_show(struct control_call *call);
int op_amend(struct control_call *call);
int op_run_repeat(struct control_call *call);

/* control-settings.c */
int op_describe(struct control_call *call);
int op_set(struct control_call *call);

/* control-cursor.c */
int op_cursor_forget(struct control_call *call);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "core/control/ops.h"

const struct op *const control_ops[] = {
	control_daemon_ops,   /* help, status, reload, maintenance */
	control_settings_ops, /* describe, set */
	control_run_ops,      /* run-start, run-repeat, run-stop, run-abort */
	control_past_ops,     /* runs, run-show, amend */
	control_archive_ops,  /* archived */
	control_cursor_ops,   /* cursor-forget */
	control_capture_ops,  /* capture-start, capture-read, capture-stop */
	NULL,
};

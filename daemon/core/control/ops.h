/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The families of operations of the control socket.  Each is a table at the end of its file,
 * control/ops-<family>.c, behind the functions of its rows.
 */
#ifndef ASSAY_CORE_CONTROL_OPS_H
#define ASSAY_CORE_CONTROL_OPS_H

#include "core/router/call.h"

extern const struct op control_archive_ops[], control_capture_ops[], control_cursor_ops[],
	control_daemon_ops[], control_past_ops[], control_run_ops[], control_settings_ops[];

/* All of them, for control_open(). */
extern const struct op *const control_ops[];

#endif

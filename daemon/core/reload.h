/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a new configuration into the running core. */
#ifndef ASSAY_CORE_RELOAD_H
#define ASSAY_CORE_RELOAD_H

#include <stdbool.h>

struct core;

/* `text`, borrowed: the list of errors or the reason if r < 0. */
typedef void reload_done(void *arg, int r, const char *text);

/*
 * Reads the configuration again, on the thread core->checks where there is one: drivers check their
 * settings in processes of their own, for which the main loop does not wait.  A wrong configuration
 * changes nothing: -EINVAL.  A right one touches the ports whose instruments changed; -EBUSY if one of
 * those has an open on-demand run and `now` is false.  -ESHUTDOWN while the core stops.
 * Calls `done` once on the main thread, also before it returns.
 */
void core_reload(struct core *core, bool now, reload_done *done, void *arg);

/* The same on SIGHUP, with its outcome in the log and the audit; `core` is a struct core. */
void reload_on_hangup(void *core);

/* Keeps the running configuration as the last good one, if it is from the files. */
void reload_save(struct core *core);

/* Frees replaced configurations that nothing refers to any more; all of them, at the very end. */
void reload_release(struct core *core);
void reload_finish(struct core *core);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a new configuration into the running core. */
#ifndef ASSAY_CORE_RELOAD_H
#define ASSAY_CORE_RELOAD_H

#include <stdbool.h>

struct core;

/*
 * Reads the configuration again.  A wrong one changes nothing: -EINVAL with the error list in
 * *text (owned).  A right one touches the ports whose instruments changed; -EBUSY with *text if
 * one of those has an open on-demand run and `now` is false.  -ESHUTDOWN with *text while the
 * core ends.
 */
int core_reload(struct core *core, bool now, char **text);

/* The same on SIGHUP, with its outcome in the log and the audit; `core` is a struct core. */
void reload_on_hangup(void *core);

/* Frees replaced configurations that nothing refers to any more; all of them, at the very end. */
void reload_release(struct core *core);
void reload_finish(struct core *core);

#endif

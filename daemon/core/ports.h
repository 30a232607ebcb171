/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which instruments share a port, and so a worker; and what a new configuration changes of that.
 */
#ifndef ASSAY_CORE_PORTS_H
#define ASSAY_CORE_PORTS_H

#include "core/core.h"

/* Makes the instruments of core->config and begins to keep their workers.  0 or -ENOMEM. */
int ports_start_all(struct core *core);

/* Asks every worker to end; the event loop exits once the last one has. */
void ports_stop_all(struct core *core);

/*
 * Takes `config` in place of core->config.  Ports whose instruments are the same in both go on
 * undisturbed; the others are stopped and, when they are gone, started as `config` says.  -EBUSY
 * with *text (owned) and nothing changed, when that would end an on-demand run and `now` is false.
 */
int ports_change(struct core *core, struct config *config, bool now, char **text);

/* Frees replaced configurations that nothing refers to any more. */
void ports_release_retired(struct core *core);

/* Frees what is left at the very end, after the event loop. */
void ports_finish(struct core *core);

#endif

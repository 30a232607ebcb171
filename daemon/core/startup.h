/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The beginning of the core, once its configuration is loaded: journal, live socket, commit thread
 * and control socket, and the audit records that say what was found.
 */
#ifndef ASSAY_CORE_STARTUP_H
#define ASSAY_CORE_STARTUP_H

#include "core/core.h"

/* 0, or a negative errno after a logged error; what was opened stays in `core`. */
int startup(struct core *core);

#endif

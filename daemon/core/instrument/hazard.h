/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The note that something harmful (a filament, a tube) was switched on and not off again.  It is
 * an empty file <journal path>/hazards/<instrument>, so that it outlives a crash of the core: the
 * instrument's next worker then begins with make_safe.
 */
#ifndef ASSAY_CORE_HAZARD_H
#define ASSAY_CORE_HAZARD_H

#include <stdbool.h>

#include "core/core.h"

bool hazard_is_noted(const struct core *core, const char *instrument);

/* A note that cannot be made or removed is an error in the log. */
void hazard_note(const struct core *core, const char *instrument, bool on);

#endif

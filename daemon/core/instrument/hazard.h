/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The note that something harmful (a filament, a tube) was switched on and not off again: an empty
 * file <journal path>/hazards/<instrument>.  It survives a crash of the core; the instrument's next
 * worker then starts with make_safe.
 */
#ifndef ASSAY_CORE_INSTRUMENT_HAZARD_H
#define ASSAY_CORE_INSTRUMENT_HAZARD_H

#include <stdbool.h>

/* `journal` is the path of the journal. */
bool hazard_is_noted(const char *journal, const char *instrument);

/* A note that cannot be made or removed is an error in the log. */
void hazard_note(const char *journal, const char *instrument, bool on);

#endif

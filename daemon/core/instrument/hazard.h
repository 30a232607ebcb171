/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The note that something harmful (a filament, a tube) was switched on and not off again: an empty
 * file <journal path>/hazards/<instrument>.  It survives a crash of the core and, once synced, a
 * power cut; the instrument's next worker then starts with make_safe.
 *
 * The main thread writes notes, the commit thread syncs them before it publishes the audit record
 * of the hazard.
 */
#ifndef ASSAY_CORE_INSTRUMENT_HAZARD_H
#define ASSAY_CORE_INSTRUMENT_HAZARD_H

#include <stdatomic.h>
#include <stdbool.h>

struct hazards {
	const char *journal; /* its path; borrowed */
	atomic_bool is_changed;
};

bool hazard_is_noted(const struct hazards *hazards, const char *instrument);

/* Makes or removes the note.  0, or the error of the disk: the caller tries again. */
int hazard_note(struct hazards *hazards, const char *instrument, bool on);

/*
 * Makes the changed notes of `hazards` durable: `committed` of struct commit_options.  An error is
 * logged, and the next call tries again.
 */
void hazard_sync(void *hazards);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Items other than entries: gaps and marks. */
#ifndef ASSAY_CLIENT_NOTES_H
#define ASSAY_CLIENT_NOTES_H

#include "place.h"

/* The first lost range of (t->cursor, upto]; moves the topic to its end. */
void note_gap(struct delivery *d, struct topic_state *t, uint64_t upto, struct delivery_note *note);

/*
 * The topics of an older journal are unknown, so a hole in it is a gap of the prefix, before the
 * next entry; topics move to its end.  False: there is none before seq `before`.
 */
bool note_hole(struct delivery *d, uint64_t before, struct delivery_note *note);

#endif

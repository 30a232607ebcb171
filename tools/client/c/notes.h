/* SPDX-License-Identifier: Apache-2.0 */
/* What is said beside entries: gaps, and how far one got. */
#ifndef ASSAY_CLIENT_NOTES_H
#define ASSAY_CLIENT_NOTES_H

#include "place.h"

/* The part of (t->cursor, upto] that is said to be lost first; the topic goes on behind it. */
void note_gap(struct delivery *d, struct topic *t, uint64_t upto, struct delivery_note *note);

/*
 * An older journal: which topics it had is not known, so a hole is one of the prefix, given in its
 * place; positions of topics go on behind it.  False: there is none before seq `before`.
 */
bool note_hole(struct delivery *d, uint64_t before, struct delivery_note *note);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a journal belongs to: the file `binding` in the journal's path names machine, file system and
 * folder, so that a copy is recognised.  A second folder, on another disk if possible, has copies of
 * `current`, `durable` and `binding`, so that a journal is missed whose disk is not mounted.
 */
#ifndef ASSAY_JOURNAL_BINDING_H
#define ASSAY_JOURNAL_BINDING_H

#include "journal/writer.h"

/* Does a file `binding` in this folder name another place?  False also without a sound file. */
bool binding_differs(const struct io *io, int dir, const struct io_identity *identity);

/* Writes it durably, if it is not there already. */
int binding_write(const struct io *io, int dir, const struct io_identity *identity);

/* The journal that the second folder knows, and the last seq known of it.  False: none. */
bool known_read(const struct journal *journal, struct journal_place *known);

/* Notes the journal in use in the second folder. */
int known_write(const struct journal *journal);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `durable` next to `current` (place.h): the last durable seq of the journal, updated from
 * time to time.  A journal that ends before this seq was cut, or is an old copy.  It is overwritten
 * in place and not synced: a torn line is ignored, an old one is still true.  A journal that is
 * replaced by a new one gets such a file in its own folder.
 */
#ifndef ASSAY_JOURNAL_DURABLE_H
#define ASSAY_JOURNAL_DURABLE_H

#include "journal/journal.h"

/*
 * The higher seq of both files, if they are about journal `id`; otherwise 0.  `dir` is the journal's
 * folder, negative: none.
 */
uint64_t durable_read(const struct io *io, int base, int dir, const uint8_t id[JOURNAL_ID_SIZE]);

/* Writes that entries up to `seq` are durable.  Errors are ignored: the file is an aid only. */
void durable_write(const struct io *io, int base, const uint8_t id[JOURNAL_ID_SIZE], uint64_t seq);

/* Writes the file in the folder `dir` of a journal that is not continued, durably. */
int durable_leave(const struct io *io, int dir, const uint8_t id[JOURNAL_ID_SIZE], uint64_t seq);

#endif

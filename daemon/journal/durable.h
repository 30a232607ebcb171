/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `durable` next to `current`: the last durable seq of the journal, updated from time to
 * time.  A journal that ends before this seq was cut, or is an old copy.  One line: id, seq in 20
 * digits, crc32c of both in 8 hexadecimal digits, separated by spaces.  It is overwritten in place
 * and not synced: a torn line is ignored, an old one is still true.
 */
#ifndef ASSAY_JOURNAL_DURABLE_H
#define ASSAY_JOURNAL_DURABLE_H

#include "journal/journal.h"

/* The seq in the file, if it is about journal `id`; otherwise 0.  `base` is the file's folder. */
uint64_t durable_read(const struct io *io, int base, const uint8_t id[JOURNAL_ID_SIZE]);

/* Writes that entries up to `seq` are durable.  Errors are ignored: the file is an aid only. */
void durable_write(const struct io *io, int base, const uint8_t id[JOURNAL_ID_SIZE], uint64_t seq);

#endif

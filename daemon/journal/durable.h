/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file `durable` beside `current`: up to where the journal was durable, written now and then. A
 * journal that ends before it was cut, or is an old copy.  One line: id, seq in 20 digits, crc32c
 * of both in 8 hexadecimal digits, with spaces between.  It is overwritten in place and not
 * synced: a torn one is as good as none, an old one is still true.
 */
#ifndef ASSAY_JOURNAL_DURABLE_H
#define ASSAY_JOURNAL_DURABLE_H

#include "journal/journal.h"

/* What the file in the folder `base` says of journal `id`; 0: nothing. */
uint64_t durable_read(const struct io *io, int base, const uint8_t id[JOURNAL_ID_SIZE]);

/* Entries up to `seq` are durable.  Failing to say so is no failure. */
void durable_write(const struct io *io, int base, const uint8_t id[JOURNAL_ID_SIZE], uint64_t seq);

#endif

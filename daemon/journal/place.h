/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that names one entry: one line with the journal's id, the seq in 20 digits, and the
 * CRC-32C of these in hex.
 */
#ifndef ASSAY_JOURNAL_PLACE_H
#define ASSAY_JOURNAL_PLACE_H

#include "journal/journal.h"

#define PLACE_TEXT (JOURNAL_ID_TEXT - 1 + 1 + 20 + 1 + 8 + 1) /* the final zero not included */

void place_format(char text[PLACE_TEXT + 1], const struct journal_place *place);

/* 0; -ENOENT: no such file; -EBADMSG: it is damaged; or another negative errno. */
int place_read(const struct io *io, int dir, const char *name, struct journal_place *place);

#endif

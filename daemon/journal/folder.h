/* SPDX-License-Identifier: Apache-2.0 */
/* Where things lie below a journal's path, and which journal is the current one. */
#ifndef ASSAY_JOURNAL_FOLDER_H
#define ASSAY_JOURNAL_FOLDER_H

#include "journal/journal.h"

/*
 * Opens the folder of journal `id` below `path`, or the one that holds all journals' folders when
 * `id` is NULL.  Returns the descriptor; -ENOENT when there is none.
 */
int folder_open(const struct io *io, const char *path, const uint8_t *id);

/* Reads `current` in the folder `base`.  -ENOENT: there is none; -EINVAL: it holds no id. */
int folder_read_current(const struct io *io, int base, uint8_t id[JOURNAL_ID_SIZE]);

/* Makes `id` the current journal, durably; on failure it may be either. */
int folder_write_current(const struct io *io, int base, const uint8_t id[JOURNAL_ID_SIZE]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a durable cursor, <path>/cursors/<name> (record/cursor.h). */
#ifndef ASSAY_CORE_REPLAY_CURSOR_FILE_H
#define ASSAY_CORE_REPLAY_CURSOR_FILE_H

#include "core/replay/cursors.h"

/*
 * Reads the file `name` in the folder `dir`.  0 with *marks owned by the caller; -EBADMSG: it is
 * damaged; -ENOMEM, or another negative errno.
 */
int cursor_file_read(int dir, const char *name, struct cursor_mark **marks, size_t *count);

/* Writes it durably, whole or not at all.  0 or a negative errno. */
int cursor_file_write(int dir, const char *name, const struct cursor_mark *marks, size_t count);

#endif

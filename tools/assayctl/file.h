/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASSAY_ASSAYCTL_FILE_H
#define ASSAY_ASSAYCTL_FILE_H

#include <stddef.h>

/* Writes all of it.  0 or a negative errno. */
int file_write(int fd, const void *data, size_t len);

/* Makes the names in the folder of `path`, which is relative to `dir`, durable. */
int file_sync_folder(int dir, const char *path);

#endif

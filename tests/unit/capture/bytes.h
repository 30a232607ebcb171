/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASSAY_TESTS_CAPTURE_BYTES_H
#define ASSAY_TESTS_CAPTURE_BYTES_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "capture/file.h"

/* Opens a recording in memory by way of a file without a name. */
static inline int capture_open_bytes(
	struct capture_file *file, const uint8_t *data, size_t len, char why[CAPTURE_WHY])
{
	char path[32];
	int fd = memfd_create("recording", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int r = capture_file_open(file, path, why);
	close(fd);
	return r;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A whole recording in memory, to show it or to play it back. */
#ifndef ASSAY_CAPTURE_FILE_H
#define ASSAY_CAPTURE_FILE_H

#include "base/buffer.h"
#include "capture/capture.h"

#define CAPTURE_FILE_MAX (256u << 20)
#define CAPTURE_WHY      200

struct capture_file {
	struct buffer bytes;
	struct capture_head head;
	struct capture_record *records; /* borrow from `bytes` */
	size_t count;
	size_t read;   /* sound bytes */
	bool is_whole; /* ends with END, and nothing follows */
};

/*
 * Reads a file.  Damage after the head ends the records there; file->is_whole is then false.
 * Returns 0: finish with capture_file_close(); or a negative errno with `why` and nothing to close:
 * -EBADMSG if it is not a recording, -EFBIG above CAPTURE_FILE_MAX.
 */
int capture_file_open(struct capture_file *file, const char *path, char why[CAPTURE_WHY]);

/* Reads only the head of a file. */
int capture_file_head(const char *path, struct capture_head *head, char why[CAPTURE_WHY]);

/* Legal on a zeroed file. */
void capture_file_close(struct capture_file *file);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A recording that the daemon makes of an instrument's link, fetched into a file. */
#ifndef ASSAY_ASSAYCTL_CAPTURE_JOB_H
#define ASSAY_ASSAYCTL_CAPTURE_JOB_H

#include <stdio.h>

#include "base/buffer.h"
#include "command.h"

struct capture_job {
	const char *instrument, *path; /* borrowed */
	/* Whether to end it, looked at twice a second, on the thread of capture_job_follow(). */
	bool (*is_over)(struct capture_job *job);
	uint64_t bytes, link_bytes, missing; /* of the file; of dialogue; not recorded */

	FILE *file;
	uint64_t id;
	struct buffer rest; /* an incomplete record, for counting only */
	bool has_head, is_stopped, has_end;
};

/* Creates the file, which must not exist, and starts the recording.  0, or 1 after a message. */
int capture_job_start(const struct options *options, struct capture_job *job);

/* Fetches it until is_over() and its end.  0, or 1 after a message. */
int capture_job_follow(const struct options *options, struct capture_job *job);

/* Closes the file, and removes an empty one.  `r`, or 1 after a message. */
int capture_job_close(struct capture_job *job, int r);

#endif

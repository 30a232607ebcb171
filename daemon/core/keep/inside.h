/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by retention.c and confirm.c. */
#ifndef ASSAY_CORE_KEEP_INSIDE_H
#define ASSAY_CORE_KEEP_INSIDE_H

#include <limits.h>

#include "core/keep/jobs.h"
#include "core/keep/retention.h"

struct confirmation;

/* A segment that could not be removed, or differs from its archived copy: not tried again. */
struct retention_stuck {
	uint8_t journal[JOURNAL_ID_SIZE];
	uint64_t first;
};

struct retention {
	struct retention_options with;
	char path[PATH_MAX];       /* the journal's: the configuration may be replaced */
	struct jobs *jobs;         /* NULL: stopped */
	struct archived *archived; /* of the jobs thread */
	struct loop_source *timer;
	bool is_looking, again;
	struct retention_summary summary; /* looked 0: none */
	size_t removing;                  /* recorded or about to be removed */
	struct confirmation *confirming;  /* confirm.c's; NULL: none */
	struct retention_stuck *stuck;
	size_t stuck_count;
};

/* As jobs_put(), also after the end. */
void retention_put(struct retention *retention, struct job *job);

/* SHA-256 of the segment's file.  0; a negative errno, -ECANCELED when the end came first. */
int retention_hash(const struct retention *retention, const uint8_t journal[JOURNAL_ID_SIZE],
	uint64_t first, uint8_t sha256[ASSAY_SHA256_SIZE]);

#endif

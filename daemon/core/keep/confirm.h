/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Confirms that segments were archived: compares the digests that a person gives with the daemon's
 * own files, writes an audit record with the person's name, and notes the segments durably.  Only
 * noted segments may be removed by retention.
 *
 * Threads: the main thread's.
 */
#ifndef ASSAY_CORE_KEEP_CONFIRM_H
#define ASSAY_CORE_KEEP_CONFIRM_H

#include "core/keep/retention.h"

#define CONFIRM_TEXT_MAX     1000 /* bytes of the place of the copies */
#define CONFIRM_SEGMENTS_MAX 64

struct confirm_result {
	const char *refused; /* NULL: all segments are noted; else why none of the new ones is */
	size_t noted, known; /* by this request, and before it */
};

struct confirm_request {
	struct audit_actor actor;
	struct archived_segment segments[CONFIRM_SEGMENTS_MAX]; /* of one journal */
	size_t count;                                           /* 1 or more */
	char to[CONFIRM_TEXT_MAX + 1];                          /* the place of the copies */
};

/*
 * Starts with a copy of the request; `done` is called once, later.  -EBUSY: another confirmation is
 * under way; -ENOMEM.
 */
int confirm_start(struct retention *retention, const struct confirm_request *request,
	void (*done)(void *arg, const struct confirm_result *result), void *arg);

/* After retention_stop(): reports to `done` that the daemon stops.  NULL is legal. */
void confirm_give_up(struct retention *retention);

/* Before retention_destroy(): frees a confirmation whose audit record was not written.  NULL is legal. */
void confirm_destroy(struct retention *retention);

#endif

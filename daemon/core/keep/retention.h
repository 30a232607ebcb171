/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes segments of the journal.  Nothing is removed if `keep` is forever.  Otherwise a segment
 * is removed if it is closed, older than `age` or among the oldest of a journal larger than `size`,
 * archived, and passed by every durable cursor.
 *
 * Each removal is an audit record first, committed and published, and only then is the file
 * removed; what a crash leaves between the two is removed (and recorded once more) after the next
 * start.  Looking, hashing and removing happen on a thread of their own.
 */
#ifndef ASSAY_CORE_KEEP_RETENTION_H
#define ASSAY_CORE_KEEP_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/commit/audit.h"
#include "core/keep/archived.h"
#include "core/keep/choose.h"
#include "core/replay/cursors.h"

struct retention;

struct retention_options {
	struct loop *loop;
	const char *path; /* of the journal; copied.  All else is borrowed. */
	const uint8_t *journal;
	struct audit_trail *audit;
	struct published *published;
	struct cursors *cursors;
	/* A look is due: retention_look() is to be called, or not if the core is stopping. */
	void (*due)(void *arg);
	void *arg;
};

/* Starts; a look is due at once and every hour.  Owned through `out`, or a negative errno. */
int retention_start(struct retention **out, const struct retention_options *options);

/* Ends the thread; nothing more is removed.  NULL is legal. */
void retention_stop(struct retention *retention);

/* Frees; after the commit thread's end, which still knows of its records.  NULL is legal. */
void retention_destroy(struct retention *retention);

/*
 * Removes the segments that `policy` permits.  An open run starts at seq `open_from` of the current
 * journal; UINT64_MAX: none.  `retention` NULL is legal.
 */
void retention_look(
	struct retention *retention, const struct retention_policy *policy, uint64_t open_from);

/* Result of the last survey. */
struct retention_summary {
	uint64_t looked; /* UTC */
	uint64_t files, bytes;
	uint64_t not_archived;             /* bytes that only lack an archived copy */
	uint64_t not_passed;               /* bytes that a cursor or an open run keeps */
	char held_by[CURSOR_NAME_MAX + 1]; /* the cursor that is behind; "": an open run is why */
};

/* Borrowed until the next event; NULL: nothing may be removed, or no survey has ended yet. */
const struct retention_summary *retention_summary(const struct retention *retention);

#endif

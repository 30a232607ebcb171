/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts the entries of each data topic into runs: from run-start to run-end, with the amends of
 * earlier runs that fall between, because a topic's position cannot be on both sides of them.
 * Keeps of each open run where it began and what it is called, no entries.
 */
#ifndef ASSAY_CLIENT_RUNS_H
#define ASSAY_CLIENT_RUNS_H

#include <assay/client.h>

#include "record/digest.h"

#define RUN_GAPS_MAX 16

struct run {
	struct assay_client_cursor cursor; /* of its last entry so far */
	uint64_t first, frames, entries;
	uint8_t id[ASSAY_UUID_SIZE];
	char number[128], status[32]; /* "" when not known */
	bool has_start, has_end, is_whole;
	struct assay_client_gap gaps[RUN_GAPS_MAX]; /* more are taken together with the last one */
	size_t gaps_count;
	struct digest leaves; /* of the frames so far; nothing once it is given out */
};

struct runs {
	struct run *items; /* the open ones, one per topic */
	size_t count, size;
};

void runs_finish(struct runs *runs);

/* True for topics whose entries make runs. */
bool runs_is_theirs(struct assay_string topic);

enum runs_verdict {
	RUNS_TAKEN, /* nothing to be given now */
	RUNS_RUN,   /* the run in `out`: complete, or given up by what follows */
	RUNS_ENTRY, /* the entry itself: an amend between runs */
};

/*
 * Takes note of an entry and its bytes; a record that cannot be read counts as one of the open run.
 * Returns a verdict, or -ENOMEM.
 */
int runs_entry(struct runs *runs, struct assay_span bytes, const struct assay_entry_view *entry,
	struct run *out);

/*
 * Entries up to cursor.seq at or below this topic or prefix are lost.  True: that is part of an
 * open run; false: of none.
 */
bool runs_gap(struct runs *runs, const struct assay_client_cursor *cursor, uint64_t first,
	enum assay_client_why why);

/*
 * Takes out an open run at or below this topic or prefix of a journal, because nothing more comes
 * there.  1: it is in `out`; 0: there is none.
 */
int runs_cut(struct runs *runs, const uint8_t *journal, const char *topic, struct run *out);

#endif

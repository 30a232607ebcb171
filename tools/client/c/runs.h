/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups the entries of each data topic into runs: from run-start to run-end, with the amends of
 * the same run in between.  Of an open run it keeps its first entry's place, its number and the
 * corrected texts, but no entries.
 */
#ifndef ASSAY_CLIENT_RUNS_H
#define ASSAY_CLIENT_RUNS_H

#include <assay/client.h>

#include "record/digest.h"

#define RUN_GAPS_MAX 16

/* Of a run-start, and then of the run's amends. */
struct corrected {
	char sample[208], person[208], note[208]; /* "" if unknown */
	bool valid;
};

struct run {
	struct assay_client_cursor cursor; /* of its last entry so far */
	uint64_t first, frames, final_frames, entries;
	uint8_t id[ASSAY_UUID_SIZE];
	char number[128], status[32]; /* "" if unknown */
	bool has_start, has_end, is_whole;
	struct corrected corrected;
	struct assay_client_gap gaps[RUN_GAPS_MAX]; /* further ones are merged into the last */
	size_t gaps_count;
	struct digest leaves; /* of the frames so far; empty in a run that runs_entry() returned */
};

struct runs {
	struct run *items; /* the open ones, one per topic */
	size_t count, size;
};

void runs_finish(struct runs *runs);

/* True for topics whose entries make runs. */
bool runs_is_theirs(struct assay_string topic);

enum runs_verdict {
	RUNS_TAKEN, /* no item yet */
	RUNS_RUN,   /* the run in `out`: complete, or cut by the next run */
	RUNS_ENTRY, /* the entry itself: an amend of another run than the open one */
};

/*
 * Adds an entry and its bytes; a record that cannot be read counts to the open run.  Returns a
 * verdict, or -ENOMEM.
 */
int runs_entry(struct runs *runs, struct assay_span bytes, const struct assay_entry_view *entry,
	struct run *out);

/*
 * True if the entry is of a run whose entries before were not added: they are to be added first.  Its
 * id is then in `id`, borrowed from the entry.
 */
bool runs_lack_start(
	const struct runs *runs, const struct assay_entry_view *entry, const uint8_t **id);

/* Is this entry of the topic and seqs of the run a part of it?  An amend of another run is not. */
bool runs_has(const struct run *run, const struct assay_entry_view *entry);

/*
 * Entries up to cursor.seq of this topic or prefix are lost.  True: an open run has this gap;
 * false: none has it.
 */
bool runs_gap(struct runs *runs, const struct assay_client_cursor *cursor, uint64_t first,
	enum assay_client_why why);

/*
 * Removes an open run of this topic or prefix of a journal that has ended.  1: it is in `out`;
 * 0: there is none.
 */
int runs_cut(struct runs *runs, const uint8_t *journal, const char *topic, struct run *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the core that uses a journal, on a simulated disk, with a memory over its lives: the
 * entries that it handed over, and those that it published.  core_check compares a reopened journal
 * with that memory.
 */
#ifndef ASSAY_TESTS_JOURNAL_CORE_H
#define ASSAY_TESTS_JOURNAL_CORE_H

#include "disk.h"
#include "entry.h"
#include "journal/reader.h"

#define CORE_PATH   "/j"
#define CORE_NOW    UINT64_C(1800000000000000000)
#define CORE_TOPICS 5

struct core {
	struct disk *disk;
	struct journal *journal;
	struct journal_report report;
	struct journal_options options; /* of the next life */
	bool publishes_early;           /* the mistake of publishing before the sync */

	uint8_t id[JOURNAL_ID_SIZE];
	uint64_t tc;
	struct journal_item *items; /* by seq - 1, all that were handed over */
	size_t count, size;
	uint64_t appended, published;
	bool may_lose; /* something in this journal was published before the sync */

	uint64_t pruned, maybe_pruned; /* removed up to here durably, and possibly */
	bool is_renewing;              /* core_renew failed: either journal may be current */
	struct core_old {
		uint8_t id[JOURNAL_ID_SIZE];
		struct journal_item *items;
		size_t count;
		uint64_t pruned, maybe_pruned;
	} old; /* the journal before the last renewal */
};

void core_init(struct core *core, uint32_t seed);
void core_finish(struct core *core);

/* Opens the journal; returns the result of journal_open(). */
int core_open(struct core *core);

/* Makes entries and hands them over; publishes them if the sync mode does so. */
int core_append(struct core *core, const char *topic, size_t len);
int core_append_many(struct core *core, size_t count, size_t len);
int core_sync(struct core *core);

/*
 * Restarts with a clock that is hours behind, so that a new journal starts if anything was
 * published.  After a failure only core_close is allowed.
 */
int core_renew(struct core *core);

/* Records and removes the oldest closed segment, if there is one. */
int core_prune(struct core *core);

/* core_append and core_sync, both of which must succeed. */
void core_commit(struct core *core, const char *topic, size_t len);

/* One of CORE_TOPICS. */
const char *core_topic(uint32_t i);

/* Closes the journal. */
int core_close(struct core *core);

/* The path of a file of the current journal, in one of four static buffers. */
const char *core_file(const struct core *core, uint64_t first_seq, const char *suffix);

/* --- conditions after core_open() */

/* NULL, or the fault of the recovered journal. `why` allows for a new journal. */
const char *core_check(struct core *core);

/* Reads seqs `from` to `to`: NULL if all are there with the bytes that were handed over. */
const char *core_read(struct core *core, uint64_t from, uint64_t to);

/*
 * Closes the journal and damages one bit of an entry. NULL if the next start reports exactly that
 * and changes no file; then the damage is undone and the journal is open again.
 */
const char *core_try_damage(struct core *core);

/* All that was recovered counts as published now. */
void core_accept(struct core *core);

#endif

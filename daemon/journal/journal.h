/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: an append-only log of entries, and the room's door.  An entry is a number (seq: 1,
 * 2, 3 ... without gaps), a commit time, a topic and bytes; what the bytes mean is the record
 * room's affair.  Reading back is in reader.h, the files are described in segment.h and index.h.
 *
 *	<path>/lock  current  durable   one process; the journal in use; how far it was durable
 *	<path>/journal/<id>/            one folder per journal; older ones stay
 *	<path>/quarantine/              bytes that recovery cut off; nothing here is read again
 *
 * Threads: journal_open and journal_topics belong to the thread that starts the core, before it
 * hands the journal to the commit thread.  From then on append, sync, idle, roll and close belong
 * to the commit thread.  journal_id and journal_free may be called by any thread at any time.
 *
 * Durability: what journal_append returned 0 for survives a crash of the program; what
 * journal_sync returned 0 for survives a crash of the machine.  With sync mode "always" nothing
 * may be published before journal_sync, with an interval nothing before journal_append.
 *
 * Failures: a failed write or sync is final for that file, for nothing is known about it any more.
 * The journal then writes everything not yet durable again into a new file, which is why the
 * bytes of an item stay borrowed until journal_sync returned 0.  When the second file fails too,
 * the call returns -ENOSPC (no room), -EAGAIN (no memory) or another errno and the items stay
 * queued: the next journal_sync tries once more.  A caller that gives up calls journal_close,
 * which loses them.
 */
#ifndef ASSAY_JOURNAL_JOURNAL_H
#define ASSAY_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/id.h"
#include "journal/io.h"

#define JOURNAL_ENTRY_MAX ((UINT32_C(16) << 20) + 4096) /* a record's limit and its envelope */
#define JOURNAL_TOPIC_MAX 160
#define JOURNAL_GAPS_MAX  16

struct journal;

/*
 * Says what an entry's bytes say about themselves, for rebuilding an index: `topic` points into
 * `entry` and has 1 to JOURNAL_TOPIC_MAX bytes.  0, or negative for bytes that are no entry.
 */
typedef int (*journal_entry_fn)(const uint8_t *entry, size_t len, const char **topic,
	size_t *topic_len, uint64_t *seq, uint64_t *tc);

struct journal_options {
	const char *path;       /* created when missing, its parent not */
	journal_entry_fn entry; /* required */
	uint32_t sync_ms;       /* 0: always; written into each segment, acted upon by the caller */
	uint64_t now;           /* ns since 1970; the clock that tc is taken from */
	uint64_t segment_size;  /* roll before a file passes this; 0: 64 MiB */
	uint64_t segment_age;   /* roll when tc is this far past the first; 0: 24 h */

	/*
	 * What others remember of a journal (a signed checkpoint, a consumer's durable cursor):
	 * entries up to `known_seq` existed in journal `known_id`.  A journal that ends before has
	 * been cut or restored from a copy; a new one begins.  NULL: nothing is known.
	 */
	const uint8_t *known_id;
	uint64_t known_seq;
};

/* Why a journal was begun. */
enum journal_why {
	JOURNAL_CONTINUED,       /* it was not: the current one goes on */
	JOURNAL_NEW_FIRST,       /* there was none */
	JOURNAL_NEW_LOST,        /* `current` or the folder it names is missing or unreadable */
	JOURNAL_NEW_UNCLEAN,     /* not "always", and the machine went down without journal_close */
	JOURNAL_NEW_CLOCK,       /* the clock is more than an hour behind the last commit time */
	JOURNAL_NEW_END_UNKNOWN, /* the last file is damaged so that its last seq cannot be told */
	JOURNAL_NEW_BEHIND,      /* it ends before options.known_seq */
};

struct journal_gap {
	uint64_t from, to; /* seqs, inclusive */
};

/* What opening found and did, for the audit.  Zero in a field: that did not happen. */
struct journal_report {
	enum journal_why why;
	uint8_t id[JOURNAL_ID_SIZE];
	uint64_t head;    /* last seq, 0: empty */
	uint64_t last_tc; /* a lower tc must never be appended */

	bool has_old; /* a new one replaces `old_id`, which ended with old_head (0: not known) */
	uint8_t old_id[JOURNAL_ID_SIZE];
	uint64_t old_head;

	bool unclean;        /* the last process did not call journal_close */
	uint64_t clock_back; /* ns by which the clock is behind last_tc; bridged below an hour */
	uint64_t torn_bytes; /* never committed, moved to the quarantine */
	uint64_t torn_seq;   /* the first seq among them */
	uint64_t rewritten; /* entries that were read back but perhaps not durable, written again */
	uint64_t odd_entries; /* sound bytes that options.entry refused: kept, on no topic */
	unsigned reindexed;   /* index files made anew */
	size_t gap_count;     /* corruption: the first JOURNAL_GAPS_MAX are listed */
	struct journal_gap gaps[JOURNAL_GAPS_MAX];
};

struct journal_item {
	uint64_t seq;      /* journal's last seq + 1, + 2 ... */
	uint64_t tc;       /* never lower than the one before */
	const char *topic; /* borrowed for the call */
	size_t topic_len;
	const void *bytes; /* borrowed until journal_sync returned 0 */
	size_t len;        /* 1 to JOURNAL_ENTRY_MAX */
};

/*
 * Opens the journal below options->path, or begins one, recovering what a crash left, and fills
 * `report` (also on failure, as far as it came).  Borrows `io` for the journal's life, `options`
 * for the call.  Returns owned through `out`.  -EBUSY: another process has it.  Reads at most the
 * last segment and index files; rebuilds missing index files.
 */
int journal_open(struct journal **out, const struct io *io, const struct journal_options *options,
	struct journal_report *report);

/*
 * Commits what is queued, marks the end as clean, and frees the journal whatever happens.  Returns
 * what journal_sync returned: when negative, the queued items are lost and the end is not marked.
 * NULL is legal.
 */
int journal_close(struct journal *journal);

/*
 * Queues and writes entries, without waiting for the disk.  Copies descriptors and topics, borrows
 * bytes until journal_sync returned 0.  Begins new segments as needed.  -ENOMEM: nothing was
 * taken.  Any other error: the items are queued, see "Failures" above.
 */
int journal_append(struct journal *journal, const struct journal_item *items, size_t count);

/* Makes everything appended durable.  0: no bytes are borrowed any more. */
int journal_sync(struct journal *journal);

/*
 * To be called when nothing was appended for a second: covers the last group with a durable
 * marker, so that later damage to it cannot pass for a torn write, and closes a segment that is
 * too old at `now` (ns since 1970).  Cheap when there is nothing to do.
 */
int journal_idle(struct journal *journal, uint64_t now);

/* Syncs and closes the segment (after a large run): the next entry begins a new file. */
int journal_roll(struct journal *journal);

/* The journal in use, JOURNAL_ID_SIZE bytes, borrowed until close. */
const uint8_t *journal_id(const struct journal *journal);

/* The last seq appended, 0: empty. */
uint64_t journal_head(const struct journal *journal);

/*
 * How often a failed write or sync was got over by a new file, and with which error the last time
 * (negative errno, 0: never).  Any thread.
 */
unsigned journal_rescues(const struct journal *journal, int *error);

/* Calls `each` for every topic with its last seq; it may stop the walk with non-zero. */
int journal_topics(const struct journal *journal,
	int (*each)(void *arg, const char *topic, size_t topic_len, uint64_t last), void *arg);

/* Bytes that can still be written on the journal's file system. */
int journal_free(const struct journal *journal, uint64_t *bytes);

#endif

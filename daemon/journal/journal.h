/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: an append-only log of entries.  An entry is a number (seq: 1, 2, 3 ... without gaps),
 * a commit time, a topic and bytes, which the journal does not interpret.  Reading back is in
 * reader.h, the files are described in segment.h and index.h.
 *
 *	<path>/lock  current  durable   for one process; the journal in use; its last durable seq
 *	<path>/binding                  the place of the folder (binding.h)
 *	<path>/journal/<id>/            one folder per journal; older ones stay
 *	<path>/quarantine/              bytes that recovery cut off; nothing here is read again
 *
 * Threads: journal_open and journal_topics belong to the thread that starts the core, before it
 * hands the journal to the commit thread.  From then on append, sync, idle, roll and close belong
 * to the commit thread.  journal_id and journal_free may be called by any thread at any time.
 *
 * Durability: after journal_append returned 0, its entries survive a crash of the program; after
 * journal_sync returned 0, they survive a crash of the machine.  With sync mode "always" nothing may
 * be published before journal_sync, with an interval nothing before journal_append.
 *
 * Failures: a failed write or sync is final for that file, because its state is then unknown.  The
 * journal writes everything that is not yet durable again into a new file; therefore the bytes of
 * an item stay borrowed until journal_sync returned 0.  If the second file fails too, the call
 * returns -ENOSPC (no room), -EAGAIN (no memory) or another errno, and the items stay queued: the
 * next journal_sync retries.  A caller that gives up calls journal_close; the items are then lost.
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
 * Reads the place of an entry from its bytes, for rebuilding an index: `topic` points into `entry`
 * and has 1 to JOURNAL_TOPIC_MAX bytes.  0, or negative for bytes that are not an entry.
 */
typedef int (*journal_entry_fn)(const uint8_t *entry, size_t len, const char **topic,
	size_t *topic_len, uint64_t *seq, uint64_t *tc);

/* An entry's place. */
struct journal_place {
	uint8_t journal[JOURNAL_ID_SIZE];
	uint64_t seq;
};

struct journal_options {
	const char *path;       /* created when missing, its parent not */
	journal_entry_fn entry; /* required */
	uint32_t sync_ms;       /* 0: always; written into each segment; the caller syncs */
	uint64_t now;           /* ns since 1970, from the clock of the commit times */
	uint64_t segment_size;  /* roll before a file passes this; 0: 64 MiB */
	uint64_t segment_age;   /* roll when tc is this far past the first; 0: 24 h */

	/*
	 * Known from elsewhere (a signed checkpoint, a consumer's durable cursor): entries up to
	 * `known_seq` existed in journal `known_id`.  A journal that ends before was cut or
	 * restored from a copy; a new one starts.  NULL: nothing is known.
	 */
	const uint8_t *known_id;
	uint64_t known_seq;

	/*
	 * A folder elsewhere, for this journal's path alone, in which the journal in use is noted
	 * (binding.h): a journal that was there before is missed, and an older state of it is
	 * recognised.  NULL: none; it need not exist.
	 */
	const char *known;
};

/* Why a new journal was started. */
enum journal_why {
	JOURNAL_CONTINUED,       /* none was: the current one continues */
	JOURNAL_NEW_FIRST,       /* there was none */
	JOURNAL_NEW_LOST,        /* `current` or the folder it names is missing or unreadable */
	JOURNAL_NEW_UNCLEAN,     /* not "always", and the machine went down without journal_close */
	JOURNAL_NEW_CLOCK,       /* the clock is more than an hour behind the last commit time */
	JOURNAL_NEW_END_UNKNOWN, /* the last file is so damaged that its last seq is unknown */
	JOURNAL_NEW_BEHIND,      /* it ends before entries that are known elsewhere */
	JOURNAL_NEW_GONE,        /* there is none, but there was one: its disk may not be mounted */
	JOURNAL_NEW_COPIED,      /* the folder is a copy: of another machine, disk or place */
};

struct journal_gap {
	uint64_t from, to; /* seqs, inclusive */
};

/* The findings and actions of journal_open, for the audit.  Zero: did not happen. */
struct journal_report {
	enum journal_why why;
	uint8_t id[JOURNAL_ID_SIZE];
	uint64_t head;    /* last seq, 0: empty */
	uint64_t last_tc; /* a lower tc must never be appended */

	bool has_old; /* a new one replaces `old_id`, which ended with old_head (0: not known) */
	uint8_t old_id[JOURNAL_ID_SIZE];
	uint64_t old_head, old_tc; /* and its last commit time */

	bool has_other; /* the last start used another journal, which is not in this path */
	struct journal_place other;

	bool unclean;        /* the last process did not call journal_close */
	uint64_t clock_back; /* ns by which the clock is behind last_tc; bridged below an hour */
	uint64_t torn_bytes; /* never committed, moved to the quarantine */
	uint64_t torn_seq;   /* the first seq among them */
	uint64_t rewritten;  /* entries that were read back but may not be durable, written again */
	uint64_t odd_entries; /* sound bytes that options.entry rejected: kept, on no topic */
	unsigned reindexed;   /* index files that were rebuilt */
	size_t gap_count;     /* corruption: the first JOURNAL_GAPS_MAX are listed */
	struct journal_gap gaps[JOURNAL_GAPS_MAX]; /* or files that are missing */
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
 * Opens the journal below options->path, or starts one, recovers after a crash, and fills `report`
 * (after an error in part).  Borrows `io` until journal_close, `options` for the call.  Returns
 * owned through `out`.  -EBUSY: another process has it.  Reads at most the last segment and index
 * files; rebuilds missing index files.
 */
int journal_open(struct journal **out, const struct io *io, const struct journal_options *options,
	struct journal_report *report);

/* The words for an error of the journal's functions, static.  Any thread. */
const char *journal_error(int error);

/*
 * Syncs the queue, marks the end as clean, and frees the journal in any case.  Returns the result of
 * the sync: if negative, the queued items are lost and the end is not marked.  NULL is legal.
 */
int journal_close(struct journal *journal);

/*
 * Queues and writes entries, without waiting for the disk.  Copies descriptors and topics, borrows
 * bytes until journal_sync returned 0.  Starts new segments as needed.  -ENOMEM: nothing was taken.
 * Any other error: the items are queued, see "Failures" above.
 */
int journal_append(struct journal *journal, const struct journal_item *items, size_t count);

/* Makes everything appended durable.  0: no bytes are borrowed any longer. */
int journal_sync(struct journal *journal);

/*
 * Call it when nothing was appended for a second: writes a durable marker behind the last group, so
 * that later damage to the group is not taken for a torn write, and closes a segment that is too old
 * at `now` (ns since 1970).  Cheap if there is nothing to do.
 */
int journal_idle(struct journal *journal, uint64_t now);

/* Syncs and closes the segment (after a large run): the next entry starts a new file. */
int journal_roll(struct journal *journal);

/* The journal in use, JOURNAL_ID_SIZE bytes, borrowed until close. */
const uint8_t *journal_id(const struct journal *journal);

/* The last seq appended, 0: empty. */
uint64_t journal_head(const struct journal *journal);

/*
 * The number of failed writes and syncs that a new file recovered, with the last error (negative
 * errno, 0: none).  Any thread.
 */
unsigned journal_rescues(const struct journal *journal, int *error);

/* Calls `each` for every topic with its last seq; it may stop the walk with non-zero. */
int journal_topics(const struct journal *journal,
	int (*each)(void *arg, const char *topic, size_t topic_len, uint64_t last), void *arg);

/* Bytes that can still be written on the journal's file system. */
int journal_free(const struct journal *journal, uint64_t *bytes);

#endif

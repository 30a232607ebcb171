/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks a whole journal without changing it: every checksum, every seq, the chain of each topic,
 * every index file.  Works on a copy, and while a daemon writes to the journal.
 */
#ifndef ASSAY_JOURNAL_INSPECT_H
#define ASSAY_JOURNAL_INSPECT_H

#include "journal/removal.h"
#include "journal/retain.h"

/* The fields of an entry. */
struct inspect_entry {
	const uint8_t *journal; /* JOURNAL_ID_SIZE bytes */
	uint64_t seq, prev, tc;
	const char *topic;
	size_t topic_len;
};

enum finding_kind {
	FINDING_DAMAGED, /* entries that cannot be read */
	FINDING_MISSING, /* entries without a trace, or whose file is gone without a record of it */
	FINDING_WRONG,   /* a sound entry in a wrong place */
	FINDING_INDEX,   /* an index file that is damaged or contradicts its segment */
	FINDING_NO_INDEX, /* no harm: it is rebuilt when it is needed */
	FINDING_TAIL,     /* no harm: bytes that were never committed, or are being written */
	FINDING_KINDS,
};

struct finding {
	enum finding_kind kind;
	char file[JOURNAL_SEGMENT_PATH]; /* below the journal's path */
	uint64_t from, to;               /* seqs; 0: about none */
	uint64_t from_byte, to_byte;     /* of the file, the end not included; equal: about none */
	const char *text;                /* a static string */
};

struct inspection {
	/* The caller's; borrowed. */
	const struct io *io;
	const char *path;
	const uint8_t *id;
	/* 0, or negative for bytes that are not an entry; its result borrows from them. */
	int (*entry)(const uint8_t *bytes, size_t len, struct inspect_entry *entry);
	removal_entry_fn removal;
	uint64_t known; /* entries up to here existed, by cursors; the file `durable` is read too */
	/* Called for each finding; from time to time with the bytes read so far, unless NULL. */
	void (*found)(void *arg, const struct finding *finding);
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *arg;

	/* Results. */
	uint64_t segments, removed;   /* files, and indexes of files that were removed on purpose */
	uint64_t entries, bytes;      /* sound ones, and of all segments */
	uint64_t first_seq, last_seq; /* 0: none */
	uint64_t findings[FINDING_KINDS];
};

/* 0 if everything could be checked, with or without findings; otherwise a negative errno. */
int journal_inspect(struct inspection *inspection);

/*
 * The seqs of a journal that are certainly durable, by its files: of one that is being written, or
 * that a crash left, up to the last record's synced_upto.  `*last` < `*first`: none.
 */
int journal_committed(const struct io *io, const char *path, const uint8_t id[JOURNAL_ID_SIZE],
	uint64_t *first, uint64_t *last);

#endif

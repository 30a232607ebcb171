/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries, the records' places in the journal, and the heartbeat that names the last of them.
 * Reading an entry is assay_entry_read() in <assay/record.h>.
 */
#ifndef ASSAY_RECORD_ENTRY_H
#define ASSAY_RECORD_ENTRY_H

#include <assay/record.h>

#include "base/buffer.h"

#define ENTRY_VERSION 1
#define ENTRY_MAX     (ASSAY_RECORD_MAX + 256) /* bytes of the largest entry */

/* Appends the entry's bytes, final from here on.  Borrows everything for the call. */
void entry_encode(struct buffer *to, const struct assay_entry_view *entry);

/*
 * What the journal wants to know of an entry: `topic` points into it.  0 or -EBADMSG.
 */
int entry_place(const uint8_t *entry, size_t len, const char **topic, size_t *topic_len,
	uint64_t *seq, uint64_t *tc);

/* SHA-256(0x00 || entry): RFC 6962's leaf, the `ctx` of a run, `entry_sha256`.  0 or -ENOMEM. */
int entry_leaf_hash(const void *entry, size_t len, uint8_t hash[ASSAY_SHA256_SIZE]);

/* A heartbeat: the journal's last entry, and the last one of each topic. */
struct head {
	const uint8_t *journal; /* 16 bytes */
	uint64_t head;          /* seq of the last entry, 0: none */
	uint64_t tc;
	const struct head_topic *topics;
	size_t topics_count;
};

struct head_topic {
	const char *topic;
	uint64_t last;
};

void head_encode(struct buffer *to, const struct head *head);

/* The same as read from bytes, which it borrows. */
struct head_view {
	const uint8_t *journal;
	uint64_t head, tc;
	size_t topics_count;
	struct assay_span topics; /* CBOR map: head_last() */
};

/* 0 or -EBADMSG; the map of topics has been checked too. */
int head_read(const void *data, size_t len, struct head_view *head);

/* The last seq of this topic, 0 when it has none. */
uint64_t head_last(const struct head_view *head, struct assay_string topic);

#endif

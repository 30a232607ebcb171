/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries, the records' places in the journal, and the heartbeat that names the last of them.
 * Reading an entry is assay_entry_read() in <assay/record.h>.
 */
#ifndef ASSAY_RECORD_ENTRY_H
#define ASSAY_RECORD_ENTRY_H

#include <assay/record.h>

#define ENTRY_VERSION  1
#define ENTRY_HEAD_MAX (64 + ASSAY_TOPIC_MAX)
#define ENTRY_MAX      (ASSAY_RECORD_MAX + 256) /* bytes of the largest entry */

/*
 * Writes everything of an entry before the bytes of its record, which the caller puts behind it;
 * of entry->body only the length is used.  Returns the number of bytes.
 */
size_t entry_encode_head(uint8_t to[ENTRY_HEAD_MAX], const struct assay_entry_view *entry);

/* The journal_entry_fn of these entries: `topic` points into the entry.  0 or -EBADMSG. */
int entry_place(const uint8_t *entry, size_t len, const char **topic, size_t *topic_len,
	uint64_t *seq, uint64_t *tc);

/* SHA-256(0x00 || entry): RFC 6962's leaf, the `ctx` of a run, `entry_sha256`.  0 or -ENOMEM. */
int entry_leaf_hash(const void *entry, size_t len, uint8_t hash[ASSAY_SHA256_SIZE]);

/* A heartbeat: the journal's last entry, and the last one of each topic.  Borrows its bytes. */
struct head_view {
	const uint8_t *journal; /* 16 bytes */
	uint64_t head;          /* seq of the last entry, 0: none */
	uint64_t tc, version;
	size_t topics_count;
	struct assay_span topics; /* CBOR map: topic => last seq */
};

/* 0 or -EBADMSG; the map of topics has been checked too. */
int head_read(const void *data, size_t len, struct head_view *head);

#endif

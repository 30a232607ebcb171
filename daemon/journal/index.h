/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment's index file: the place and the topic of each entry, and the last seq of every topic of
 * the journal up to the segment's end.  It is derived from the segments alone and can be made again,
 * so a damaged one is ignored.  After a crash it is whole or missing, so damage to one is always a
 * fault of the disk.  Little-endian:
 *
 *	header			96 bytes
 *	 0  8 magic "ASYIDX1\n"		 64  4 salt of the segment it belongs to
 *	 8  4 version, 1		 68  4 number of topics
 *	12  4 header length, 96		 72  8 length of the body
 *	16 16 journal id		 80  4 crc32c of the body
 *	32  8 first_seq			 84  8 tc of the first entry
 *	40  8 last_seq			 92  4 crc32c of the bytes before
 *	48  8 tc of the last entry
 *	56  8 end: where the last record of the segment ends
 *
 *	body
 *	per topic: u64 last seq, u32 length, the name
 *	per seq from first_seq to last_seq: u32 offset / 8 (0: damaged), u32 topic (all ones: none)
 */
#ifndef ASSAY_JOURNAL_INDEX_H
#define ASSAY_JOURNAL_INDEX_H

#include "journal/segment.h"
#include "journal/topics.h"

struct index_entry {
	uint32_t offset; /* / 8, 0: damaged */
	uint32_t topic;
};

/* Zero is valid and empty.  `last_seq` is first_seq + count - 1. */
struct index {
	uint64_t first_seq, last_tc, end;
	struct index_entry *list;
	size_t count, size;
};

/* The header of an index file. */
struct index_header {
	uint8_t journal[JOURNAL_ID_SIZE];
	uint64_t first_seq, last_seq, first_tc, last_tc, end, body_len;
	uint32_t salt, topic_count, body_crc;
};

void index_finish(struct index *index);

/* Empties it for a segment that starts with `first_seq`; keeps the memory. */
void index_start(struct index *index, uint64_t first_seq);

/*
 * Adds the entry `seq`, which is not below the last one; those in between count as damaged.
 * -ENOMEM, or -EFBIG for an offset no index can hold.
 */
int index_add(struct index *index, uint64_t seq, uint64_t offset, uint32_t topic, uint64_t tc);

/* Counts everything up to `last_seq` as damaged that was not added.  Errors as index_add. */
int index_extend(struct index *index, uint64_t last_seq);

/* Writes the index file of a segment durably, with the topics as they are at its end. */
int index_write(const struct index *index, const struct topics *topics,
	const struct segment_header *segment, const struct io *io, int dir);

/* True if the index file was made from this segment. */
bool index_belongs(const struct index_header *header, const struct segment_header *segment);

/* Reads only the header; -EBADMSG when it is not sound. */
int index_read_header(
	struct index_header *header, const struct io *io, int dir, uint64_t first_seq);

/*
 * Reads an index file into a zeroed index and an empty topic table.  -EBADMSG if any part is not
 * sound; then both may hold a part, and the caller must finish them.
 */
int index_read(struct index_header *header, struct index *index, struct topics *topics,
	const struct io *io, int dir, uint64_t first_seq);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment: one append-only file of entries, and its format.  Numbers are little-endian.
 *
 *	header			80 bytes
 *	 0  8 magic "ASYSEG1\n"		 52  4 sync_ms: 0 = always, else published before sync
 *	 8  4 version, 1		 56 16 boot id of the machine's start that wrote it
 *	12  4 header length, 80		 72  4 zero
 *	16 16 journal id		 76  4 crc32c of the bytes before
 *	32  8 first_seq, also the file's name in 20 digits
 *	40  8 created_ns: tc of the first entry
 *	48  4 salt, random per file
 *
 *	record			32 bytes, the body, zero bytes up to a multiple of 8
 *	 0  4 magic: "AER1" entry, "AEM1" marker, "AEC1" clean end
 *	 4  4 len of the body; 0 in markers
 *	 8  8 seq; 0 in markers
 *	16  8 synced_upto: the highest seq known durable when this was written
 *	24  4 hcrc: crc32c of bytes 0..23, started with the salt
 *	28  4 bcrc: crc32c of the body, started with hcrc
 *
 * The salt makes the bytes of any other file invalid here.  synced_upto distinguishes a torn write
 * from damage: a bad record below the synced_upto of a later one is damage, any other bad record was
 * never committed.  A segment's entries end where the next segment starts: if the sync of a file
 * failed, its later entries were written again to the next one.
 */
#ifndef ASSAY_JOURNAL_SEGMENT_H
#define ASSAY_JOURNAL_SEGMENT_H

#include "journal/journal.h"

#define SEGMENT_HEADER_SIZE 80
#define SEGMENT_NAME_SIZE   32 /* 20 digits, the longest suffix, final zero */
#define RECORD_HEADER_SIZE  32
#define SEGMENT_FILE        ".seg"
#define SEGMENT_INDEX       ".idx"
#define SEGMENT_UNFINISHED  ".new"
#define SEGMENT_REMOVED     ".gone" /* removal.h */

struct segment_header {
	uint8_t journal[JOURNAL_ID_SIZE], boot[IO_BOOT_SIZE];
	uint64_t first_seq, created;
	uint32_t salt, sync_ms;
};

enum record_kind { RECORD_ENTRY, RECORD_MARKER, RECORD_CLEAN_END };

struct record {
	enum record_kind kind;
	uint32_t len;
	uint64_t seq, synced_upto;
	uint32_t hcrc, bcrc;
};

/* An open segment that is being written. */
struct segment {
	int fd; /* -1: none */
	struct segment_header header;
	uint64_t size; /* bytes written without an error */
};

/* Writes "00000000000000000042" and a suffix. */
void segment_name(char name[SEGMENT_NAME_SIZE], uint64_t first_seq, const char *suffix);

/* The seq in a name with this suffix, 0 when it is not one. */
uint64_t segment_name_parse(const char *name, const char *suffix);

void segment_header_encode(uint8_t bytes[SEGMENT_HEADER_SIZE], const struct segment_header *header);

/* False when the bytes are not a header this version knows, or its checksum is wrong. */
bool segment_header_decode(struct segment_header *header, const uint8_t bytes[SEGMENT_HEADER_SIZE]);

/* True for a sound header of a segment whose version is above ours: another program wrote it. */
bool segment_header_is_later(const uint8_t bytes[SEGMENT_HEADER_SIZE]);

/* Room that a body takes with header and padding. */
static inline uint64_t record_size(uint32_t len)
{
	return RECORD_HEADER_SIZE + (((uint64_t)len + 7) & ~UINT64_C(7));
}

/* False if magic, header checksum or a field is wrong.  Does not check the body. */
bool record_decode(struct record *record, const uint8_t bytes[RECORD_HEADER_SIZE], uint32_t salt);

bool record_body_is_sound(const struct record *record, const uint8_t *body);

/*
 * Creates the file `name`, which must not exist, with its header, durable in itself; the
 * directory is the caller's to sync.  On failure nothing is open and the name is removed where the
 * disk allows.
 */
int segment_create(struct segment *segment, const struct io *io, int dir, const char *name,
	const struct segment_header *header);

/*
 * Writes entries, hundreds of them in one system call.  `offsets` gets the place of each record.
 * After an error the file must not be written to again.
 */
int segment_write(struct segment *segment, const struct io *io, const struct journal_item *items,
	size_t count, uint64_t synced_upto, uint64_t *offsets);

/* Writes a marker of this kind and makes it durable. */
int segment_mark(
	struct segment *segment, const struct io *io, enum record_kind kind, uint64_t synced_upto);

/* Closes the file without a sync; legal when none is open. */
void segment_drop(struct segment *segment, const struct io *io);

#endif

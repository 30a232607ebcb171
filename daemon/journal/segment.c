/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/bytes.h"
#include "journal/segment.h"

#define SEGMENT_MAGIC   "ASYSEG1\n"
#define SEGMENT_VERSION 1
#define GATHER_MAX      ((IO_IOV_MAX - 1) / 2)
#define SEQ_DIGITS      20

static const uint8_t zeros[8];

static const char record_magic[][5] = {
	[RECORD_ENTRY] = "AER1",
	[RECORD_MARKER] = "AEM1",
	[RECORD_CLEAN_END] = "AEC1",
};

void segment_name(char name[SEGMENT_NAME_SIZE], uint64_t first_seq, const char *suffix)
{
	snprintf(name, SEGMENT_NAME_SIZE, "%020" PRIu64 "%s", first_seq, suffix);
}

uint64_t segment_name_parse(const char *name, const char *suffix)
{
	uint64_t seq = 0;
	for (int i = 0; i < SEQ_DIGITS; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		uint64_t digit = (uint64_t)(name[i] - '0');
		if (seq > (UINT64_MAX - digit) / 10)
			return 0;
		seq = seq * 10 + digit;
	}
	return strcmp(name + SEQ_DIGITS, suffix) == 0 ? seq : 0;
}

void segment_header_encode(uint8_t bytes[SEGMENT_HEADER_SIZE], const struct segment_header *header)
{
	memset(bytes, 0, SEGMENT_HEADER_SIZE);
	memcpy(bytes, SEGMENT_MAGIC, 8);
	put_le32(bytes + 8, SEGMENT_VERSION);
	put_le32(bytes + 12, SEGMENT_HEADER_SIZE);
	memcpy(bytes + 16, header->journal, JOURNAL_ID_SIZE);
	put_le64(bytes + 32, header->first_seq);
	put_le64(bytes + 40, header->created);
	put_le32(bytes + 48, header->salt);
	put_le32(bytes + 52, header->sync_ms);
	memcpy(bytes + 56, header->boot, IO_BOOT_SIZE);
	put_le32(bytes + 76, crc32c(0, bytes, 76));
}

bool segment_header_decode(struct segment_header *header, const uint8_t bytes[SEGMENT_HEADER_SIZE])
{
	if (memcmp(bytes, SEGMENT_MAGIC, 8) != 0 || get_le32(bytes + 8) != SEGMENT_VERSION ||
		get_le32(bytes + 12) != SEGMENT_HEADER_SIZE ||
		get_le32(bytes + 76) != crc32c(0, bytes, 76))
		return false;
	memcpy(header->journal, bytes + 16, JOURNAL_ID_SIZE);
	header->first_seq = get_le64(bytes + 32);
	header->created = get_le64(bytes + 40);
	header->salt = get_le32(bytes + 48);
	header->sync_ms = get_le32(bytes + 52);
	memcpy(header->boot, bytes + 56, IO_BOOT_SIZE);
	return header->first_seq != 0;
}

bool segment_header_is_later(const uint8_t bytes[SEGMENT_HEADER_SIZE])
{
	return memcmp(bytes, SEGMENT_MAGIC, 8) == 0 && get_le32(bytes + 8) > SEGMENT_VERSION &&
	       get_le32(bytes + 76) == crc32c(0, bytes, 76);
}

static void record_encode(uint8_t bytes[RECORD_HEADER_SIZE], const struct record *record,
	const void *body, uint32_t salt)
{
	memcpy(bytes, record_magic[record->kind], 4);
	put_le32(bytes + 4, record->len);
	put_le64(bytes + 8, record->seq);
	put_le64(bytes + 16, record->synced_upto);
	uint32_t hcrc = crc32c(salt, bytes, 24);
	put_le32(bytes + 24, hcrc);
	put_le32(bytes + 28, crc32c(hcrc, body, record->len));
}

static bool fields_fit(const struct record *record)
{
	if (record->kind != RECORD_ENTRY)
		return record->len == 0 && record->seq == 0;
	return record->len > 0 && record->len <= JOURNAL_ENTRY_MAX &&
	       record->seq > record->synced_upto;
}

bool record_decode(struct record *record, const uint8_t bytes[RECORD_HEADER_SIZE], uint32_t salt)
{
	size_t kind = 0, kinds = sizeof record_magic / sizeof record_magic[0];
	while (kind < kinds && memcmp(bytes, record_magic[kind], 4) != 0)
		kind++;
	if (kind == kinds)
		return false;
	*record = (struct record){
		.kind = (enum record_kind)kind,
		.len = get_le32(bytes + 4),
		.seq = get_le64(bytes + 8),
		.synced_upto = get_le64(bytes + 16),
		.hcrc = get_le32(bytes + 24),
		.bcrc = get_le32(bytes + 28),
	};
	return record->hcrc == crc32c(salt, bytes, 24) && fields_fit(record);
}

bool record_body_is_sound(const struct record *record, const uint8_t *body)
{
	return record->bcrc == crc32c(record->hcrc, body, record->len);
}

int segment_create(struct segment *segment, const struct io *io, int dir, const char *name,
	const struct segment_header *header)
{
	uint8_t bytes[SEGMENT_HEADER_SIZE];
	segment_header_encode(bytes, header);
	int fd = io->openat(io->ctx, dir, name, O_RDWR | O_CREAT | O_EXCL);
	if (fd < 0)
		return fd;
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof bytes};
	int r = io_write_all(io, fd, &iov, 1, 0);
	if (r == 0)
		r = io->fdatasync(io->ctx, fd);
	if (r < 0) {
		io->close(io->ctx, fd);
		io->unlinkat(io->ctx, dir, name);
		return r;
	}
	*segment = (struct segment){.fd = fd, .header = *header, .size = sizeof bytes};
	return 0;
}

/* Padding goes out with the next record's header, so that a record costs two pieces. */
static int write_group(struct segment *segment, const struct io *io,
	const struct journal_item *items, size_t count, uint64_t synced_upto, uint64_t *offsets)
{
	struct iovec iov[2 * GATHER_MAX + 1];
	uint8_t headers[GATHER_MAX][8 + RECORD_HEADER_SIZE];
	uint64_t end = segment->size;
	size_t padding = 0, pieces = 0;
	for (size_t i = 0; i < count; i++) {
		uint32_t len = (uint32_t)items[i].len;
		struct record record = {
			.len = len, .seq = items[i].seq, .synced_upto = synced_upto};
		memset(headers[i], 0, 8);
		record_encode(headers[i] + 8, &record, items[i].bytes, segment->header.salt);
		iov[pieces++] = (struct iovec){
			headers[i] + 8 - padding, padding + RECORD_HEADER_SIZE};
		iov[pieces++] = (struct iovec){(void *)(uintptr_t)items[i].bytes, len};
		offsets[i] = end;
		end += record_size(len);
		padding = (8 - len % 8) % 8;
	}
	iov[pieces++] = (struct iovec){(void *)(uintptr_t)zeros, padding};
	int r = io_write_all(io, segment->fd, iov, (int)pieces, segment->size);
	if (r == 0)
		segment->size = end;
	return r;
}

int segment_write(struct segment *segment, const struct io *io, const struct journal_item *items,
	size_t count, uint64_t synced_upto, uint64_t *offsets)
{
	while (count > 0) {
		size_t group = count < GATHER_MAX ? count : GATHER_MAX;
		int r = write_group(segment, io, items, group, synced_upto, offsets);
		if (r < 0)
			return r;
		items += group;
		offsets += group;
		count -= group;
	}
	return 0;
}

int segment_mark(
	struct segment *segment, const struct io *io, enum record_kind kind, uint64_t synced_upto)
{
	assert(kind != RECORD_ENTRY);
	uint8_t bytes[RECORD_HEADER_SIZE];
	struct record record = {.kind = kind, .synced_upto = synced_upto};
	record_encode(bytes, &record, zeros, segment->header.salt);
	struct iovec iov = {.iov_base = bytes, .iov_len = sizeof bytes};
	int r = io_write_all(io, segment->fd, &iov, 1, segment->size);
	if (r < 0)
		return r;
	segment->size += sizeof bytes;
	return io->fdatasync(io->ctx, segment->fd);
}

void segment_drop(struct segment *segment, const struct io *io)
{
	if (segment->fd >= 0)
		io->close(io->ctx, segment->fd);
	segment->fd = -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/crc32c.h"
#include "base/bytes.h"
#include "journal/index.h"

#define INDEX_MAGIC       "ASYIDX1\n"
#define INDEX_VERSION     1
#define INDEX_HEADER_SIZE 96
#define TOPIC_HEADER_SIZE 12
#define ENTRY_SIZE        8

void index_finish(struct index *index)
{
	free(index->list);
	*index = (struct index){0};
}

void index_start(struct index *index, uint64_t first_seq)
{
	index->first_seq = first_seq;
	index->count = 0;
	index->last_tc = 0;
	index->end = SEGMENT_HEADER_SIZE;
}

static int make_room(struct index *index, size_t count)
{
	size_t size = index->size == 0 ? 256 : index->size;
	while (size < count)
		size *= 2;
	if (size == index->size)
		return 0;
	struct index_entry *list = realloc(index->list, size * sizeof *list);
	if (list == NULL)
		return -ENOMEM;
	index->list = list;
	index->size = size;
	return 0;
}

int index_extend(struct index *index, uint64_t last_seq)
{
	uint64_t count = last_seq + 1 - index->first_seq;
	if (count > UINT32_MAX)
		return -EFBIG;
	int r = make_room(index, (size_t)count);
	while (r == 0 && index->count < count)
		index->list[index->count++] = (struct index_entry){0, TOPIC_NONE};
	return r;
}

int index_add(struct index *index, uint64_t seq, uint64_t offset, uint32_t topic, uint64_t tc)
{
	assert(seq - index->first_seq >= index->count);
	if (offset / 8 > UINT32_MAX)
		return -EFBIG;
	int r = index_extend(index, seq);
	if (r < 0)
		return r;
	index->list[index->count - 1] = (struct index_entry){(uint32_t)(offset / 8), topic};
	index->last_tc = tc;
	return 0;
}

static void encode_body(struct buffer *body, const struct index *index, const struct topics *topics)
{
	uint8_t bytes[TOPIC_HEADER_SIZE];
	for (uint32_t i = 0; i < topics->count; i++) {
		put_le64(bytes, topics->list[i].last);
		put_le32(bytes + 8, (uint32_t)topics->list[i].len);
		buffer_append(body, bytes, sizeof bytes);
		buffer_append(body, topics->list[i].name, topics->list[i].len);
	}
	for (size_t i = 0; i < index->count; i++) {
		put_le32(bytes, index->list[i].offset);
		put_le32(bytes + 4, index->list[i].topic);
		buffer_append(body, bytes, ENTRY_SIZE);
	}
}

static void encode_header(uint8_t bytes[INDEX_HEADER_SIZE], const struct index_header *header)
{
	memset(bytes, 0, INDEX_HEADER_SIZE);
	memcpy(bytes, INDEX_MAGIC, 8);
	put_le32(bytes + 8, INDEX_VERSION);
	put_le32(bytes + 12, INDEX_HEADER_SIZE);
	memcpy(bytes + 16, header->journal, JOURNAL_ID_SIZE);
	put_le64(bytes + 32, header->first_seq);
	put_le64(bytes + 40, header->last_seq);
	put_le64(bytes + 48, header->last_tc);
	put_le64(bytes + 56, header->end);
	put_le32(bytes + 64, header->salt);
	put_le32(bytes + 68, header->topic_count);
	put_le64(bytes + 72, header->body_len);
	put_le32(bytes + 80, header->body_crc);
	put_le64(bytes + 84, header->first_tc);
	put_le32(bytes + 92, crc32c(0, bytes, 92));
}

static bool decode_header(struct index_header *header, const uint8_t bytes[INDEX_HEADER_SIZE])
{
	if (memcmp(bytes, INDEX_MAGIC, 8) != 0 || get_le32(bytes + 8) != INDEX_VERSION ||
		get_le32(bytes + 12) != INDEX_HEADER_SIZE ||
		get_le32(bytes + 92) != crc32c(0, bytes, 92))
		return false;
	memcpy(header->journal, bytes + 16, JOURNAL_ID_SIZE);
	header->first_seq = get_le64(bytes + 32);
	header->last_seq = get_le64(bytes + 40);
	header->last_tc = get_le64(bytes + 48);
	header->end = get_le64(bytes + 56);
	header->salt = get_le32(bytes + 64);
	header->topic_count = get_le32(bytes + 68);
	header->body_len = get_le64(bytes + 72);
	header->body_crc = get_le32(bytes + 80);
	header->first_tc = get_le64(bytes + 84);
	return true;
}

int index_write(const struct index *index, const struct topics *topics,
	const struct segment_header *segment, const struct io *io, int dir)
{
	struct buffer file = {0};
	uint8_t *room = buffer_reserve(&file, INDEX_HEADER_SIZE);
	file.len = room != NULL ? INDEX_HEADER_SIZE : 0;
	encode_body(&file, index, topics);
	int r = file.failed ? -ENOMEM : 0;
	if (r == 0) {
		char name[SEGMENT_NAME_SIZE];
		size_t body_len = file.len - INDEX_HEADER_SIZE;
		struct index_header header = {
			.first_seq = index->first_seq,
			.last_seq = index->first_seq + index->count - 1,
			.first_tc = segment->created,
			.last_tc = index->last_tc,
			.end = index->end,
			.salt = segment->salt,
			.topic_count = topics->count,
			.body_len = body_len,
			.body_crc = crc32c(0, file.data + INDEX_HEADER_SIZE, body_len),
		};
		memcpy(header.journal, segment->journal, JOURNAL_ID_SIZE);
		encode_header(file.data, &header);
		segment_name(name, index->first_seq, SEGMENT_INDEX);
		r = io_replace(io, dir, name, file.data, file.len);
	}
	buffer_finish(&file);
	return r;
}

bool index_belongs(const struct index_header *header, const struct segment_header *segment)
{
	return header->salt == segment->salt && header->first_seq == segment->first_seq &&
	       memcmp(header->journal, segment->journal, JOURNAL_ID_SIZE) == 0;
}

static int read_header(struct index_header *header, const struct io *io, int fd, uint64_t first_seq)
{
	uint8_t bytes[INDEX_HEADER_SIZE];
	uint64_t size;
	int r = io->size(io->ctx, fd, &size);
	if (r < 0)
		return r;
	ssize_t n = io->pread(io->ctx, fd, bytes, sizeof bytes, 0);
	if (n < 0)
		return (int)n;
	bool sound = n == sizeof bytes && decode_header(header, bytes) &&
		     header->first_seq == first_seq && header->last_seq >= first_seq - 1 &&
		     header->body_len == size - INDEX_HEADER_SIZE &&
		     header->last_seq + 1 - first_seq <= header->body_len / ENTRY_SIZE;
	return sound ? 0 : -EBADMSG;
}

static int open_index(const struct io *io, int dir, uint64_t first_seq)
{
	char name[SEGMENT_NAME_SIZE];
	segment_name(name, first_seq, SEGMENT_INDEX);
	return io->openat(io->ctx, dir, name, O_RDONLY);
}

int index_read_header(struct index_header *header, const struct io *io, int dir, uint64_t first_seq)
{
	int fd = open_index(io, dir, first_seq);
	if (fd < 0)
		return fd;
	int r = read_header(header, io, fd, first_seq);
	io->close(io->ctx, fd);
	return r;
}

/* Returns the number of bytes used, 0 if they are not sound. */
static size_t decode_topics(struct topics *topics, uint32_t count, const uint8_t *data, size_t len)
{
	size_t at = 0;
	for (uint32_t i = 0; i < count; i++) {
		if (len - at < TOPIC_HEADER_SIZE)
			return 0;
		uint64_t last = get_le64(data + at);
		uint32_t name_len = get_le32(data + at + 8);
		at += TOPIC_HEADER_SIZE;
		if (name_len > JOURNAL_TOPIC_MAX || name_len > len - at)
			return 0;
		if (topics_add(topics, (const char *)data + at, name_len) != i)
			return 0;
		topics_advance(topics, i, last);
		at += name_len;
	}
	return at;
}

static int decode_entries(
	struct index *index, uint64_t count, uint32_t topic_count, const uint8_t *data, size_t len)
{
	if (len / ENTRY_SIZE != count || len % ENTRY_SIZE != 0)
		return -EBADMSG;
	int r = make_room(index, (size_t)count);
	if (r < 0)
		return r;
	for (; index->count < count; data += ENTRY_SIZE) {
		struct index_entry entry = {get_le32(data), get_le32(data + 4)};
		if (entry.topic != TOPIC_NONE && entry.topic >= topic_count)
			return -EBADMSG;
		index->list[index->count++] = entry;
	}
	return 0;
}

static int decode_body(const struct index_header *header, struct index *index,
	struct topics *topics, const uint8_t *data, size_t len)
{
	if (crc32c(0, data, len) != header->body_crc)
		return -EBADMSG;
	size_t used = decode_topics(topics, header->topic_count, data, len);
	if (used == 0 && header->topic_count > 0)
		return -EBADMSG;
	index_start(index, header->first_seq);
	index->last_tc = header->last_tc;
	index->end = header->end;
	uint64_t count = header->last_seq + 1 - header->first_seq;
	return decode_entries(index, count, header->topic_count, data + used, len - used);
}

static int read_body(const struct index_header *header, struct index *index, struct topics *topics,
	const struct io *io, int fd)
{
	size_t len = (size_t)header->body_len;
	uint8_t *data = malloc(len > 0 ? len : 1);
	if (data == NULL)
		return -ENOMEM;
	ssize_t n = io->pread(io->ctx, fd, data, len, INDEX_HEADER_SIZE);
	int r = n < 0 ? (int)n : -EBADMSG;
	if (n >= 0 && (size_t)n == len)
		r = decode_body(header, index, topics, data, len);
	free(data);
	return r;
}

int index_read(struct index_header *header, struct index *index, struct topics *topics,
	const struct io *io, int dir, uint64_t first_seq)
{
	int fd = open_index(io, dir, first_seq);
	if (fd < 0)
		return fd;
	int r = read_header(header, io, fd, first_seq);
	if (r == 0)
		r = read_body(header, index, topics, io, fd);
	io->close(io->ctx, fd);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of segments and index files, and the checksum they rest on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "disk.h"
#include "base/crc32c.h"
#include "base/bytes.h"
#include "journal/index.h"

/* RFC 3720, B.4. */
static void checksums_are_those_of_the_standard(void **state)
{
	uint8_t data[32] = {0};
	assert_int_equal(crc32c(0, data, 32), 0x8a9136aa);
	memset(data, 0xff, 32);
	assert_int_equal(crc32c(0, data, 32), 0x62a8ab43);
	for (uint8_t i = 0; i < 32; i++)
		data[i] = i;
	assert_int_equal(crc32c(0, data, 32), 0x46dd794e);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c_portable(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(7, "", 0), 7);
}

static void both_checksums_agree_at_every_length_and_offset(void **state)
{
	enum { SIZE = 20000 };
	uint8_t *data = malloc(SIZE);
	assert_non_null(data);
	uint32_t x = 1;
	for (size_t i = 0; i < SIZE; i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (uint8_t)(x >> 24);
	}
	for (size_t len = 0; len < 900; len++)
		assert_int_equal(
			crc32c(5, data + len % 8, len), crc32c_portable(5, data + len % 8, len));
	for (size_t len = 900; len < SIZE - 8; len += 611)
		assert_int_equal(
			crc32c(5, data + len % 8, len), crc32c_portable(5, data + len % 8, len));
	uint32_t whole = crc32c(9, data, SIZE);
	assert_int_equal(crc32c(crc32c(9, data, 7001), data + 7001, SIZE - 7001), whole);
	free(data);
}

static void a_name_is_twenty_digits(void **state)
{
	char name[SEGMENT_NAME_SIZE];
	segment_name(name, 4097, SEGMENT_FILE);
	assert_string_equal(name, "00000000000000004097.seg");
	assert_int_equal(segment_name_parse(name, SEGMENT_FILE), 4097);
	assert_int_equal(segment_name_parse(name, SEGMENT_INDEX), 0);
	segment_name(name, UINT64_MAX, SEGMENT_FILE);
	assert_true(segment_name_parse(name, SEGMENT_FILE) == UINT64_MAX);
	assert_int_equal(segment_name_parse("99999999999999999999.seg", SEGMENT_FILE), 0);
	assert_int_equal(segment_name_parse("4097.seg", SEGMENT_FILE), 0);
	assert_int_equal(segment_name_parse("", SEGMENT_FILE), 0);
	assert_int_equal(segment_name_parse("00000000000000000001.seg~", SEGMENT_FILE), 0);
}

static const struct segment_header header = {
	.journal = {1, 2, 3},
	.boot = {9, 8, 7},
	.first_seq = 42,
	.created = UINT64_C(0x1122334455667788),
	.salt = 0xdeadbeef,
	.sync_ms = 1000,
};

static void a_header_comes_back_and_no_bit_of_it_may_change(void **state)
{
	uint8_t bytes[SEGMENT_HEADER_SIZE];
	struct segment_header back;
	segment_header_encode(bytes, &header);
	assert_memory_equal(bytes, "ASYSEG1\n\1\0\0\0\x50\0\0\0\1\2\3", 19);
	assert_true(segment_header_decode(&back, bytes));
	assert_memory_equal(&back, &header, sizeof back);
	for (size_t bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(segment_header_decode(&back, bytes));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

/* Written out by hand, so that the format cannot change unnoticed. */
static void a_record_has_the_documented_bytes(void **state)
{
	struct disk *disk = disk_create(1);
	const struct io *io = disk_io(disk);
	struct segment segment;
	struct journal_item items[2] = {{.seq = 42, .bytes = "hello", .len = 5},
		{.seq = 43, .bytes = "12345678", .len = 8}};
	uint64_t offsets[2];
	assert_int_equal(segment_create(&segment, io, IO_CWD, "/x", &header), 0);
	assert_int_equal(segment_write(&segment, io, items, 2, 41, offsets), 0);
	assert_int_equal(segment_mark(&segment, io, RECORD_MARKER, 43), 0);
	assert_int_equal(offsets[0], 80);
	assert_int_equal(offsets[1], 80 + 32 + 8);
	segment_drop(&segment, io);

	uint8_t expected[152] = {0};
	memcpy(expected, "AER1", 4);
	put_le32(expected + 4, 5);
	put_le64(expected + 8, 42);
	put_le64(expected + 16, 41);
	put_le32(expected + 24, crc32c_portable(0xdeadbeef, expected, 24));
	put_le32(expected + 28, crc32c_portable(get_le32(expected + 24), "hello", 5));
	memcpy(expected + 32, "hello", 5);
	uint8_t *second = expected + 40;
	memcpy(second, "AER1", 4);
	put_le32(second + 4, 8);
	put_le64(second + 8, 43);
	put_le64(second + 16, 41);
	put_le32(second + 24, crc32c_portable(0xdeadbeef, second, 24));
	put_le32(second + 28, crc32c_portable(get_le32(second + 24), "12345678", 8));
	memcpy(second + 32, "12345678", 8);
	uint8_t *marker = expected + 80;
	memcpy(marker, "AEM1", 4);
	put_le64(marker + 16, 43);
	put_le32(marker + 24, crc32c_portable(0xdeadbeef, marker, 24));
	put_le32(marker + 28, get_le32(marker + 24));

	size_t len;
	uint8_t *file = disk_read(disk, "/x", &len);
	assert_int_equal(len, 80 + 112);
	assert_memory_equal(file + 80, expected, 112);
	free(file);
	disk_destroy(disk);
}

static void a_record_is_rejected_with_any_other_salt_or_bit(void **state)
{
	uint8_t bytes[RECORD_HEADER_SIZE] = "AER1";
	struct record record;
	put_le32(bytes + 4, 100);
	put_le64(bytes + 8, 7);
	put_le64(bytes + 16, 6);
	put_le32(bytes + 24, crc32c(1234, bytes, 24));
	assert_true(record_decode(&record, bytes, 1234));
	assert_int_equal(record.seq, 7);
	assert_false(record_decode(&record, bytes, 1235));
	for (size_t bit = 0; bit < 8 * 28; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(record_decode(&record, bytes, 1234));
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

static bool decodes(const char *magic, uint32_t len, uint64_t seq, uint64_t synced)
{
	uint8_t bytes[RECORD_HEADER_SIZE] = {0};
	struct record record;
	memcpy(bytes, magic, 4);
	put_le32(bytes + 4, len);
	put_le64(bytes + 8, seq);
	put_le64(bytes + 16, synced);
	put_le32(bytes + 24, crc32c(0, bytes, 24));
	return record_decode(&record, bytes, 0);
}

static void a_record_with_impossible_fields_is_rejected(void **state)
{
	assert_true(decodes("AER1", JOURNAL_ENTRY_MAX, 2, 1));
	assert_false(decodes("AER1", JOURNAL_ENTRY_MAX + 1, 2, 1));
	assert_false(decodes("AER1", 0, 2, 1));
	assert_false(decodes("AER1", 1, 2, 2));
	assert_true(decodes("AEM1", 0, 0, 9));
	assert_false(decodes("AEM1", 8, 0, 9));
	assert_false(decodes("AEC1", 0, 3, 9));
	assert_false(decodes("AEX1", 1, 2, 1));
}

/* --- topics and index files */

static void topics_keep_their_ids_when_many_come(void **state)
{
	struct topics topics = {0};
	char name[32];
	for (uint32_t i = 0; i < 5000; i++) {
		int n = snprintf(name, sizeof name, "a1/data/%u/", i);
		assert_int_equal(topics_add(&topics, name, (size_t)n), i);
		topics_advance(&topics, i, i + 1);
	}
	topics_advance(&topics, 7, 3);
	topics_advance(&topics, TOPIC_NONE, 3);
	assert_int_equal(topics_find(&topics, "a1/data/7/", 10), 7);
	assert_int_equal(topics.list[7].last, 8);
	assert_int_equal(topics_find(&topics, "a1/data/7", 9), TOPIC_NONE);
	assert_int_equal(topics_add(&topics, "a1/data/4999/", 13), 4999);
	topics_finish(&topics);
	assert_int_equal(topics_find(&topics, "a1/data/7/", 10), TOPIC_NONE);
}

static void write_sample_index(const struct io *io)
{
	struct topics topics = {0};
	struct index index = {0};
	index_start(&index, 42);
	assert_int_equal(topics_add(&topics, "a/", 2), 0);
	assert_int_equal(topics_add(&topics, "b/", 2), 1);
	assert_int_equal(index_add(&index, 42, 80, 0, 1000), 0);
	assert_int_equal(index_add(&index, 45, 400, 1, 1001), 0);
	topics_advance(&topics, 0, 42);
	topics_advance(&topics, 1, 45);
	index.end = 500;
	assert_int_equal(index_write(&index, &topics, &header, io, IO_CWD), 0);
	index_finish(&index);
	topics_finish(&topics);
}

static int read_index(
	const struct io *io, struct index_header *found, struct index *index, struct topics *topics)
{
	*index = (struct index){0};
	*topics = (struct topics){0};
	return index_read(found, index, topics, io, IO_CWD, 42);
}

/* The disk's root has names that start with '/'; here they do not. */
static void an_index_comes_back(void **state)
{
	struct disk *disk = disk_create(1);
	struct index_header found;
	struct index index;
	struct topics topics;
	write_sample_index(disk_io(disk));
	assert_int_equal(read_index(disk_io(disk), &found, &index, &topics), 0);
	assert_true(index_belongs(&found, &header));
	assert_int_equal(found.last_seq, 45);
	assert_int_equal(found.last_tc, 1001);
	assert_int_equal(found.end, 500);
	assert_int_equal(index.count, 4);
	assert_int_equal(index.list[0].offset, 10);
	assert_int_equal(index.list[1].offset, 0);
	assert_int_equal(index.list[1].topic, TOPIC_NONE);
	assert_int_equal(index.list[3].offset, 50);
	assert_int_equal(index.list[3].topic, 1);
	assert_int_equal(topics.count, 2);
	assert_int_equal(topics.list[1].last, 45);
	index_finish(&index);
	topics_finish(&topics);
	struct segment_header other = header;
	other.salt++;
	assert_false(index_belongs(&found, &other));
	disk_destroy(disk);
}

static void overwrite(const struct io *io, const uint8_t *data, size_t len)
{
	int fd = io->openat(io->ctx, IO_CWD, "00000000000000000042.idx", O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	struct iovec iov = {(void *)(uintptr_t)data, len};
	assert_int_equal(io_write_all(io, fd, &iov, 1, 0), 0);
	io->close(io->ctx, fd);
}

static void an_index_with_any_wrong_bit_or_length_is_rejected(void **state)
{
	struct disk *disk = disk_create(1);
	const struct io *io = disk_io(disk);
	struct index_header found;
	struct index index;
	struct topics topics;
	write_sample_index(io);
	uint8_t data[1024] = {0};
	int fd = io->openat(io->ctx, IO_CWD, "00000000000000000042.idx", O_RDONLY);
	ssize_t len = io->pread(io->ctx, fd, data, sizeof data, 0);
	io->close(io->ctx, fd);
	assert_int_equal(len, 96 + 2 * 14 + 4 * 8);
	for (size_t bit = 0; bit <= 8 * (size_t)len; bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		overwrite(io, data, (size_t)len + (bit == 8 * (size_t)len));
		assert_int_equal(read_index(io, &found, &index, &topics), -EBADMSG);
		index_finish(&index);
		topics_finish(&topics);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < (size_t)len; cut++) {
		overwrite(io, data, cut);
		assert_int_equal(read_index(io, &found, &index, &topics), -EBADMSG);
		index_finish(&index);
		topics_finish(&topics);
	}
	disk_destroy(disk);
}

static void an_id_is_read_only_in_the_form_it_is_written(void **state)
{
	uint8_t id[JOURNAL_ID_SIZE] = {0}, back[JOURNAL_ID_SIZE];
	char text[JOURNAL_ID_TEXT];
	for (uint8_t i = 0; i < JOURNAL_ID_SIZE; i++)
		id[i] = (uint8_t)(17 * i);
	journal_id_format(text, id);
	assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff");
	assert_int_equal(journal_id_parse(back, text), 0);
	assert_memory_equal(back, id, sizeof id);
	assert_int_equal(journal_id_parse(back, "00112233-4455-6677-8899-AABBCCDDEEFF"), -EINVAL);
	assert_int_equal(journal_id_parse(back, "00112233445566778899aabbccddeeff"), -EINVAL);
	assert_int_equal(journal_id_parse(back, "00112233-4455-6677-8899-aabbccddeeff0"), -EINVAL);
	assert_int_equal(journal_id_parse(back, ".."), -EINVAL);
	assert_int_equal(journal_id_parse(back, ""), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums_are_those_of_the_standard),
		cmocka_unit_test(both_checksums_agree_at_every_length_and_offset),
		cmocka_unit_test(a_name_is_twenty_digits),
		cmocka_unit_test(a_header_comes_back_and_no_bit_of_it_may_change),
		cmocka_unit_test(a_record_has_the_documented_bytes),
		cmocka_unit_test(a_record_is_rejected_with_any_other_salt_or_bit),
		cmocka_unit_test(a_record_with_impossible_fields_is_rejected),
		cmocka_unit_test(topics_keep_their_ids_when_many_come),
		cmocka_unit_test(an_index_comes_back),
		cmocka_unit_test(an_index_with_any_wrong_bit_or_length_is_rejected),
		cmocka_unit_test(an_id_is_read_only_in_the_form_it_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

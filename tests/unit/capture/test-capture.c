/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings: written ones come back unchanged, all other bytes are rejected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "bytes.h"
#include "capture/read.h"
#include "capture/write.h"

static struct buffer out;
static struct capture_file file;
static char why[CAPTURE_WHY];

static int fresh(void **state)
{
	buffer_finish(&out);
	capture_file_close(&file);
	return 0;
}

static struct capture_head sample_head(void)
{
	struct capture_head head = {.site = "lab",
		.node = "bench-1",
		.version = "0.1.0",
		.link = "modbus-tcp",
		.utc = 1800000000000000000,
		.mono = 42,
		.unit_count = 2,
		.unit = 1};
	strcpy(head.units[0].key, "gas-1");
	strcpy(head.units[0].driver, "modbus-map");
	head.units[0].unit_id = 3;
	strcpy(head.units[1].key, "gas-2");
	strcpy(head.units[1].driver, "modbus-map");
	strcpy(head.units[1].serial, "9990001");
	head.units[1].simulated = true;
	return head;
}

static void put(enum capture_kind kind, unsigned channel, uint64_t mono, const char *data)
{
	struct capture_record record = {kind, channel, mono, (const uint8_t *)data, strlen(data)};
	capture_write(&out, &record);
}

static void write_sample(void)
{
	struct capture_head head = sample_head();
	capture_write_head(&out, &head);
	put(CAPTURE_OPENED, 0, 10, "");
	put(CAPTURE_OUT, 0x02, 11, "ask");
	put(CAPTURE_IN, 0x81, 12, "answer");
	capture_write_missing(&out, 13, 7, 1000);
	capture_write_text(&out, CAPTURE_LOST, 14, "unplugged");
	capture_write_text(&out, CAPTURE_END, 15, "stopped");
}

static void a_recording_comes_back_as_it_was(void **state)
{
	uint64_t records, bytes;
	write_sample();
	assert_int_equal(capture_open_bytes(&file, out.data, out.len, why), 0);
	assert_true(file.is_whole);
	assert_int_equal(file.count, 6);
	assert_string_equal(file.head.link, "modbus-tcp");
	assert_string_equal(file.head.site, "lab");
	assert_true(file.head.utc == 1800000000000000000 && file.head.mono == 42);
	assert_int_equal(file.head.unit, 1);
	assert_int_equal(file.head.units[0].unit_id, 3);
	assert_string_equal(file.head.units[1].serial, "9990001");
	assert_true(file.head.units[1].simulated && !file.head.units[0].simulated);
	assert_int_equal(file.records[1].kind, CAPTURE_OUT);
	assert_int_equal(file.records[1].channel, 2);
	assert_int_equal(file.records[2].channel, 0x81);
	assert_memory_equal(file.records[2].data, "answer", 6);
	assert_true(file.records[2].mono == 12);
	capture_read_missing(&file.records[3], &records, &bytes);
	assert_true(records == 7 && bytes == 1000);
	assert_memory_equal(file.records[4].data, "unplugged", 9);
}

static void a_recording_that_was_cut_anywhere_is_not_whole(void **state)
{
	write_sample();
	for (size_t len = 0; len < out.len; len++) {
		if (capture_open_bytes(&file, out.data, len, why) == 0)
			assert_false(file.is_whole);
		else
			assert_true(why[0] != '\0');
		capture_file_close(&file);
	}
}

static void a_byte_that_changed_anywhere_is_noticed(void **state)
{
	write_sample();
	for (size_t at = 0; at < out.len; at++) {
		out.data[at] ^= 0x10;
		if (capture_open_bytes(&file, out.data, out.len, why) == 0)
			assert_false(file.is_whole);
		capture_file_close(&file);
		out.data[at] ^= 0x10;
	}
}

static void bytes_after_the_end_make_it_not_whole(void **state)
{
	write_sample();
	put(CAPTURE_OUT, 0, 16, "more");
	assert_int_equal(capture_open_bytes(&file, out.data, out.len, why), 0);
	assert_false(file.is_whole);
}

static void long_pieces_are_split_and_keep_their_time(void **state)
{
	struct capture_head head = sample_head();
	struct capture_record record = {
		.kind = CAPTURE_OUT, .mono = 5, .len = CAPTURE_DATA_MAX + 1};
	uint8_t *data = calloc(1, record.len);
	record.data = data;
	data[CAPTURE_DATA_MAX] = 0xee;
	capture_write_head(&out, &head);
	capture_write(&out, &record);
	capture_write_text(&out, CAPTURE_END, 6, "");
	free(data);
	assert_int_equal(capture_open_bytes(&file, out.data, out.len, why), 0);
	assert_true(file.is_whole);
	assert_int_equal(file.count, 3);
	assert_int_equal(file.records[0].len, CAPTURE_DATA_MAX);
	assert_int_equal(file.records[1].len, 1);
	assert_int_equal(file.records[1].data[0], 0xee);
	assert_true(file.records[1].mono == 5);
}

/* With a right sum, so that only the contents can be rejected. */
static void mend(size_t from, size_t len)
{
	uint32_t sum = crc32c(0, out.data + from, len);
	memcpy(out.data + from + len, &sum,
		sizeof sum); /* little-endian, as all that we build on */
}

static void records_that_a_worker_may_not_send_are_rejected(void **state)
{
	put(CAPTURE_OUT, 0, 1, "ok");
	size_t first = out.len;
	assert_true(capture_are_records(out.data, out.len));
	assert_false(capture_are_records(out.data, out.len - 1));
	capture_write_text(&out, CAPTURE_END, 2, "");
	assert_false(capture_are_records(out.data, out.len)); /* the daemon's own word */
	out.data[first + 4] = 99;
	mend(first, CAPTURE_ROW_BYTES);
	assert_false(capture_are_records(out.data, out.len));
	out.data[first + 4] = CAPTURE_OUT;
	mend(first, CAPTURE_ROW_BYTES);
	assert_true(capture_are_records(out.data, out.len));
	out.data[first + 6] = 1; /* must be zero */
	mend(first, CAPTURE_ROW_BYTES);
	assert_false(capture_are_records(out.data, out.len));
}

static void heads_of_other_versions_and_units_beyond_are_rejected(void **state)
{
	struct capture_head head = sample_head();
	capture_write_head(&out, &head);
	size_t sum = out.len - CAPTURE_SUM_BYTES;
	assert_true(capture_read_head(out.data, out.len, &head) == (long)out.len);
	out.data[8] = 2;
	mend(0, sum);
	assert_int_equal(capture_read_head(out.data, out.len, &head), -EBADMSG);
	buffer_reset(&out);
	head = sample_head();
	head.unit = 2;
	capture_write_head(&out, &head);
	assert_int_equal(capture_read_head(out.data, out.len, &head), -EBADMSG);
}

static void other_files_are_rejected_with_a_reason(void **state)
{
	char path[] = "/tmp/test-capture-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, "hello, world", 12) == 12);
	close(fd);
	struct capture_head head;
	assert_int_equal(capture_file_open(&file, path, why), -EBADMSG);
	assert_non_null(strstr(why, "not a recording"));
	assert_int_equal(capture_file_head(path, &head, why), -EBADMSG);
	unlink(path);
	assert_int_equal(capture_file_open(&file, path, why), -ENOENT);
	assert_int_equal(capture_file_open(&file, "/dev/null", why), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_recording_comes_back_as_it_was, fresh, fresh),
		cmocka_unit_test_setup_teardown(
			a_recording_that_was_cut_anywhere_is_not_whole, fresh, fresh),
		cmocka_unit_test_setup_teardown(
			a_byte_that_changed_anywhere_is_noticed, fresh, fresh),
		cmocka_unit_test_setup_teardown(
			bytes_after_the_end_make_it_not_whole, fresh, fresh),
		cmocka_unit_test_setup_teardown(
			long_pieces_are_split_and_keep_their_time, fresh, fresh),
		cmocka_unit_test_setup_teardown(
			records_that_a_worker_may_not_send_are_rejected, fresh, fresh),
		cmocka_unit_test_setup_teardown(
			heads_of_other_versions_and_units_beyond_are_rejected, fresh, fresh),
		cmocka_unit_test_setup_teardown(
			other_files_are_rejected_with_a_reason, fresh, fresh),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

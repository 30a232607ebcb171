/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "file-import/ole2.h"
#include "ole2-file.h"

#define LONG  100000
#define SHORT 1000

static uint8_t long_data[LONG], short_data[SHORT];
static unsigned long reads;

static int read_memory(void *context, uint64_t offset, void *to, size_t len)
{
	const struct ole2_file *f = context;
	assert_true(offset <= f->len && len <= f->len - offset);
	memcpy(to, f->bytes + offset, len);
	reads++;
	return 0;
}

static struct ole2 of_file(struct ole2_file *f)
{
	return (struct ole2){.read = read_memory, .context = f, .size = f->len};
}

static struct ole2_file *create(uint32_t sector)
{
	for (size_t i = 0; i < LONG; i++)
		long_data[i] = (uint8_t)(i * 7 + i / 251 + 1);
	for (size_t i = 0; i < SHORT; i++)
		short_data[i] = (uint8_t)(i * 5 + 1);
	struct ole2_file *f = ole2_file_create(sector, 2 * LONG);
	static const char *const names[] = {"A", "Zz", "DataInfo", "BaseInfo", "X-Data", "Text"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ole2_file_add(f, OLE2_FILE_ROOT, names[i], short_data + i, 70);
	f->is_reversed = true;
	ole2_file_add(f, OLE2_FILE_ROOT, "Y-Data", long_data, LONG);
	ole2_file_add(f, OLE2_FILE_ROOT, "Short", short_data, SHORT);
	ole2_file_add(f, OLE2_FILE_ROOT, "Empty", short_data, 0);
	unsigned results = ole2_file_add(f, OLE2_FILE_ROOT, "Results", NULL, 0);
	unsigned result = ole2_file_add(f, results, "Result-1", NULL, 0);
	ole2_file_add(f, result, "BaseInfo", short_data + 500, 100);
	ole2_file_finish(f);
	return f;
}

static void expect_stream(struct ole2 *file, const char *path, const uint8_t *data, size_t len)
{
	static uint8_t to[LONG];
	struct ole2_stream s;
	assert_int_equal(ole2_find(file, path, &s), 0);
	assert_int_equal(s.len, len);
	assert_int_equal(ole2_read(file, &s, 0, to, len), 0);
	assert_memory_equal(to, data, len);
	/* In pieces, forward and backward. */
	for (size_t at = 0; at + 50 <= len; at += 777) {
		assert_int_equal(ole2_read(file, &s, at, to, 50), 0);
		assert_memory_equal(to, data + at, 50);
	}
	for (size_t at = len; at >= 2003; at -= 2003) {
		assert_int_equal(ole2_read(file, &s, at - 100, to, 100), 0);
		assert_memory_equal(to, data + at - 100, 100);
	}
	assert_int_equal(ole2_read(file, &s, len, to, 1), -EBADMSG);
	assert_int_equal(ole2_read(file, &s, UINT64_MAX, to, 2), -EBADMSG);
}

static void test_streams(void **state)
{
	(void)state;
	static const uint32_t sectors[] = {512, 4096};
	for (int i = 0; i < 2; i++) {
		struct ole2_file *f = create(sectors[i]);
		struct ole2 file = of_file(f);
		assert_int_equal(ole2_open(&file), 0);
		expect_stream(&file, "Y-Data", long_data, LONG);
		expect_stream(&file, "y-dATA", long_data, LONG);
		expect_stream(&file, "Short", short_data, SHORT);
		expect_stream(&file, "BaseInfo", short_data + 3, 70);
		expect_stream(&file, "Results/Result-1/BaseInfo", short_data + 500, 100);
		expect_stream(&file, "Empty", short_data, 0);
		struct ole2_stream s;
		assert_int_equal(ole2_find(&file, "Results", &s), -ENOENT); /* no stream */
		assert_int_equal(ole2_find(&file, "Results/BaseInfo", &s), -ENOENT);
		assert_int_equal(ole2_find(&file, "Result-1", &s), -ENOENT);
		assert_int_equal(ole2_find(&file, "", &s), -ENOENT);
		ole2_file_destroy(f);
	}
}

/* More sectors of the FAT than the header has places for. */
static void test_large(void **state)
{
	(void)state;
	size_t len = 16u << 20;
	uint8_t *data = malloc(len);
	assert_non_null(data);
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i ^ i >> 9);
	struct ole2_file *f = ole2_file_create(512, len + (1 << 16));
	ole2_file_add(f, OLE2_FILE_ROOT, "Large", data, len);
	ole2_file_add(f, OLE2_FILE_ROOT, "Small", data + 5, 10);
	ole2_file_finish(f);
	struct ole2 file = of_file(f);
	struct ole2_stream s;
	uint8_t *to = malloc(len);
	assert_non_null(to);
	assert_int_equal(ole2_open(&file), 0);
	assert_int_equal(ole2_find(&file, "Large", &s), 0);
	assert_int_equal(ole2_read(&file, &s, 0, to, len), 0);
	assert_memory_equal(to, data, len);
	assert_int_equal(ole2_find(&file, "Small", &s), 0);
	/* The chain of the places loops. */
	uint32_t more = f->used - 2;
	ole2_file_put(f->bytes + ((size_t)more + 1) * 512 + 508, more);
	file = of_file(f);
	assert_true(ole2_open(&file) < 0);
	free(to);
	free(data);
	ole2_file_destroy(f);
}

static int open_and_read(struct ole2_file *f, const char *path)
{
	static uint8_t to[LONG];
	struct ole2_stream s;
	struct ole2 file = of_file(f);
	reads = 0;
	int error = ole2_open(&file);
	if (error == 0)
		error = ole2_find(&file, path, &s);
	if (error == 0)
		error = ole2_read(&file, &s, 0, to, s.len < LONG ? s.len : LONG);
	assert_true(reads < 20 * f->len / 64 + 1000);
	return error;
}

static uint32_t get(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Each way in which a chain or a tree can lead to itself, or out of the file. */
static void test_loops(void **state)
{
	(void)state;
	static const uint32_t targets[] = {0, 1, 7, 1000000, 0xfffffff0u, 0xffffffffu};
	struct ole2_file *f = create(512);
	uint32_t y = get(ole2_file_entry(f, 7) + 116);
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		struct ole2_file *bad = create(512);
		ole2_file_put(ole2_file_fat(bad, y - 3), targets[i]); /* in the middle of Y-Data */
		assert_true(open_and_read(bad, "Y-Data") < 0);
		assert_int_equal(open_and_read(bad, "Short"), 0);
		ole2_file_destroy(bad);
		bad = create(512);
		ole2_file_put(ole2_file_entry(bad, 7) + 116, targets[i]); /* its first sector */
		assert_true(open_and_read(bad, "Y-Data") < 0);
		ole2_file_destroy(bad);
		bad = create(512);
		ole2_file_put(ole2_file_fat(bad, bad->directory), targets[i]);
		assert_true(open_and_read(bad, "Y-Data") < 0);
		ole2_file_destroy(bad);
	}
	ole2_file_put(ole2_file_fat(f, y), y); /* to itself */
	assert_int_equal(open_and_read(f, "Y-Data"), -EBADMSG);
	ole2_file_destroy(f);
	f = create(512); /* a chain that ends before the stream does */
	ole2_file_put(ole2_file_fat(f, y - 3), 0xfffffffeu);
	struct ole2 file = of_file(f);
	struct ole2_stream s;
	assert_int_equal(ole2_open(&file), 0);
	assert_int_equal(ole2_find(&file, "Y-Data", &s), -EBADMSG);
	ole2_file_destroy(f);
	f = create(512); /* a sector that the FAT does not have */
	ole2_file_put(ole2_file_fat(f, y - 3), f->fats * 128 + 5);
	file = of_file(f);
	assert_int_equal(ole2_open(&file), 0);
	assert_int_equal(ole2_find(&file, "Y-Data", &s), -EBADMSG);
	ole2_file_destroy(f);
	f = create(512); /* entries of the tree lead to each other */
	for (unsigned i = 0; i < f->count; i++)
		for (size_t at = 68; at <= 76; at += 4)
			ole2_file_put(ole2_file_entry(f, i) + at, 1);
	assert_int_equal(open_and_read(f, "Y-Data"), -EBADMSG);
	ole2_file_destroy(f);
	f = create(512);
	ole2_file_put(ole2_file_entry(f, 7) + 120, 0x7fffffff); /* longer than the file */
	assert_int_equal(open_and_read(f, "Y-Data"), -ENODATA);
	ole2_file_destroy(f);
	f = create(512);
	ole2_file_put(f->bytes + 44, 0xffffffff); /* sectors of the FAT */
	assert_int_equal(open_and_read(f, "Y-Data"), -ENODATA);
	ole2_file_destroy(f);
}

static int open_only(struct ole2_file *f)
{
	struct ole2 file = of_file(f);
	return ole2_open(&file);
}

/* The FAT is where the header has it, and an entry of the directory is one. */
static void test_tables(void **state)
{
	(void)state;
	struct ole2_file *f = create(512);
	struct ole2_stream s;
	uint32_t behind = f->used + 5,
		 part = behind / 128; /* of the FAT; the sector has its own entry */
	ole2_file_put(f->bytes + 76 + (size_t)part * 4, behind);
	assert_int_equal(open_only(f), -ENODATA);
	ole2_file_put(f->bytes + 76 + (size_t)part * 4, part);
	assert_int_equal(open_only(f), 0);
	ole2_file_put(ole2_file_fat(f, 1), 0xfffffffeu);
	assert_int_equal(open_only(f), -EBADMSG);
	ole2_file_put(ole2_file_fat(f, 1), 0xfffffffdu);
	ole2_file_put(f->bytes + 76, f->used - 1);
	assert_int_equal(open_only(f), -EBADMSG);
	ole2_file_put(f->bytes + 76, 0);
	memset(ole2_file_fat(f, 128), 0, 512); /* its second sector is not written */
	ole2_file_put(ole2_file_fat(f, 1), 0);
	assert_int_equal(open_only(f), -ENODATA);
	ole2_file_destroy(f);
	f = create(512);
	memset(ole2_file_entry(f, 7), 0, 128);
	struct ole2 file = of_file(f);
	assert_int_equal(ole2_open(&file), 0);
	assert_int_equal(ole2_find(&file, "Y-Data", &s), -ENODATA);
	ole2_file_destroy(f);
}

static void test_end(void **state)
{
	(void)state;
	struct ole2_file *f = create(512);
	size_t len = f->len;
	static const size_t parts[] = {0, 7, 511, 512, 1000, 20000};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		f->len = parts[i];
		assert_int_equal(open_and_read(f, "Y-Data"), -ENODATA);
	}
	f->len = len - 1;
	assert_int_equal(open_and_read(f, "Y-Data"), -ENODATA);
	f->len = len + 512; /* a sector that the FAT does not know */
	assert_int_equal(open_and_read(f, "Y-Data"), -EBADMSG);
	f->len = len;
	memset(f->bytes + 512, 0, f->len - 512); /* only the header is written */
	assert_int_equal(open_and_read(f, "Y-Data"), -ENODATA);
	f->bytes[0] = 0;
	assert_int_equal(open_and_read(f, "Y-Data"), -EBADMSG);
	ole2_file_destroy(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_loops),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files of the daemon's own, each behind a checksum that is right here: the first byte selects
 * the file of a cursor, the run index or the reserved run numbers.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "core/runs/index_file.h"
#include "core/runs/numbers.h"
#include "record/cursor.h"

#define HEAD 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t id[JOURNAL_ID_SIZE] = {1};
static char folder[] = "/dev/shm/fuzz-state-XXXXXX", index_path[100], numbers_path[100];

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void remove_folder(void)
{
	unlink(index_path);
	unlink(numbers_path);
	*strrchr(index_path, '/') = '\0';
	rmdir(index_path);
	rmdir(folder);
}

static void make_folder(void)
{
	char name[JOURNAL_ID_TEXT];
	log_init(LOG_LEVEL_ERROR, true);
	must(mkdtemp(folder) != NULL);
	snprintf(index_path, sizeof index_path, "%s/runs", folder);
	must(mkdir(index_path, 0700) == 0);
	journal_id_format(name, id);
	snprintf(index_path, sizeof index_path, "%s/runs/%s", folder, name);
	snprintf(numbers_path, sizeof numbers_path, "%s/numbers", folder);
	atexit(remove_folder);
}

static void write_file(const char *path, const struct buffer *bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0 && write(fd, bytes->data, bytes->len) == (ssize_t)bytes->len);
	close(fd);
}

/* What is read can be written, and reads the same again. */
static void read_cursor(const uint8_t *data, size_t size)
{
	struct buffer file = {0}, again = {0};
	struct cursor_mark *marks, *same;
	size_t count, n;
	uint8_t crc[4];
	put_le32(crc, crc32c(0, data, size));
	buffer_append(&file, data, size);
	buffer_append(&file, crc, sizeof crc);
	if (cursor_decode(file.data, file.len, "c", &marks, &count) == 0) {
		must(cursor_encode(&again, "c", marks, count) == 0);
		must(cursor_decode(again.data, again.len, "c", &same, &n) == 0 && n == count);
		for (size_t i = 0; i < n; i++)
			must(same[i].seq == marks[i].seq &&
				strcmp(same[i].topic, marks[i].topic) == 0);
		free(marks);
		free(same);
	}
	buffer_finish(&file);
	buffer_finish(&again);
}

static int take(void *arg, const struct index_note *note)
{
	const struct runs_row *row = &note->row;
	must(row->first <= HEAD && row->last <= HEAD && note->upto <= HEAD &&
		note->amend_seq <= HEAD);
	must(strlen(row->number) < sizeof row->number && strlen(row->topic) < sizeof row->topic &&
		strlen(row->sample) < sizeof row->sample &&
		strlen(row->status) < sizeof row->status);
	++*(size_t *)arg;
	return 0;
}

/* Notes of a byte of length each.  A second reading finds what the first left in the file. */
static void read_index(const uint8_t *data, size_t size)
{
	struct buffer file = {0};
	struct index_file index;
	size_t notes = 0, again = 0;
	while (size > 1) {
		size_t len = data[0] < size ? data[0] : size - 1;
		uint8_t crc[4];
		put_le32(crc, crc32c(crc32c(0, id, sizeof id), data + 1, len));
		buffer_append(&file, crc, sizeof crc);
		buffer_append(&file, data + 1, len);
		data += 1 + len;
		size -= 1 + len;
	}
	write_file(index_path, &file);
	must(index_file_open(&index, folder, id, HEAD, take, &notes) == 0);
	must(index.reach <= HEAD);
	index_file_close(&index);
	must(index_file_open(&index, folder, id, HEAD, take, &again) == 0 && again == notes);
	index_file_close(&index);
	buffer_finish(&file);
}

/* A number that was given is not given again, whichever journal is in use. */
static void read_numbers(const uint8_t *data, size_t size)
{
	static const uint8_t other[JOURNAL_ID_SIZE] = {2};
	struct buffer file = {0};
	struct numbers numbers;
	char sum[10];
	buffer_append(&file, data, size);
	snprintf(sum, sizeof sum, "%08x\n", (unsigned)crc32c(0, data, size));
	buffer_append(&file, sum, 9);
	write_file(numbers_path, &file);
	numbers_open(&numbers, folder, id);
	must(numbers.count <= NUMBERS_DAYS);
	unsigned given = numbers_give(&numbers, 20261101, 1);
	must(given >= 1);
	numbers_sync(&numbers);
	numbers_close(&numbers);
	numbers_open(&numbers, folder, other);
	bool is_dropped = numbers.count == NUMBERS_DAYS && numbers.days[0].day > 20261101;
	must(is_dropped || numbers_give(&numbers, 20261101, 1) > given);
	numbers_close(&numbers);
	buffer_finish(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (index_path[0] == '\0')
		make_folder();
	if (size == 0)
		return 0;
	switch (data[0]) {
	case 'c': read_cursor(data + 1, size - 1); break;
	case 'i': read_index(data + 1, size - 1); break;
	case 'n': read_numbers(data + 1, size - 1); break;
	default: break;
	}
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A recording of arbitrary bytes. If the first byte requests it, checksums are put right, since a
 * fuzzer does not find them. The parts read must lie within the bytes, and are written again as the
 * same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "../../unit/capture/bytes.h"
#include "capture/read.h"
#include "capture/write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static size_t size_at(const uint8_t *data)
{
	uint32_t size;
	memcpy(&size, data, sizeof size);
	return size;
}

/* The checksum of `len` bytes into the bytes after them; false: there are none. */
static bool mend_one(uint8_t *data, size_t left, size_t len)
{
	if (len > left || left - len < CAPTURE_SUM_BYTES)
		return false;
	uint32_t sum = crc32c(0, data, len);
	memcpy(data + len, &sum, sizeof sum);
	return true;
}

static void mend(uint8_t *data, size_t size)
{
	size_t at = 0;
	if (size < CAPTURE_HEAD_BYTES)
		return;
	size_t len = CAPTURE_HEAD_BYTES + size_at(data + 12);
	while (mend_one(data + at, size - at, len)) {
		at += len + CAPTURE_SUM_BYTES;
		if (size - at < CAPTURE_ROW_BYTES)
			return;
		len = CAPTURE_ROW_BYTES + size_at(data + at);
	}
}

static void check(const struct capture_file *file, size_t size)
{
	struct buffer again = {0};
	must(file->read <= size && file->head.unit < file->head.unit_count);
	must(capture_kind_name(file->count > 0 ? file->records[0].kind : CAPTURE_END) != NULL);
	for (size_t i = 0; i < file->count; i++) {
		const struct capture_record *record = &file->records[i];
		const uint8_t *begin = file->bytes.data, *end = begin + file->bytes.len;
		must(record->data >= begin && record->len <= (size_t)(end - record->data));
		buffer_reset(&again);
		capture_write(&again, record);
		must(again.len == CAPTURE_ROW_BYTES + record->len + CAPTURE_SUM_BYTES);
		must(memcmp(again.data, record->data - CAPTURE_ROW_BYTES, again.len) == 0);
	}
	must(!file->is_whole || file->read == size);
	buffer_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct capture_file file;
	char why[CAPTURE_WHY] = "";
	if (size < 1)
		return 0;
	uint8_t *copy = malloc(size);
	if (copy == NULL)
		return 0;
	memcpy(copy, data + 1, size - 1);
	if (data[0] & 1)
		mend(copy, size - 1);
	(void)capture_are_records(copy, size - 1);
	if (capture_open_bytes(&file, copy, size - 1, why) == 0)
		check(&file, size - 1);
	else
		must(why[0] != '\0');
	capture_file_close(&file);
	free(copy);
	return 0;
}

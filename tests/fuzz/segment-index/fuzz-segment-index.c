/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an index file of arbitrary bytes. With an odd first byte its checksums are put right. An
 * accepted index must be consistent: every topic id is known, every seq has its place.
 */
#include <stdlib.h>
#include <string.h>

#include "disk.h"
#include "base/crc32c.h"
#include "base/bytes.h"
#include "journal/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER 96

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static void mend(uint8_t *file, size_t len)
{
	if (len < HEADER)
		return;
	memcpy(file, "ASYIDX1\n\1\0\0\0\x60\0\0\0", 16);
	put_le64(file + 32, 1);
	put_le64(file + 72, len - HEADER);
	put_le32(file + 80, crc32c(0, file + HEADER, len - HEADER));
	put_le32(file + 92, crc32c(0, file, 92));
}

static void put_file(struct disk *disk, const uint8_t *data, size_t len)
{
	const struct io *io = disk_io(disk);
	int fd = io->openat(io->ctx, IO_CWD, "00000000000000000001.idx", O_WRONLY | O_CREAT);
	struct iovec iov = {(void *)(uintptr_t)data, len};
	must(fd >= 0 && io_write_all(io, fd, &iov, 1, 0) == 0);
	io->close(io->ctx, fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	size_t len = size - 1;
	uint8_t *file = malloc(len + 1);
	must(file != NULL);
	memcpy(file, data + 1, len);
	if (data[0] & 1)
		mend(file, len);
	struct disk *disk = disk_create(1);
	put_file(disk, file, len);

	struct index_header header;
	struct index index = {0};
	struct topics topics = {0};
	if (index_read(&header, &index, &topics, disk_io(disk), IO_CWD, 1) == 0) {
		must(header.first_seq == 1 && header.last_seq == index.count);
		must(topics.count == header.topic_count);
		for (size_t i = 0; i < index.count; i++)
			must(index.list[i].topic == TOPIC_NONE ||
				index.list[i].topic < topics.count);
	}
	index_finish(&index);
	topics_finish(&topics);
	disk_destroy(disk);
	free(file);
	return 0;
}

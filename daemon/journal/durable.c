/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "journal/durable.h"

#define FILE_NAME "durable"
#define SUMMED    (JOURNAL_ID_TEXT - 1 + 1 + 20) /* id, space, seq */
#define LINE_SIZE (SUMMED + 1 + 8 + 1)

static void format(char text[LINE_SIZE + 1], const uint8_t *id, uint64_t seq)
{
	char name[JOURNAL_ID_TEXT];
	journal_id_format(name, id);
	snprintf(text, LINE_SIZE + 1, "%s %020" PRIu64, name, seq);
	snprintf(
		text + SUMMED, LINE_SIZE + 1 - SUMMED, " %08" PRIx32 "\n", crc32c(0, text, SUMMED));
}

uint64_t durable_read(const struct io *io, int base, const uint8_t id[JOURNAL_ID_SIZE])
{
	char text[LINE_SIZE], same[LINE_SIZE + 1];
	int fd = io->openat(io->ctx, base, FILE_NAME, O_RDONLY);
	if (fd < 0)
		return 0;
	ssize_t n = io->pread(io->ctx, fd, text, sizeof text, 0);
	io->close(io->ctx, fd);
	if (n != sizeof text)
		return 0;
	uint64_t seq = 0;
	for (int i = SUMMED - 20; i < SUMMED; i++)
		seq = seq * 10 + (uint64_t)(text[i] - '0');
	format(same, id, seq);
	return memcmp(text, same, sizeof text) == 0 ? seq : 0;
}

void durable_write(const struct io *io, int base, const uint8_t id[JOURNAL_ID_SIZE], uint64_t seq)
{
	char text[LINE_SIZE + 1];
	int fd = io->openat(io->ctx, base, FILE_NAME, O_WRONLY | O_CREAT);
	if (fd < 0)
		return;
	format(text, id, seq);
	struct iovec iov = {text, LINE_SIZE};
	io_write_all(io, fd, &iov, 1, 0);
	io->close(io->ctx, fd);
}

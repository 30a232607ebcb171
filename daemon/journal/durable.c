/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "journal/durable.h"
#include "journal/place.h"

#define FILE_NAME "durable"

static uint64_t read_seq(const struct io *io, int dir, const uint8_t *id)
{
	struct journal_place place;
	bool is_it = place_read(io, dir, FILE_NAME, &place) == 0 &&
		     memcmp(place.journal, id, JOURNAL_ID_SIZE) == 0;
	return is_it ? place.seq : 0;
}

static void format(char text[PLACE_TEXT + 1], const uint8_t *id, uint64_t seq)
{
	struct journal_place place = {.seq = seq};
	memcpy(place.journal, id, JOURNAL_ID_SIZE);
	place_format(text, &place);
}

uint64_t durable_read(const struct io *io, int base, int dir, const uint8_t id[JOURNAL_ID_SIZE])
{
	uint64_t seq = read_seq(io, base, id), left = dir < 0 ? 0 : read_seq(io, dir, id);
	return seq > left ? seq : left;
}

void durable_write(const struct io *io, int base, const uint8_t id[JOURNAL_ID_SIZE], uint64_t seq)
{
	char text[PLACE_TEXT + 1];
	int fd = io->openat(io->ctx, base, FILE_NAME, O_WRONLY | O_CREAT);
	if (fd < 0)
		return;
	format(text, id, seq);
	struct iovec iov = {text, PLACE_TEXT};
	io_write_all(io, fd, &iov, 1, 0);
	io->close(io->ctx, fd);
}

int durable_leave(const struct io *io, int dir, const uint8_t id[JOURNAL_ID_SIZE], uint64_t seq)
{
	char text[PLACE_TEXT + 1];
	format(text, id, seq);
	return io_replace(io, dir, FILE_NAME, text, PLACE_TEXT);
}

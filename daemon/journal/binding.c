/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "journal/binding.h"
#include "journal/durable.h"
#include "journal/folder.h"

/* One line: machine as a UUID, file system in 16 hex digits, folder in 20 digits, CRC-32C in hex. */
#define FILE_NAME "binding"
#define SUMMED    (JOURNAL_ID_TEXT - 1 + 1 + 16 + 1 + 20)
#define LINE_SIZE (SUMMED + 1 + 8 + 1)

static void format(char text[LINE_SIZE + 1], const struct io_identity *identity)
{
	char id[JOURNAL_ID_TEXT];
	journal_id_format(id, identity->machine);
	snprintf(text, LINE_SIZE + 1, "%s %016" PRIx64 " %020" PRIu64, id, identity->file_system,
		identity->folder);
	snprintf(
		text + SUMMED, LINE_SIZE + 1 - SUMMED, " %08" PRIx32 "\n", crc32c(0, text, SUMMED));
}

static bool read_line(const struct io *io, int dir, char text[LINE_SIZE + 1])
{
	memset(text, 0, LINE_SIZE + 1);
	int fd = io->openat(io->ctx, dir, FILE_NAME, O_RDONLY);
	if (fd < 0)
		return false;
	ssize_t n = io->pread(io->ctx, fd, text, LINE_SIZE, 0);
	io->close(io->ctx, fd);
	char sum[10];
	snprintf(sum, sizeof sum, "%08" PRIx32 "\n", crc32c(0, text, SUMMED));
	return n == LINE_SIZE && memcmp(text + SUMMED + 1, sum, 9) == 0;
}

bool binding_differs(const struct io *io, int dir, const struct io_identity *identity)
{
	char text[LINE_SIZE + 1], same[LINE_SIZE + 1];
	format(same, identity);
	return read_line(io, dir, text) && memcmp(text, same, LINE_SIZE) != 0;
}

int binding_write(const struct io *io, int dir, const struct io_identity *identity)
{
	char text[LINE_SIZE + 1], same[LINE_SIZE + 1];
	format(same, identity);
	if (read_line(io, dir, text) && memcmp(text, same, LINE_SIZE) == 0)
		return 0;
	return io_replace(io, dir, FILE_NAME, same, LINE_SIZE);
}

/* --- the second folder ----------------------------------------------------------------------- */

bool known_read(const struct journal *journal, struct journal_place *known)
{
	*known = (struct journal_place){0};
	if (journal->known < 0 ||
		folder_read_current(journal->io, journal->known, known->journal) < 0)
		return false;
	known->seq = durable_read(journal->io, journal->known, -1, known->journal);
	return true;
}

int known_write(const struct journal *journal)
{
	const struct io *io = journal->io;
	struct journal_place before;
	if (journal->known < 0)
		return 0;
	bool is_it = known_read(journal, &before) &&
		     memcmp(before.journal, journal->template.journal, JOURNAL_ID_SIZE) == 0;
	int r = is_it ? 0 : folder_write_current(io, journal->known, journal->template.journal);
	durable_write(io, journal->known, journal->template.journal, journal->durable);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/crc32c.h"
#include "journal/place.h"

#define SUMMED (JOURNAL_ID_TEXT - 1 + 1 + 20) /* id, space, seq */

void place_format(char text[PLACE_TEXT + 1], const struct journal_place *place)
{
	char id[JOURNAL_ID_TEXT];
	journal_id_format(id, place->journal);
	snprintf(text, PLACE_TEXT + 1, "%s %020" PRIu64, id, place->seq);
	snprintf(text + SUMMED, PLACE_TEXT + 1 - SUMMED, " %08" PRIx32 "\n",
		crc32c(0, text, SUMMED));
}

static int parse(struct journal_place *place, char text[PLACE_TEXT + 1])
{
	char same[PLACE_TEXT + 1];
	for (int i = SUMMED - 20; i < SUMMED; i++)
		place->seq = place->seq * 10 + (uint64_t)(text[i] - '0');
	memcpy(same, text, sizeof same);
	same[JOURNAL_ID_TEXT - 1] = '\0';
	if (journal_id_parse(place->journal, same) < 0)
		return -EBADMSG;
	place_format(same, place);
	return memcmp(text, same, PLACE_TEXT) == 0 ? 0 : -EBADMSG;
}

int place_read(const struct io *io, int dir, const char *name, struct journal_place *place)
{
	char text[PLACE_TEXT + 1] = "";
	*place = (struct journal_place){0};
	int fd = io->openat(io->ctx, dir, name, O_RDONLY);
	if (fd < 0)
		return fd;
	ssize_t n = io->pread(io->ctx, fd, text, PLACE_TEXT, 0);
	io->close(io->ctx, fd);
	if (n != PLACE_TEXT)
		return n < 0 ? (int)n : -EBADMSG;
	return parse(place, text);
}

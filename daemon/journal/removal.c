/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "journal/place.h"
#include "journal/reader.h"
#include "journal/removal.h"
#include "journal/segment.h"

int removal_note(
	const struct io *io, int dir, uint64_t first_seq, const struct journal_place *record)
{
	char name[SEGMENT_NAME_SIZE], text[PLACE_TEXT + 1];
	segment_name(name, first_seq, SEGMENT_REMOVED);
	place_format(text, record);
	return io_replace(io, dir, name, text, PLACE_TEXT);
}

static bool records(const struct journal_found *found, const struct removed_segment *segment,
	removal_entry_fn read)
{
	uint8_t journal[JOURNAL_ID_SIZE];
	uint64_t first, last;
	if (found->kind != JOURNAL_ENTRY)
		return found->kind == JOURNAL_GAP_PRUNED;
	return read(found->bytes, found->len, journal, &first, &last) == 0 &&
	       first == segment->first && last >= segment->last &&
	       memcmp(journal, segment->journal, JOURNAL_ID_SIZE) == 0;
}

bool removal_is_recorded(const struct io *io, const char *path, int dir,
	const struct removed_segment *segment, removal_entry_fn read)
{
	char name[SEGMENT_NAME_SIZE];
	struct journal_place record;
	struct journal_reader *reader;
	struct journal_found found;
	segment_name(name, segment->first, SEGMENT_REMOVED);
	if (place_read(io, dir, name, &record) < 0 ||
		journal_reader_open(&reader, io, path, record.journal, NULL) < 0)
		return false;
	journal_reader_seek(reader, record.seq);
	bool is_recorded = journal_reader_next(reader, record.seq, &found) == 1 &&
			   found.seq == record.seq && records(&found, segment, read);
	journal_reader_close(reader);
	return is_recorded;
}

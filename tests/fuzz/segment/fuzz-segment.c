/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting on a segment of arbitrary bytes. The first byte holds options; the rest is the file. If
 * it requests so, checksums are put right, since a fuzzer does not find them. For all bytes: a
 * start ends, no entry is given out that is not in the file with right checksums (computed here bit
 * by bit), and the recovered entries are there again after the next start, with an entry more.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "disk.h"
#include "entry.h"
#include "base/bytes.h"
#include "journal/inspect.h"
#include "journal/reader.h"
#include "journal/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATH "/j"
#define NOW  UINT64_C(1800000000000000000)

enum { MEND = 1, MEND_BODIES = 2, POWER_CUT = 4, INTERVAL = 8 };

static void must(bool is_true)
{
	if (!is_true)
		abort();
}

static uint32_t crc(uint32_t value, const uint8_t *data, size_t len)
{
	value = ~value;
	for (; len > 0; data++, len--) {
		value ^= *data;
		for (int bit = 0; bit < 8; bit++)
			value = value & 1 ? (value >> 1) ^ UINT32_C(0x82f63b78) : value >> 1;
	}
	return ~value;
}

static void mend(uint8_t *file, size_t len, const uint8_t *id, uint8_t choice)
{
	if (!(choice & MEND) || len < SEGMENT_HEADER_SIZE)
		return;
	struct segment_header header = {.first_seq = 1, .salt = get_le32(file + 48)};
	memcpy(header.journal, id, sizeof header.journal);
	header.sync_ms = choice & INTERVAL ? 1000 : 0;
	memset(header.boot, 0xb0, sizeof header.boot);
	memset(header.boot, 0, 4);
	segment_header_encode(file, &header);
	for (size_t at = SEGMENT_HEADER_SIZE; at + RECORD_HEADER_SIZE <= len; at += 8) {
		uint8_t *record = file + at;
		if (record[0] != 'A' || record[1] != 'E')
			continue;
		uint32_t body_len = get_le32(record + 4);
		put_le32(record + 24, crc(header.salt, record, 24));
		if ((choice & MEND_BODIES) && body_len <= len - at - RECORD_HEADER_SIZE)
			put_le32(record + 28,
				crc(get_le32(record + 24), record + RECORD_HEADER_SIZE, body_len));
	}
}

static bool stands_in_file(const struct journal_found *found, const uint8_t *file, size_t len)
{
	for (size_t at = SEGMENT_HEADER_SIZE; at + RECORD_HEADER_SIZE <= len; at += 8) {
		const uint8_t *record = file + at, *body = record + RECORD_HEADER_SIZE;
		if (memcmp(record, "AER1", 4) == 0 && get_le32(record + 4) == found->len &&
			get_le64(record + 8) == found->seq &&
			found->len <= len - at - RECORD_HEADER_SIZE &&
			memcmp(body, found->bytes, found->len) == 0 &&
			get_le32(record + 24) == crc(get_le32(file + 48), record, 24) &&
			get_le32(record + 28) == crc(get_le32(record + 24), body, found->len))
			return true;
	}
	return false;
}

static int open_journal(struct disk *disk, struct journal **journal, struct journal_report *report)
{
	struct journal_options options = {.path = PATH, .entry = entry_describe, .now = NOW};
	return journal_open(journal, disk_io(disk), &options, report);
}

/* Reads everything; with `file`, each entry must be in it. Returns the sum of the entries. */
static uint64_t read_all(
	struct disk *disk, const uint8_t *id, uint64_t upto, const uint8_t *file, size_t len)
{
	struct journal_reader *reader;
	struct journal_found found;
	uint64_t sum = 0, next = 1;
	int r;
	must(journal_reader_open(&reader, disk_io(disk), PATH, id, entry_describe) == 0);
	while ((r = journal_reader_next(reader, upto, &found)) == 1) {
		must(found.seq == next && found.to >= found.seq && found.to <= upto);
		next = found.to + 1;
		if (found.kind != JOURNAL_ENTRY)
			continue;
		must(file == NULL || stands_in_file(&found, file, len));
		sum = sum * 31 + found.seq + crc(0, found.bytes, found.len);
	}
	must(r == 0 && next == upto + 1);
	journal_reader_close(reader);
	return sum;
}

static void append_one(struct journal *journal)
{
	struct journal_item item = entry_make("t/", journal_head(journal) + 1, NOW, 40);
	must(journal_append(journal, &item, 1) == 0 && journal_sync(journal) == 0);
	entry_free(&item);
}

static const uint8_t *inspected;

static int describe(const uint8_t *bytes, size_t len, struct inspect_entry *entry)
{
	entry->journal = inspected;
	return entry_describe(
		bytes, len, &entry->topic, &entry->topic_len, &entry->seq, &entry->tc);
}

static void found(void *arg, const struct finding *finding)
{
	const size_t *len = arg;
	must(finding->from <= finding->to && finding->from_byte <= finding->to_byte);
	must(finding->to_byte <= *len && finding->text != NULL);
}

static int count_segment(void *arg, const struct journal_segment *segment)
{
	++*(size_t *)arg;
	return 0;
}

/* Inspection ends for all bytes, and finds no more entries than fit. */
static void look_on(struct disk *disk, const uint8_t *id, size_t len)
{
	uint64_t first, last;
	size_t count = 0;
	struct inspection in = {.io = disk_io(disk),
		.path = PATH,
		.id = id,
		.entry = describe,
		.found = found,
		.arg = &len};
	inspected = id;
	must(journal_inspect(&in) == 0);
	must(in.entries <= len / RECORD_HEADER_SIZE && in.bytes == len);
	must(journal_committed(disk_io(disk), PATH, id, &first, &last) == 0);
	must(journal_segments(disk_io(disk), PATH, id, count_segment, &count) == 0 && count == 1);
}

static void put_file(struct disk *disk, const uint8_t *id, const uint8_t *file, size_t len)
{
	char text[JOURNAL_ID_TEXT], path[160];
	journal_id_format(text, id);
	snprintf(path, sizeof path, PATH "/journal/%s/00000000000000000001.seg", text);
	disk_write(disk, path, file, len);
}

/* The next start finds the same again, and nothing to repair. */
static void live_on(struct disk *disk, const struct journal_report *first)
{
	struct journal *journal;
	struct journal_report report;
	uint64_t sum = read_all(disk, first->id, first->head, NULL, 0);
	must(open_journal(disk, &journal, &report) == 0);
	must(report.why == JOURNAL_CONTINUED && report.head == first->head);
	must(memcmp(report.id, first->id, JOURNAL_ID_SIZE) == 0);
	must(report.torn_bytes == 0 && report.rewritten == 0);
	append_one(journal);
	must(journal_close(journal) == 0);
	disk_reboot(disk);
	must(read_all(disk, first->id, first->head, NULL, 0) == sum);
	must(open_journal(disk, &journal, &report) == 0);
	must(report.why == JOURNAL_CONTINUED && report.head == first->head + 1);
	must(!report.unclean && report.gap_count == 0);
	must(entry_last(journal, "t/") == report.head);
	must(journal_close(journal) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal *journal;
	struct journal_report report;
	if (size < 1)
		return 0;
	log_init(0, true);
	struct disk *disk = disk_create(1);
	must(open_journal(disk, &journal, &report) == 0);
	must(journal_close(journal) == 0);
	uint8_t id[JOURNAL_ID_SIZE];
	memcpy(id, report.id, sizeof id);

	size_t len = size - 1;
	uint8_t *file = malloc(len + 1);
	must(file != NULL);
	memcpy(file, data + 1, len);
	mend(file, len, id, data[0]);
	put_file(disk, id, file, len);
	look_on(disk, id, len);
	if (data[0] & POWER_CUT)
		disk_reboot(disk);

	must(open_journal(disk, &journal, &report) == 0);
	must(journal_head(journal) == report.head);
	read_all(disk, report.id, report.head, file, len);
	must(journal_close(journal) == 0);
	live_on(disk, &report);
	free(file);
	disk_destroy(disk);
	return 0;
}

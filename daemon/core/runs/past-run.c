/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "core/runs/past-run.h"
#include "journal/reader.h"
#include "record/read.h"

int past_entry_read(const char *path, const uint8_t journal[16], uint64_t seq, struct buffer *entry)
{
	struct journal_reader *reader;
	struct journal_found found;
	buffer_reset(entry);
	int r = journal_reader_open(&reader, &io_posix, path, journal, NULL);
	if (r < 0)
		return r;
	journal_reader_seek(reader, seq);
	r = journal_reader_next(reader, seq, &found);
	if (r > 0 && found.kind == JOURNAL_ENTRY && found.seq == seq)
		buffer_append(entry, found.bytes, found.len);
	else if (r >= 0)
		r = -ENOENT;
	journal_reader_close(reader);
	return r < 0 ? r : entry->failed ? -ENOMEM : 0;
}

static void read_sample(struct past_run *past, struct reader *r)
{
	size_t pairs;
	struct assay_string key, way;
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (!assay_string_is(key, "entered"))
			read_skip(r);
		else if (read_text(r, &way) == 0 && words_find(&words_entry_way, way) > 0)
			past->entered = (enum entry_way)words_find(&words_entry_way, way);
	}
}

static void read_method(struct past_run *past, struct reader *r)
{
	size_t pairs;
	struct assay_string key;
	const uint8_t *sha256;
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (!assay_string_is(key, "sha256"))
			read_skip(r);
		else if (read_fixed(r, sizeof past->method_sha256, &sha256) == 0)
			memcpy(past->method_sha256, sha256, sizeof past->method_sha256);
	}
}

/* What the view of a record leaves out. */
static int read_more(struct past_run *past, struct assay_span body)
{
	struct reader r;
	size_t pairs;
	struct assay_string key, text = {0};
	struct assay_span set = {0}, sent = {0};
	read_init(&r, body.data, body.len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (assay_string_is(key, "sample"))
			read_sample(past, &r);
		else if (assay_string_is(key, "method"))
			read_method(past, &r);
		else if (assay_string_is(key, "x-note"))
			read_text(&r, &text);
		else if (assay_string_is(key, "x-set"))
			read_raw(&r, &set);
		else if (assay_string_is(key, "x-sent"))
			read_raw(&r, &sent);
		else
			read_skip(&r);
	}
	text_copy(past->note, sizeof past->note, text);
	buffer_append(&past->set, set.data, set.len);
	buffer_append(&past->sent, sent.data, sent.len);
	return read_finish(&r);
}

static int read_start(struct past_run *past, const struct buffer *bytes)
{
	struct assay_entry_view entry;
	struct assay_record_view record;
	if (assay_entry_read(bytes->data, bytes->len, &entry) < 0 ||
		assay_record_read(entry.body.data, entry.body.len, &record) < 0 ||
		record.type != ASSAY_RECORD_RUN_START ||
		memcmp(record.run, past->row.id, sizeof past->row.id) != 0)
		return -EBADMSG;
	text_copy(past->method, sizeof past->method, record.method);
	buffer_append(&past->settings, record.settings.data, record.settings.len);
	int r = read_more(past, entry.body);
	return past->settings.failed || past->set.failed || past->sent.failed ? -ENOMEM : r;
}

int past_run_read(struct past_run *past, const char *path, const struct runs_row *row)
{
	struct buffer entry = {0};
	*past = (struct past_run){.row = *row};
	int r = past_entry_read(path, row->journal, row->first, &entry);
	if (r == 0)
		r = read_start(past, &entry);
	buffer_finish(&entry);
	return r;
}

void past_run_finish(struct past_run *past)
{
	buffer_finish(&past->settings);
	buffer_finish(&past->set);
	buffer_finish(&past->sent);
}

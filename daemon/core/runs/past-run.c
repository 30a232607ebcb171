/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "core/runs/past-run.h"
#include "journal/reader.h"
#include "record/keys.h"

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

/* The keys that the view of a record leaves out. */
struct more {
	enum entry_way entered;
	uint8_t method_sha256[ASSAY_SHA256_SIZE];
	struct assay_string note;
	struct assay_span refs, set, sent;
};

static const struct keys sample_keys = {.open = true,
	.rows = (const struct key[]){
		{"entered", KEY_WORD, KEY_AT(struct more, entered), .words = &words_entry_way,
			.lenient = true},
		{0},
	}};

static const struct keys method_keys = {.open = true,
	.rows = (const struct key[]){
		{"sha256", KEY_COPY, KEY_AT(struct more, method_sha256)},
		{0},
	}};

static const struct keys more_keys = {.open = true,
	.rows = (const struct key[]){
		{"sample", KEY_MAP, .keys = &sample_keys},
		{"method", KEY_MAP, .keys = &method_keys},
		{"refs", KEY_RAW, KEY_AT(struct more, refs)},
		{"x-note", KEY_TEXT, KEY_AT(struct more, note)},
		{"x-set", KEY_RAW, KEY_AT(struct more, set)},
		{"x-sent", KEY_RAW, KEY_AT(struct more, sent)},
		{0},
	}};

static int read_more(struct past_run *past, struct assay_span body)
{
	struct more more = {0};
	int r = keys_decode(&more_keys, body.data, body.len, &more);
	past->entered = more.entered;
	memcpy(past->method_sha256, more.method_sha256, sizeof past->method_sha256);
	text_copy(past->note, sizeof past->note, more.note);
	buffer_append(&past->refs, more.refs.data, more.refs.len);
	buffer_append(&past->set, more.set.data, more.set.len);
	buffer_append(&past->sent, more.sent.data, more.sent.len);
	return r;
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
	bool failed = past->settings.failed || past->refs.failed || past->set.failed ||
		      past->sent.failed;
	return failed ? -ENOMEM : r;
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
	buffer_finish(&past->refs);
	buffer_finish(&past->set);
	buffer_finish(&past->sent);
}

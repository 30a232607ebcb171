/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/runs/past-run.h"
#include "core/runs/references.h"
#include "record/encode.h"
#include "record/keys.h"
#include "record/read.h"
#include "record/references.h"

static const struct keys ref_keys = {
	.rows = (const struct key[]){
		{"rel", KEY_WORD, KEY_AT(struct run_ref, rel), .words = &words_ref_kind,
			.required = true},
		{"run", KEY_FIXED, KEY_AT(struct run_ref, run), .limit = ASSAY_UUID_SIZE,
			.required = true},
		{"ctx", KEY_FIXED, KEY_AT(struct run_ref, ctx), .limit = ASSAY_SHA256_SIZE},
		{0},
	}};

int references_list(const struct buffer *refs, struct run_ref list[REFERENCES_MAX], size_t *count)
{
	struct reader r;
	size_t items;
	*count = 0;
	if (refs->len == 0)
		return 0;
	read_init(&r, refs->data, refs->len);
	read_array(&r, &items);
	if (items == 0 || items > REFERENCES_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < items; i++) {
		list[i] = (struct run_ref){0};
		if (keys_read(&r, &ref_keys, &list[i], NULL) < 0)
			return -EBADMSG;
	}
	*count = items;
	return read_finish(&r);
}

/* --- raw blocks ------------------------------------------------------------------------------- */

struct reading {
	const char *path;
	struct buffer blocks, entry;
	size_t count;
	char *text;
	size_t size;
};

static int __attribute__((format(printf, 3, 4)))
refuse(struct reading *p, int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(p->text, p->size, format, args);
	va_end(args);
	return error;
}

/* Reads the entry `seq` of the run's journal: its frame (-EINVAL: of another kind), and its prev. */
static int read_frame(struct reading *p, const struct runs_row *row, uint64_t seq,
	struct assay_frame_view *frame, uint64_t *prev)
{
	struct assay_entry_view entry;
	int r = past_entry_read(p->path, row->journal, seq, &p->entry);
	if (r == 0)
		r = assay_entry_read(p->entry.data, p->entry.len, &entry);
	if (r < 0)
		return r;
	*prev = entry.prev;
	r = assay_frame_read(entry.body.data, entry.body.len, frame);
	bool is_final = r == 0 && !frame->partial &&
			memcmp(frame->record.run, row->id, sizeof row->id) == 0;
	return r == 0 && !is_final ? -EINVAL : r;
}

/* From the run-end back, over the entries of its topic: amends of others may be among them. */
static int add_run(struct reading *p, const struct runs_row *row)
{
	struct assay_frame_view frame;
	uint64_t seq = row->last;
	int r = -EINVAL;
	if (row->status[0] == '\0')
		return refuse(p, -EBUSY, "%s, which it refers to, is still open", row->number);
	while (r == -EINVAL && seq > row->first)
		r = read_frame(p, row, seq, &frame, &seq);
	if (r == -EINVAL)
		return refuse(p, -ENOENT, "%s, which it refers to, has no frame", row->number);
	if (r == 0)
		r = references_add(&p->blocks, &p->count, frame.raw);
	if (r == -ENODATA)
		return refuse(p, r,
			"%s, which it refers to, was recorded without raw bytes (`raw` of its "
			"instrument)",
			row->number);
	if (r == -EMSGSIZE)
		return refuse(
			p, r, "the runs that it refers to have more than 16 MiB of raw bytes");
	if (r < 0)
		return refuse(p, r, "%s, which it refers to, cannot be read: %s", row->number,
			strerror(-r));
	return 0;
}

int references_read(struct runs *rows, const char *path, const struct buffer *refs,
	struct buffer *out, char *text, size_t size)
{
	struct run_ref list[REFERENCES_MAX];
	struct reading p = {.path = path, .text = text, .size = size};
	size_t count;
	int r = references_list(refs, list, &count);
	if (r < 0)
		return refuse(&p, r, "refs must be a list of {rel, run}: see the frame format");
	for (size_t i = 0; i < count && r == 0; i++) {
		struct runs_search search = {.id = list[i].run};
		struct runs_row row;
		if (!references_has(list[i].rel))
			continue;
		r = runs_search(rows, &search, &row) != 0
			    ? add_run(&p, &row)
			    : refuse(&p, -ENOENT,
				      "the run that it refers to as %s is not in the journal",
				      words_name(&words_ref_kind, (int)list[i].rel));
	}
	if (r == 0 && p.count > 0) {
		encode_array(out, p.count);
		encode_raw(out, p.blocks.data, p.blocks.len);
		r = out->failed ? -ENOMEM : 0;
	}
	buffer_finish(&p.blocks);
	buffer_finish(&p.entry);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "formats.h"

#define PIECE      (16u << 10)
#define FRAMES_MAX (1u << 20)

void frames_finish(struct frames *f)
{
	tiling_finish(&f->rest);
}

/* The next frame of the format, checked: 1, 0 or an error. */
static int next_plan(struct frames *f, bool rewind)
{
	uint64_t bytes = 0;
	f->plan = (struct format_plan){.part = NULL};
	int r = f->format != NULL ? f->format->next(f->s, f->state, rewind, &f->plan) : 0;
	if (r <= 0)
		return r;
	if (f->plan.count == 0 || f->plan.count > FORMAT_SLICES)
		return -EBADMSG;
	for (unsigned i = 0; i < f->plan.count; i++) {
		if (f->plan.slice[i].len > FRAMES_BYTES - bytes)
			return -EBADMSG;
		bytes += f->plan.slice[i].len;
	}
	return 1;
}

/* Whether the rest fits behind the blocks of the first frame. */
static bool fits_first(const struct frames *f, uint64_t bytes, size_t blocks)
{
	for (size_t i = 0; i < f->rest.count; i++) {
		uint64_t len = f->rest.spans[i].end - f->rest.spans[i].offset;
		if (len > FRAMES_BYTES - bytes)
			return false;
		bytes += len;
	}
	return f->rest.count <= FRAMES_BLOCKS - blocks;
}

int frames_plan(struct frames *f, struct source *s, const struct format *format, void *state,
	const char *label, const char *rest_part)
{
	*f = (struct frames){.s = s,
		.format = format,
		.state = state,
		.label = label,
		.rest_part = rest_part,
		.is_first = true};
	uint64_t first_bytes = 0;
	size_t first_blocks = 0;
	int r;
	for (unsigned n = 0; (r = next_plan(f, n == 0)) > 0; n++) {
		for (unsigned i = 0; i < f->plan.count; i++) {
			r = tiling_add(&f->rest, s, &f->plan.slice[i]);
			if (r < 0)
				return r;
			first_bytes += n == 0 ? f->plan.slice[i].len : 0;
		}
		first_blocks = n == 0 ? f->plan.count : first_blocks;
		if (n == FRAMES_MAX)
			return -EBADMSG;
	}
	if (r == 0)
		r = tiling_turn(&f->rest, s);
	if (r == 0)
		r = next_plan(f, true);
	f->has_plan = r > 0;
	f->is_rest_with_first = f->has_plan && fits_first(f, first_bytes, first_blocks);
	return r < 0 ? r : 0;
}

/* PATH@OFFSET; of a path that does not fit, its end. */
static void name_block(char name[FRAMES_NAME], const char *path, uint64_t offset)
{
	char place[24];
	int n = snprintf(place, sizeof place, "@%llu", (unsigned long long)offset);
	size_t len = strlen(path), room = FRAMES_NAME - 1 - (size_t)n;
	const char *from = len <= room ? path : path + (len - room);
	while (len > room && ((unsigned char)*from & 0xc0) == 0x80) /* a whole character */
		from++;
	snprintf(name, FRAMES_NAME, "%s%s", from, place);
}

static int add_block(struct frames *f, struct assay_raw *raw, const char *media, unsigned file,
	uint64_t offset, uint64_t len)
{
	char name[FRAMES_NAME];
	name_block(name, f->s->file[file].path, offset);
	int r = assay_raw_open(raw, media, name);
	while (r == 0 && len > 0) {
		uint8_t piece[PIECE];
		size_t n = len < PIECE ? (size_t)len : PIECE;
		r = f->s->read(f->s, file, offset, piece, n);
		if (r == 0)
			r = assay_raw_append(raw, piece, n);
		offset += n;
		len -= n;
	}
	return r == 0 ? assay_raw_close(raw) : r;
}

/* As much of the rest as a frame can have, or all of it behind other blocks. */
static int add_rest(struct frames *f, struct assay_raw *raw)
{
	char media[FORMATS_MEDIA];
	uint64_t bytes = 0;
	formats_write_media(media, f->label, f->rest_part);
	for (size_t blocks = 0; f->at < f->rest.count && blocks < FRAMES_BLOCKS; blocks++) {
		struct span *span = &f->rest.spans[f->at];
		uint64_t len = span->end - span->offset;
		bool is_cut = len > FRAMES_BYTES - bytes;
		len = is_cut ? FRAMES_BYTES - bytes : len;
		if (is_cut && len == 0)
			break;
		int r = add_block(f, raw, media, span->file, span->offset, len);
		if (r < 0)
			return r;
		bytes += len;
		span->offset += len;
		f->at += !is_cut;
	}
	return 0;
}

int frames_take(struct frames *f, struct assay_raw *raw)
{
	int r = 0;
	if (f->has_plan) {
		char media[FORMATS_MEDIA];
		formats_write_media(media, f->format->name, f->plan.part);
		for (unsigned i = 0; i < f->plan.count && r == 0; i++)
			r = add_block(f, raw, media, f->plan.slice[i].file, f->plan.slice[i].offset,
				f->plan.slice[i].len);
		if (r == 0 && f->is_first && f->is_rest_with_first)
			r = add_rest(f, raw);
		if (r == 0)
			r = next_plan(f, false);
		f->has_plan = r > 0;
	} else {
		r = add_rest(f, raw);
	}
	f->is_first = false;
	return r < 0 ? r : f->has_plan || f->at < f->rest.count;
}

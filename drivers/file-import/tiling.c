/* SPDX-License-Identifier: Apache-2.0 */
#include "tiling.h"

#include <errno.h>
#include <stdlib.h>

#include "bytes.h"

#define SPANS_MAX (4u << 20)

void tiling_finish(struct tiling *t)
{
	free(t->spans);
	*t = (struct tiling){.spans = NULL};
}

static int by_place(const void *a, const void *b)
{
	const struct span *x = a, *y = b;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Sorts the spans, and joins those that touch. */
static void join(struct tiling *t)
{
	size_t kept = 0;
	if (t->count > 0)
		qsort(t->spans, t->count, sizeof *t->spans, by_place);
	for (size_t i = 0; i < t->count; i++) {
		struct span *last = kept > 0 ? &t->spans[kept - 1] : NULL;
		const struct span *span = &t->spans[i];
		if (last == NULL || last->file != span->file || span->offset > last->end)
			t->spans[kept++] = *span;
		else if (span->end > last->end)
			last->end = span->end;
	}
	t->count = kept;
}

static int make_room(struct tiling *t)
{
	if (t->count < t->size)
		return 0;
	join(t);
	if (t->count <= t->size / 2 && t->count < t->size)
		return 0;
	size_t size = t->size == 0 ? 256 : 2 * t->size;
	if (size > SPANS_MAX)
		return -EBADMSG;
	void *more = realloc(t->spans, size * sizeof *t->spans);
	if (more == NULL)
		return -ENOMEM;
	t->spans = more;
	t->size = size;
	return 0;
}

int tiling_add(struct tiling *t, const struct source *s, const struct format_slice *slice)
{
	if (slice->file >= s->files ||
		!bytes_fit(slice->offset, slice->len, s->file[slice->file].size))
		return -EBADMSG;
	struct span *last = t->count > 0 ? &t->spans[t->count - 1] : NULL;
	if (last != NULL && last->file == slice->file && last->end == slice->offset) {
		last->end += slice->len;
		return 0;
	}
	int r = make_room(t);
	if (r == 0)
		t->spans[t->count++] = (struct span){
			slice->file, slice->offset, slice->offset + slice->len};
	return r;
}

int tiling_turn(struct tiling *t, const struct source *s)
{
	struct tiling in = *t;
	join(&in);
	*t = (struct tiling){.size = in.count + s->files};
	t->spans = calloc(t->size, sizeof *t->spans);
	int r = t->spans != NULL ? 0 : -ENOMEM;
	size_t i = 0;
	for (unsigned file = 0; file < s->files && r == 0; file++) {
		uint64_t at = 0, size = s->file[file].size;
		bool is_named = false;
		for (; i < in.count && in.spans[i].file == file; i++) {
			if (in.spans[i].offset > at)
				t->spans[t->count++] = (struct span){file, at, in.spans[i].offset};
			at = in.spans[i].end;
			is_named = true;
		}
		if (at < size || !is_named)
			t->spans[t->count++] = (struct span){file, at, size};
	}
	free(in.spans);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A window with the byte at `offset`, which is a multiple of its size: 0 or an error. */
static int fill(struct set *set, struct set_window *w, unsigned file, uint64_t offset)
{
	uint64_t left = set->files[file].size - offset;
	size_t wanted = left < SET_WINDOW ? (size_t)left : SET_WINDOW;
	w->used = 0;
	w->len = 0;
	while (w->len < wanted) {
		ssize_t n = assay_folder_read(
			set->ins, file, offset + w->len, w->bytes + w->len, wanted - w->len);
		if (n < 0)
			return (int)n;
		if (n == 0)
			return -EAGAIN; /* shorter than it was */
		w->len += (size_t)n;
	}
	w->file = file;
	w->offset = offset;
	return 0;
}

static int find(struct set *set, unsigned file, uint64_t offset, struct set_window **found)
{
	struct set_window *oldest = &set->windows[0];
	int r = 0;
	for (unsigned i = 0; i < SET_WINDOWS; i++) {
		struct set_window *w = &set->windows[i];
		if (w->used > 0 && w->file == file && w->offset == offset) {
			oldest = w;
			break;
		}
		if (w->used < oldest->used)
			oldest = w;
	}
	if (oldest->used == 0 || oldest->file != file || oldest->offset != offset)
		r = fill(set, oldest, file, offset);
	if (r == 0)
		oldest->used = ++set->reads;
	*found = oldest;
	return r;
}

static int read_set(struct source *s, unsigned file, uint64_t offset, void *to, size_t len)
{
	struct set *set = (struct set *)(void *)s;
	uint8_t *at = to;
	if (file >= s->files || offset > s->file[file].size || len > s->file[file].size - offset)
		return -ENODATA;
	while (len > 0) {
		struct set_window *w;
		int r = find(set, file, offset - offset % SET_WINDOW, &w);
		if (r < 0)
			return r;
		size_t from = (size_t)(offset - w->offset), n = w->len - from;
		n = n < len ? n : len;
		memcpy(at, w->bytes + from, n);
		at += n;
		offset += n;
		len -= n;
	}
	return 0;
}

/* The path below the data set: of a single file its name. */
static const char *path_in(const struct assay_folder_set *of, const char *path)
{
	size_t len = strlen(of->path);
	if (of->is_folder && strncmp(path, of->path, len) == 0 && path[len] == '/')
		return path + len + 1;
	const char *slash = strrchr(path, '/');
	return !of->is_folder && slash != NULL ? slash + 1 : path;
}

static int list_file(struct set *set, unsigned i)
{
	struct assay_folder_file file;
	int r = assay_folder_file(set->ins, i, &file);
	if (r < 0)
		return r;
	set->files[i].path = strdup(path_in(&set->of, file.path));
	set->files[i].size = file.size;
	return set->files[i].path == NULL ? -ENOMEM : 0;
}

int set_open(struct set *set, struct assay_instrument *ins)
{
	const char *slash = strrchr(set->of.path, '/');
	set->ins = ins;
	set->reads = 0;
	for (unsigned i = 0; i < SET_WINDOWS; i++)
		set->windows[i].used = 0;
	set->files = calloc(set->of.files, sizeof *set->files);
	if (set->files == NULL)
		return -ENOMEM;
	set->source = (struct source){.files = set->of.files,
		.file = set->files,
		.is_folder = set->of.is_folder,
		.name = slash != NULL ? slash + 1 : set->of.path,
		.settings = ins->settings,
		.read = read_set};
	int r = 0;
	for (unsigned i = 0; i < set->of.files && r == 0; i++)
		r = list_file(set, i);
	return r;
}

void set_close(struct set *set)
{
	for (unsigned i = 0; set->files != NULL && i < set->source.files; i++)
		free((char *)(uintptr_t)set->files[i].path);
	free(set->files);
	set->files = NULL;
	set->source.files = 0;
}

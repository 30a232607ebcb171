/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct assay_driver *const assay_driver;

static struct import *import_of(struct host *h)
{
	return h->device_data;
}

static struct import *import_of_source(struct source *s)
{
	return (struct import *)(void *)s;
}

/* --- the memory source ------------------------------------------------------------------------ */

static int read_memory(struct source *s, unsigned file, uint64_t offset, void *to, size_t len)
{
	struct import *im = import_of_source(s);
	if (file >= s->files)
		return -ENODATA;
	const struct import_file *f = &im->files[file];
	if (offset > f->len || len > f->len - offset)
		return -ENODATA;
	if (len > 0)
		memcpy(to, f->data + offset, len);
	im->reads += len;
	return 0;
}

/* --- the link --------------------------------------------------------------------------------- */

static void make_path(char path[ASSAY_FOLDER_PATH], const struct import *im, unsigned file)
{
	if (im->is_folder)
		snprintf(path, ASSAY_FOLDER_PATH, "%s/%s", im->name, im->files[file].path);
	else
		snprintf(path, ASSAY_FOLDER_PATH, "%s", im->name);
}

static int play_next(struct host *h, struct assay_folder_set *set)
{
	struct import *im = import_of(h);
	if (im->is_offered || im->source.files == 0)
		return -ETIMEDOUT;
	im->is_offered = true;
	*set = (struct assay_folder_set){.is_folder = im->is_folder, .files = im->source.files};
	snprintf(set->path, sizeof set->path, "%s", im->name);
	for (unsigned i = 0; i < im->source.files; i++)
		set->size += im->files[i].len;
	return 0;
}

static int play_file(struct host *h, unsigned index, struct assay_folder_file *file)
{
	struct import *im = import_of(h);
	if (index >= im->source.files)
		return -EINVAL;
	*file = (struct assay_folder_file){.size = im->files[index].len};
	make_path(file->path, im, index);
	return 0;
}

static ssize_t play_read(struct host *h, unsigned index, uint64_t offset, void *to, size_t size)
{
	struct import *im = import_of(h);
	if (index >= im->source.files || im->verdict != 0)
		return -EINVAL;
	const struct import_file *f = &im->files[index];
	if (offset >= f->len)
		return 0;
	size = size < f->len - offset ? size : f->len - (size_t)offset;
	memcpy(to, f->data + offset, size);
	return (ssize_t)size;
}

static int play_end(struct host *h, enum assay_folder_verdict verdict)
{
	struct import *im = import_of(h);
	if (im->verdict != 0)
		host_bug("a data set that has ended ends again");
	im->verdict = verdict;
	return 0;
}

/* --- life ------------------------------------------------------------------------------------- */

struct import *import_create(const char *technique, const char *name)
{
	struct import *im = calloc(1, sizeof *im);
	if (im == NULL)
		abort();
	snprintf(im->name, sizeof im->name, "%s", name);
	size_t len = strlen(im->name);
	if (len > 0 && im->name[len - 1] == '/') {
		im->is_folder = true;
		im->name[len - 1] = '\0';
	}
	const char *slash = strrchr(im->name, '/');
	im->source = (struct source){.file = im->list,
		.is_folder = im->is_folder,
		.name = slash != NULL ? slash + 1 : im->name,
		.read = read_memory};
	im->host = host_create(assay_driver, ASSAY_LINK_FOLDER);
	im->source.settings = im->host->ins.settings;
	im->host->technique = technique;
	im->host->device_data = im;
	im->host->folder_next = play_next;
	im->host->folder_file = play_file;
	im->host->folder_read = play_read;
	im->host->folder_end = play_end;
	return im;
}

void import_destroy(struct import *im)
{
	im->host->driver->close(&im->host->ins);
	host_destroy(im->host);
	for (unsigned i = 0; i < im->source.files; i++) {
		free(im->files[i].data);
		free(im->files[i].seen);
	}
	free(im);
}

void import_add(struct import *im, const char *path, const void *data, size_t len)
{
	unsigned i = 0;
	path = path != NULL ? path : im->source.name;
	while (i < im->source.files && strcmp(im->files[i].path, path) != 0)
		i++;
	if (i == IMPORT_FILES)
		host_bug("more than %d files", IMPORT_FILES);
	struct import_file *f = &im->files[i];
	free(f->data);
	free(f->seen);
	snprintf(f->path, sizeof f->path, "%s", path);
	f->data = malloc(len + 1);
	f->seen = calloc(1, len + 1);
	if (f->data == NULL || f->seen == NULL)
		abort();
	if (len > 0)
		memcpy(f->data, data, len);
	f->len = len;
	im->list[i] = (struct source_file){.path = f->path, .size = len};
	im->source.files = i == im->source.files ? i + 1 : im->source.files;
}

/* --- the format alone ------------------------------------------------------------------------- */

int import_look(struct import *im, const struct format *format)
{
	im->facts = (struct format_facts){.sample = ""};
	if (!format->fits(&im->source))
		return FORMAT_FOREIGN;
	void *state = calloc(1, format->state_size + 1);
	if (state == NULL)
		abort();
	int r = format->look(&im->source, state, &im->facts);
	free(state);
	return r;
}

/* --- the driver ------------------------------------------------------------------------------- */

bool import_start(struct import *im)
{
	struct host *h = im->host;
	im->is_offered = im->is_last = false;
	im->verdict = 0;
	im->frames = 0;
	for (unsigned i = 0; i < im->source.files; i++)
		memset(im->files[i].seen, 0, im->files[i].len);
	int r = h->driver->start(&h->ins);
	if (r != 0 && r != -EAGAIN)
		host_bug("start() returned %d: %s", r, h->explained);
	if (r == 0 && !h->has_begun)
		host_bug("a run that has not begun");
	return r == 0;
}

void import_see(struct import *im, const struct assay_bytes *block)
{
	const char *at = strrchr(block->name, '@');
	char *end = NULL;
	unsigned long long offset = at != NULL ? strtoull(at + 1, &end, 10) : 0;
	unsigned i = 0;
	if (at == NULL || end == at + 1 || *end != '\0')
		host_bug("'%s' is no name of a block", block->name);
	size_t len = (size_t)(at - block->name);
	while (i < im->source.files && (strlen(im->files[i].path) != len ||
					       memcmp(im->files[i].path, block->name, len) != 0))
		i++;
	if (i == im->source.files)
		host_bug("'%s': there is no such file", block->name);
	struct import_file *f = &im->files[i];
	if (offset > f->len || block->len > f->len - offset ||
		memcmp(f->data + offset, block->data, block->len) != 0)
		host_bug("'%s': %zu bytes that are not those of the file", block->name, block->len);
	memset(f->seen + offset, 1, block->len);
}

void import_expect_all_seen(const struct import *im)
{
	for (unsigned i = 0; i < im->source.files; i++) {
		const uint8_t *gap = memchr(im->files[i].seen, 0, im->files[i].len);
		if (gap != NULL)
			host_bug("%s: byte %zd is in no raw block", im->files[i].path,
				gap - im->files[i].seen);
	}
}

static void check_frame(const struct host *h)
{
	bool is_damaged = host_has_reason(h, "file-damaged");
	if (is_damaged && (h->frame.var_count != 1 || host_find(h, "file_bytes") == NULL))
		host_bug("decode() of a format failed after it had added variables");
	if (h->frame.failed)
		host_bug("a variable broke the format");
}

bool import_frame(struct import *im)
{
	struct host *h = im->host;
	if (im->is_last)
		return false;
	h->raw.count = h->raw.total = 0;
	h->raw.is_open = false;
	int r = h->driver->acquire(&h->ins, &h->raw.handle);
	if (r != ASSAY_FRAME && r != ASSAY_LAST)
		host_bug("acquire() returned %d: %s", r, h->explained);
	im->is_last = r == ASSAY_LAST;
	if (im->is_last != (im->verdict == ASSAY_FOLDER_TAKEN))
		host_bug("the last frame and the end of the data set are not the same");
	im->frames++;
	for (size_t i = 0; i < h->raw.count; i++)
		import_see(im, &h->raw.blocks[i]);
	r = host_decode(h);
	if (r < 0)
		host_bug("decode() returned %d: %s", r, h->explained);
	check_frame(h);
	if (im->is_last) {
		import_expect_all_seen(im);
		h->driver->stop(&h->ins);
	}
	return true;
}

unsigned import_all(struct import *im)
{
	if (!import_start(im))
		return 0;
	while (import_frame(im))
		;
	return im->frames;
}

/* --- fuzzing ---------------------------------------------------------------------------------- */

static void add_list(struct import *im, const uint8_t *data, size_t size)
{
	while (size > 0 && im->source.files < IMPORT_FILES) {
		const uint8_t *end = memchr(data, 0, size);
		size_t path = end != NULL ? (size_t)(end - data) : size;
		/* The link shows each byte that is no text as '?', and a block's name has room for 90. */
		for (size_t i = 0; i < path; i++)
			if (data[i] < ' ' || data[i] > '~')
				return;
		if (path == 0 || path > 90 || size - path < 5)
			return;
		const uint8_t *n = end + 1;
		size_t len = n[0] | (size_t)n[1] << 8 | (size_t)n[2] << 16 | (size_t)n[3] << 24;
		size_t left = size - path - 5;
		len = len < left ? len : left;
		import_add(im, (const char *)data, n + 4, len);
		data += path + 5 + len;
		size -= path + 5 + len;
	}
}

int import_fuzz(const struct format *format, const char *name, const uint8_t *data, size_t size)
{
	char technique[32] = "ftir";
	if (format != NULL)
		snprintf(technique, sizeof technique, "%.*s", (int)strcspn(format->techniques, " "),
			format->techniques);
	struct import *im = import_create(technique, name);
	im->host->quiet = true;
	if (format != NULL)
		host_set(im->host, "format", format->name);
	if (im->is_folder)
		add_list(im, data, size);
	else
		import_add(im, NULL, data, size);
	if (im->source.files > 0) {
		if (format != NULL)
			import_look(im, format);
		import_all(im);
	}
	import_destroy(im);
	return 0;
}

/* --- sample files ----------------------------------------------------------------------------- */

uint8_t *import_sample(const char *path, size_t *len)
{
	char name[1024];
	const char *top = getenv("ASSAY_SAMPLES");
	snprintf(name, sizeof name, "%s/%s", top != NULL ? top : ".", path);
	FILE *file = top != NULL ? fopen(name, "rb") : NULL;
	if (file == NULL) {
		printf("%s is not there\n", name);
		return NULL;
	}
	fseek(file, 0, SEEK_END);
	*len = (size_t)ftell(file);
	rewind(file);
	uint8_t *data = malloc(*len + 1);
	if (data == NULL || fread(data, 1, *len, file) != *len)
		host_bug("%s cannot be read", name);
	fclose(file);
	return data;
}

static void expect_not_whole(
	struct import *im, const struct format *format, const char *how, size_t at)
{
	if (import_look(im, format) == FORMAT_WHOLE)
		host_bug("%s: %s at %zu, and it is whole", im->name, how, at);
}

void import_cut(const struct format *format, const char *technique, const char *name,
	const uint8_t *data, size_t len, size_t cuts, size_t slack)
{
	uint8_t *copy = malloc(len + 1);
	if (copy == NULL)
		abort();
	for (size_t i = 0; i <= cuts; i++) {
		size_t at = i == cuts ? len - 1 : (size_t)((double)len * (double)i / (double)cuts);
		if (at + slack >= len)
			continue;
		struct import *im = import_create(technique, name);
		import_add(im, NULL, data, at);
		expect_not_whole(im, format, "cut", at);
		memset(copy, 0, len);
		memcpy(copy, data, at);
		if (memcmp(copy, data, len) != 0) {
			import_add(im, NULL, copy, len);
			expect_not_whole(im, format, "zeros", at);
		}
		import_destroy(im);
	}
	free(copy);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "config/errors.h"
#include "config/source.h"
#include "config/yaml.h"

#define HEAD     "assayd-configuration 1\n"
#define END_SIZE 13 /* "end 01234567\n" */

static struct source_text *find(const struct source *source, const char *path)
{
	struct source_text *text = source->first;
	while (text != NULL && strcmp(text->path, path) != 0)
		text = text->next;
	return text;
}

static void note(
	struct source *source, const char *path, struct assay_span bytes, struct arena *arena)
{
	struct source_text *text = arena_alloc(arena, sizeof *text);
	if (text == NULL)
		return;
	text->path = path;
	text->text = bytes;
	if (source->last != NULL)
		source->last->next = text;
	else
		source->first = text;
	source->last = text;
}

struct node *source_load(
	struct source *source, const char *path, struct arena *arena, struct config_errors *errors)
{
	struct source_text *have = find(source, path);
	struct assay_span text = {0};
	path = have != NULL ? have->path : arena_text(arena, path, strlen(path));
	if (have != NULL)
		text = have->text;
	else if (source->is_saved)
		errors_add(errors, (struct config_mark){path, 1, 1}, "the file was not saved");
	else if (yaml_read(path, arena, errors, &text))
		note(source, path, text, arena);
	if (text.data == NULL)
		return NULL;
	return yaml_parse((const char *)text.data, text.len, path, arena, errors);
}

int source_access(const struct source *source, const char *path, int mode)
{
	if (!source->is_saved)
		return access(path, mode);
	if (find(source, path) != NULL)
		return 0;
	errno = ENOENT;
	return -1;
}

/* --- all texts as one -------------------------------------------------------------------------- */

static void append(struct buffer *out, const char *text)
{
	buffer_append(out, text, strlen(text));
}

void source_format(const struct source *source, struct buffer *out)
{
	size_t begin = out->len;
	append(out, HEAD);
	for (const struct source_text *text = source->first; text != NULL; text = text->next) {
		char size[40];
		snprintf(size, sizeof size, "file %zu ", text->text.len);
		append(out, size);
		append(out, text->path);
		append(out, "\n");
		buffer_append(out, text->text.data, text->text.len);
		append(out, "\n");
	}
	if (out->failed)
		return;
	char end[END_SIZE + 1];
	snprintf(end, sizeof end, "end %08" PRIx32 "\n",
		crc32c(0, out->data + begin, out->len - begin));
	append(out, end);
}

/* Takes "file SIZE PATH\nTEXT\n" off the front. */
static int take_text(struct source *source, struct assay_span *bytes, struct arena *arena)
{
	const char *at = (const char *)bytes->data, *line = memchr(at, '\n', bytes->len);
	if (line == NULL || bytes->len < 5 || memcmp(at, "file ", 5) != 0)
		return -EBADMSG;
	size_t size = 0;
	for (at += 5; at < line && *at >= '0' && *at <= '9' && size <= YAML_BYTES_MAX; at++)
		size = size * 10 + (size_t)(*at - '0');
	const char *path = at + 1;
	size_t left = bytes->len - (size_t)(line + 1 - (const char *)bytes->data);
	if (path >= line || *at != ' ' || memchr(path, '\0', (size_t)(line - path)) != NULL ||
		size >= left || line[1 + size] != '\n')
		return -EBADMSG;
	path = arena_text(arena, path, (size_t)(line - path));
	const void *text = arena_copy(arena, line + 1, size);
	note(source, path, (struct assay_span){text, size}, arena);
	*bytes = (struct assay_span){(const uint8_t *)line + 2 + size, left - size - 1};
	return arena->failed ? -ENOMEM : 0;
}

int source_parse(struct source *source, struct assay_span bytes, struct arena *arena)
{
	char end[END_SIZE + 1];
	size_t head = strlen(HEAD);
	if (bytes.len < head + END_SIZE || memcmp(bytes.data, HEAD, head) != 0)
		return -EBADMSG;
	bytes.len -= END_SIZE;
	snprintf(end, sizeof end, "end %08" PRIx32 "\n", crc32c(0, bytes.data, bytes.len));
	if (memcmp(bytes.data + bytes.len, end, END_SIZE) != 0)
		return -EBADMSG;
	bytes = (struct assay_span){bytes.data + head, bytes.len - head};
	int r = bytes.len > 0 ? 0 : -EBADMSG;
	while (r == 0 && bytes.len > 0)
		r = take_text(source, &bytes, arena);
	source->is_saved = true;
	return r;
}

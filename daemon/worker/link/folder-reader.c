/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/link/folder-reader.h"

static int copy_chunks(struct folder_reader *reader, const struct folder_chunks *chunks)
{
	size_t count = chunks->count + 1; /* no allocation of 0 bytes */
	reader->chunks.digest = malloc(count * sizeof *chunks->digest);
	reader->is_read = calloc(count, sizeof *reader->is_read);
	if (reader->chunks.digest == NULL || reader->is_read == NULL)
		return -ENOMEM;
	if (chunks->count > 0)
		memcpy(reader->chunks.digest, chunks->digest,
			chunks->count * sizeof *chunks->digest);
	reader->chunks.count = reader->chunks.room = chunks->count;
	return 0;
}

int folder_reader_open(struct folder_reader *reader, const struct folder_tree *tree,
	struct folder_files *files, const struct folder_chunks *chunks, size_t chunk)
{
	*reader = (struct folder_reader){.tree = tree, .files = *files, .chunk = chunk, .fd = -1};
	*files = (struct folder_files){NULL, 0};
	size_t count = 0;
	reader->first = calloc(reader->files.count + 1, sizeof *reader->first);
	reader->bytes = malloc(READER_CHUNKS * chunk);
	if (reader->first == NULL || reader->bytes == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < reader->files.count; i++) {
		uint64_t size = reader->files.at[i].item.size;
		reader->first[i] = count;
		count += (size_t)(size / chunk + (size % chunk > 0));
	}
	return count == chunks->count ? copy_chunks(reader, chunks) : -EAGAIN;
}

void folder_reader_close(struct folder_reader *reader)
{
	if (reader->tree != NULL && reader->fd >= 0)
		close(reader->fd);
	folder_files_finish(&reader->files);
	folder_chunks_finish(&reader->chunks);
	free(reader->first);
	free(reader->is_read);
	free(reader->bytes);
	*reader = (struct folder_reader){.fd = -1};
}

static int open_file(struct folder_reader *reader, size_t file)
{
	if (reader->fd >= 0 && reader->file == file)
		return 0;
	if (reader->fd >= 0)
		close(reader->fd);
	reader->fd = folder_tree_read(reader->tree, reader->files.at[file].path);
	reader->file = file;
	return reader->fd < 0 ? reader->fd : 0;
}

/* Reads a chunk of a file into a place of the memory, if it is the one that was hashed. */
static int load(struct folder_reader *reader, size_t file, size_t chunk, unsigned place)
{
	uint64_t offset = (uint64_t)(chunk - reader->first[file]) * reader->chunk;
	uint64_t left = reader->files.at[file].item.size - offset;
	size_t len = left < reader->chunk ? (size_t)left : reader->chunk;
	uint8_t *to = reader->bytes + place * reader->chunk, digest[SHA256_BYTES];
	reader->cached[place].used = 0;
	int r = open_file(reader, file);
	for (size_t have = 0; r == 0 && have < len;) {
		ssize_t n = pread(reader->fd, to + have, len - have, (off_t)(offset + have));
		have += n > 0 ? (size_t)n : 0;
		r = n < 0 ? -errno : n == 0 ? -EAGAIN : 0;
	}
	if (r == 0)
		r = sha256(to, len, digest);
	if (r < 0)
		return r;
	if (memcmp(digest, reader->chunks.digest[chunk], sizeof digest) != 0)
		return -EAGAIN;
	reader->is_read[chunk] = true;
	reader->cached[place].chunk = chunk;
	reader->cached[place].len = len;
	return 0;
}

/* The place of a chunk in memory, or a negative errno. */
static int find(struct folder_reader *reader, size_t file, size_t chunk)
{
	unsigned place = 0;
	for (unsigned i = 0; i < READER_CHUNKS; i++) {
		if (reader->cached[i].used > 0 && reader->cached[i].chunk == chunk) {
			reader->cached[i].used = ++reader->reads;
			return (int)i;
		}
		if (reader->cached[i].used < reader->cached[place].used)
			place = i;
	}
	int r = load(reader, file, chunk, place);
	if (r < 0)
		return r;
	reader->cached[place].used = ++reader->reads;
	return (int)place;
}

ssize_t folder_reader_read(
	struct folder_reader *reader, size_t file, uint64_t offset, void *to, size_t size)
{
	if (offset >= reader->files.at[file].item.size || size == 0)
		return 0;
	size_t chunk = reader->first[file] + (size_t)(offset / reader->chunk);
	int place = find(reader, file, chunk);
	if (place < 0)
		return place;
	size_t from = (size_t)(offset % reader->chunk), left = reader->cached[place].len - from;
	size = size < left ? size : left;
	memcpy(to, reader->bytes + (size_t)place * reader->chunk + from, size);
	return (ssize_t)size;
}

int folder_reader_check(struct folder_reader *reader)
{
	for (size_t file = 0; file < reader->files.count; file++) {
		size_t end = file + 1 < reader->files.count ? reader->first[file + 1]
							    : reader->chunks.count;
		for (size_t chunk = reader->first[file]; chunk < end; chunk++) {
			int place = reader->is_read[chunk] ? 0 : find(reader, file, chunk);
			if (place < 0)
				return place;
		}
	}
	return 0;
}

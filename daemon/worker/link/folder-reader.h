/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the files of a data set that was hashed, and returns no other bytes than those: each chunk of a
 * file is read into memory, compared with its hash, and given out from there.  So a driver can deliver a
 * large data set piece by piece.  It has a few chunks in memory, not the files.
 */
#ifndef ASSAY_WORKER_LINK_FOLDER_READER_H
#define ASSAY_WORKER_LINK_FOLDER_READER_H

#include "worker/link/folder-files.h"

#define READER_CHUNKS 4 /* in memory: a driver may read at several places in turn */

struct folder_reader {
	const struct folder_tree *tree;
	struct folder_files files;
	struct folder_chunks chunks;
	uint8_t digest[SHA256_BYTES]; /* of the set, for its watch */
	size_t chunk;                 /* bytes */
	size_t *first;                /* chunk of each file */
	bool *is_read;                /* of each chunk */
	int fd;                       /* of `file`; -1: none */
	size_t file;
	uint8_t *bytes; /* READER_CHUNKS chunks; NULL: not open */
	struct {
		size_t chunk, len;
		uint64_t used; /* by which read; 0: never */
	} cached[READER_CHUNKS];
	uint64_t reads;
};

/*
 * Takes `files`, and copies the hashes that they had.  0, -ENOMEM; -EAGAIN: the sizes are not those of the
 * hashes.  folder_reader_close() after it in each case.
 */
int folder_reader_open(struct folder_reader *reader, const struct folder_tree *tree,
	struct folder_files *files, const struct folder_chunks *chunks, size_t chunk);

/* Legal on one that is zero, or closed. */
void folder_reader_close(struct folder_reader *reader);

/*
 * Reads at `offset` of a file: how many bytes, up to the end of a chunk; 0: it ends there; -EAGAIN: these are
 * not the bytes that were hashed; or a negative errno of the file.
 */
ssize_t folder_reader_read(
	struct folder_reader *reader, size_t file, uint64_t offset, void *to, size_t size);

/* Compares the chunks that were not read, too: 0, or an error of folder_reader_read(). */
int folder_reader_check(struct folder_reader *reader);

#endif

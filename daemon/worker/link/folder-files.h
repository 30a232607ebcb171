/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a data set, and the hashes of their bytes. */
#ifndef ASSAY_WORKER_LINK_FOLDER_FILES_H
#define ASSAY_WORKER_LINK_FOLDER_FILES_H

#include "worker/link/folder-tree.h"
#include "worker/sha256.h"

#define FOLDER_FILES_MAX 16384 /* of one data set */
#define FOLDER_DEPTH_MAX 8
#define FOLDER_CHUNK     (1u << 20)

struct folder_file {
	char *path;
	struct folder_item item;
	bool is_hashed;
	uint8_t digest[SHA256_BYTES];
};

/* In their order. */
struct folder_files {
	struct folder_file *at;
	size_t count;
};

/* The files of the set at a path: 0 or a negative errno.  folder_files_finish() after it in each case. */
int folder_files_find(struct folder_files *files, const struct folder_tree *tree, const char *path);
void folder_files_finish(struct folder_files *files);

/* The hashes of all chunks of all files, in their order: a file has one for each FOLDER_CHUNK begun. */
struct folder_chunks {
	uint8_t (*digest)[SHA256_BYTES];
	size_t count, room;
};

/* 0 or -ENOMEM. */
int folder_chunks_add(struct folder_chunks *chunks, const uint8_t digest[SHA256_BYTES]);
void folder_chunks_finish(struct folder_chunks *chunks);

#endif

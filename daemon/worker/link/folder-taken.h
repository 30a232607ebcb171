/* SPDX-License-Identifier: Apache-2.0 */
/* Which data sets are recorded, by the path and the content of each. */
#ifndef ASSAY_WORKER_LINK_FOLDER_TAKEN_H
#define ASSAY_WORKER_LINK_FOLDER_TAKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/wire.h"
#include "worker/link/folder-tree.h"
#include "worker/sha256.h"

/* A data set as its run-start has it, in the settings `file` and `file_sha256`. */
struct folder_name {
	char file[4 *
		  FOLDER_PATH_MAX]; /* its path, with escapes for bytes that people do not see */
	char sha256[2 * SHA256_BYTES + 1];
};

void folder_name_set(
	struct folder_name *name, const char *path, const uint8_t digest[SHA256_BYTES]);

/* As wire.h describes it.  0 or -ENOSYS. */
int folder_name_key(const struct folder_name *name, uint8_t key[WIRE_TAKEN_BYTES]);

/* A set of keys.  Zero is an empty one. */
struct folder_taken {
	uint8_t (*keys)[WIRE_TAKEN_BYTES]; /* zero bytes: free */
	size_t count, size;                /* size: a power of two, or 0 */
};

/* 0 or -ENOMEM. */
int folder_taken_add(struct folder_taken *taken, const uint8_t key[WIRE_TAKEN_BYTES]);
int folder_taken_add_all(struct folder_taken *taken, struct assay_span keys);
bool folder_taken_has(const struct folder_taken *taken, const uint8_t key[WIRE_TAKEN_BYTES]);
void folder_taken_finish(struct folder_taken *taken);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of the files that no frame of the format has: with them all bytes are in the run's raw blocks,
 * and the files can be put together again.
 */
#ifndef FILE_IMPORT_TILING_H
#define FILE_IMPORT_TILING_H

#include "format.h"

/* Bytes of one file, up to `end`. */
struct span {
	unsigned file;
	uint64_t offset, end;
};

struct tiling {
	struct span *spans; /* in slices; after tiling_turn(): in none */
	size_t count, size;
};

void tiling_finish(struct tiling *t);

/* 0; -ENOMEM; -EBADMSG: the slice is not in the file, or there are too many. */
int tiling_add(struct tiling *t, const struct source *s, const struct format_slice *slice);

/* Makes them the spans that are in no slice; of an empty file an empty one.  0 or -ENOMEM. */
int tiling_turn(struct tiling *t, const struct source *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw blocks of one frame.  They are stored in their encoded form: decode() reads the bytes that
 * go into the record, without a copy.
 */
#ifndef ASSAY_WORKER_RAW_H
#define ASSAY_WORKER_RAW_H

#include <assay/driver.h>

#include "base/buffer.h"
#include "record/read.h"
#include "wire/port.h"

#define RAW_BLOCKS_MAX 64
#define RAW_WHY        120
#define RAW_TEXT_MAX   127

struct raw {
	struct assay_raw handle; /* first: the driver's view */
	size_t max;              /* the driver's raw_max */
	size_t total;            /* bytes of all blocks */
	int error;               /* of the first block that was refused, until the reset */
	char why[RAW_WHY];
	struct buffer encoded; /* the items of the array, without its head */
	size_t count;
	struct block_span {
		size_t media, name, data, len; /* places in `encoded`; name 0: none */
		size_t media_len, name_len;
	} blocks[RAW_BLOCKS_MAX];
	struct assay_bytes views[RAW_BLOCKS_MAX];
	bool is_open; /* the block at `count` grows: its size is at `size_at`, its name will follow */
	size_t size_at;
	bool has_name;
	char name[RAW_TEXT_MAX + 1];
	struct buffer texts; /* terminated copies of media and names, for the views */
	struct buffer kept;  /* the array as it goes into the frame, for hash and off */
};

void raw_init(struct raw *raw, const struct assay_host *host, size_t max);
void raw_finish(struct raw *raw);

/* Removes the blocks; keeps the memory unless it is very large. */
void raw_reset(struct raw *raw);

/* The services of <assay/driver.h>. */
int raw_add(struct assay_raw *handle, const char *media, const char *name, const void *data,
	size_t len);
int raw_open(struct assay_raw *handle, const char *media, const char *name);
int raw_append(struct assay_raw *handle, const void *data, size_t len);
int raw_close(struct assay_raw *handle);

/* After acquire: 0, or the error of a block that was refused or is still open. */
int raw_complete(struct raw *raw);

/* Replaces the blocks by those of the next item, an array as in a record.  -EBADMSG, or as raw_add(). */
int raw_read(struct raw *raw, struct reader *r);

/* The blocks for decode(): borrowed until the next change of `raw`. */
const struct assay_bytes *raw_blocks(struct raw *raw, size_t *count);

/*
 * The frame's raw blocks in the form that the configuration requests: their number, and their
 * encoded items (borrowed).  0, -ENOMEM, or -ENOSYS without SHA-256.
 */
int raw_encoded(
	struct raw *raw, enum unit_raw keep, size_t *count, const uint8_t **data, size_t *len);

#endif

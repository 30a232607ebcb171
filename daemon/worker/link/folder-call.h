/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's side of a link folder: requests to the keeper and their replies, through the channel,
 * so that they are recorded and played back like all other bytes.  In the driver's thread.
 */
#ifndef ASSAY_WORKER_LINK_FOLDER_CALL_H
#define ASSAY_WORKER_LINK_FOLDER_CALL_H

#include <assay/driver.h>

#include "worker/channel.h"
#include "worker/link/folder-message.h"
#include "worker/link/folder-taken.h"

/* Of the data sets that cannot be read; count 0: there are none. */
struct folder_unreadable {
	uint32_t count;
	int error;
	char path[ASSAY_FOLDER_PATH];
};

struct folder {
	struct channel *channel;             /* borrowed */
	uint32_t missed;                     /* replies */
	struct folder_unreadable unreadable; /* as of the last folder_next() without a data set */
	struct folder_name name;             /* of the data set of the last folder_next() */
	bool has_set, is_taken;              /* there is one, and it was ended as taken */
	bool is_run, is_recorded;            /* a run has begun with it, and ended complete */
	uint8_t reply[FOLDER_REPLY_MAX];
	size_t len;
};

/* NULL: no memory.  folder_destroy() is legal on NULL. */
struct folder *folder_create(struct channel *channel);
void folder_destroy(struct folder *folder);

/* A run begins with the data set of the last folder_next(): its name; NULL: there is none. */
const struct folder_name *folder_begin_run(struct folder *folder);

/* The run ended: false if it began with a data set that is not taken, which then comes again. */
bool folder_end_run(struct folder *folder, bool is_complete);

/* As the calls of <assay/driver.h>. */
int folder_next(struct folder *folder, struct assay_folder_set *set, int ms);
int folder_file(struct folder *folder, unsigned index, struct assay_folder_file *file);
ssize_t folder_read(struct folder *folder, unsigned index, uint64_t offset, void *to, size_t size);
int folder_end(struct folder *folder, enum assay_folder_verdict verdict);

#endif

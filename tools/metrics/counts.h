/* SPDX-License-Identifier: Apache-2.0 */
/* Runs by status and frames by quality, since this program was started. */
#ifndef ASSAY_METRICS_COUNTS_H
#define ASSAY_METRICS_COUNTS_H

#include <assay/client.h>

#define COUNTS_MAX      1024 /* instruments */
#define COUNTS_STATUSES 6
#define COUNTS_FLAGS    5

struct counts_row {
	char instrument[40]; /* a token */
	uint64_t runs[COUNTS_STATUSES], frames[COUNTS_FLAGS];
	uint64_t dropped, retries;
};

/* Zero is valid and empty. */
struct counts {
	struct counts_row *rows;
	size_t count, size;
};

/* The words of counts_row.runs and .frames. */
const char *counts_status(size_t i);
const char *counts_flag(size_t i);

/* Counts an item; others than run-ends and frames are passed over. */
void counts_take(struct counts *counts, const struct assay_client_item *item);
void counts_finish(struct counts *counts);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of `assayctl journal` share: which journal, and what its entries say. */
#ifndef ASSAY_ASSAYCTL_JOURNAL_H
#define ASSAY_ASSAYCTL_JOURNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "args.h"
#include "journal/journal.h"

/* Which journal: that of --path or of the configuration, and all of them or that of --journal. */
struct journal_args {
	const struct options *options;
	char path[PATH_MAX];
	bool json;
	bool has_id;
	uint8_t id[JOURNAL_ID_SIZE];
	const char *topic;
};

/* Reads --path and --journal.  0, or the exit code after a message. */
int journal_args_read(
	struct journal_args *journal, const struct options *options, const struct args *args);

/* The id of the journal in use.  0 or a negative errno, which was told. */
int journal_find_current(const struct journal_args *args, uint8_t id[JOURNAL_ID_SIZE]);

/* Calls `each` for the journal asked for, or for all.  Returns the worst exit code. */
int journal_for_each(const struct journal_args *args,
	int (*each)(const struct journal_args *args, const uint8_t id[JOURNAL_ID_SIZE]));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of `assayctl journal` share: which journal, and what its entries say. */
#ifndef ASSAY_ASSAYCTL_JOURNAL_H
#define ASSAY_ASSAYCTL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "journal/journal.h"

struct journal_args {
	const char *path;
	bool json;
	bool has_id; /* one journal was asked for */
	uint8_t id[JOURNAL_ID_SIZE];
	const char *from, *to, *topic, *run; /* NULL: not said */
	const struct options *options;
};

/* A journal_entry_fn. */
int journal_entry_read(const uint8_t *bytes, size_t len, const char **topic, size_t *topic_len,
	uint64_t *seq, uint64_t *tc);

/* The id of the journal in use.  0 or a negative errno, which was told. */
int journal_find_current(const struct journal_args *args, uint8_t id[JOURNAL_ID_SIZE]);

/* Calls `each` for the journal asked for, or for all.  Returns the worst exit code. */
int journal_for_each(const struct journal_args *args,
	int (*each)(const struct journal_args *args, const uint8_t id[JOURNAL_ID_SIZE]));

/* The commands.  They return exit codes. */
int journal_info(const struct journal_args *args);
int journal_check(const struct journal_args *args);
int journal_cat(const struct journal_args *args);
int journal_reparse(const struct journal_args *args);

#endif

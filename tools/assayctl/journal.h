/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `assayctl journal`: the journals that a command reads. */
#ifndef ASSAY_ASSAYCTL_JOURNAL_H
#define ASSAY_ASSAYCTL_JOURNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "args.h"
#include "journal/journal.h"

struct journal_args {
	const struct options *options;
	char path[PATH_MAX]; /* --path, or as configured */
	bool has_id;         /* --journal */
	uint8_t id[JOURNAL_ID_SIZE];
};

/* Reads --path and --journal.  0, or the exit code after a message. */
int journal_args_read(
	struct journal_args *journal, const struct options *options, const struct args *args);

/* The id of the journal in use.  0, or a negative errno after a message. */
int journal_find_current(const struct journal_args *args, uint8_t id[JOURNAL_ID_SIZE]);

/* Reads one journal.  Returns the exit code. */
typedef int journal_fn(
	const struct journal_args *args, const uint8_t id[JOURNAL_ID_SIZE], void *arg);

/* Calls `each` for the journal of --journal, or for all of them.  Returns the worst exit code. */
int journal_for_each(const struct journal_args *args, journal_fn *each, void *arg);

#endif

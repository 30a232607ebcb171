/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing a journal's folder into a state that can be written on, after whatever happened. */
#ifndef ASSAY_JOURNAL_RECOVER_H
#define ASSAY_JOURNAL_RECOVER_H

#include "journal/writer.h"

struct recovery {
	const struct io *io;
	const struct journal_options *options;
	struct journal_report *report;
	int dir, quarantine;
	uint64_t told; /* entries up to here were durable, as the file `durable` says; 0: nothing */
	uint8_t id[JOURNAL_ID_SIZE];
};

/*
 * Recovers journal `id` in `dir` and sets the writer (whose io, template and options are set, all
 * else zero) to its end.  report->why says whether it can go on, or why a new one must begin.  0 or
 * a negative errno, then nothing may be written.
 */
int recover(const struct recovery *recovery, struct writer *writer);

#endif

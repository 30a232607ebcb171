/* SPDX-License-Identifier: Apache-2.0 */
/* Brings a journal's folder into a state that can be written on, after any kind of end. */
#ifndef ASSAY_JOURNAL_RECOVER_H
#define ASSAY_JOURNAL_RECOVER_H

#include "journal/writer.h"

/*
 * Recovers journal `id` in journal->dir, and starts writing after its end.  report->why says if it
 * can continue, or why a new one must start.  0, or a negative errno: then nothing may be written.
 */
int recover(struct journal *journal, const struct journal_options *options,
	const uint8_t id[JOURNAL_ID_SIZE], struct journal_report *report);

#endif

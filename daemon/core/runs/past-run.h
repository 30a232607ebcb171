/* SPDX-License-Identifier: Apache-2.0 */
/* A run read from the current or a former journal: the contents of its run-start. */
#ifndef ASSAY_CORE_RUNS_PAST_RUN_H
#define ASSAY_CORE_RUNS_PAST_RUN_H

#include "core/runs/rows.h"

struct past_run {
	struct runs_row row;
	char note[RUN_TEXT_MAX + 1];
	char method[65]; /* its id; "": none */
	uint8_t method_sha256[32];
	enum entry_way entered;
	struct buffer settings; /* CBOR map, as sent or read back; empty: none */
	struct buffer sent;     /* as sent, if the instrument read back others */
	struct buffer refs;     /* CBOR array of run-ref; empty: none */
	struct buffer set;      /* those that differed from the configuration */
};

/*
 * Reads the run-start of this row, which is copied.  0; -ENOENT if the journal does not have it
 * (any more); -EBADMSG, -ENOMEM, or an error of the journal's reader.  Finish it in any case.
 */
int past_run_read(struct past_run *past, const char *path, const struct runs_row *row);
void past_run_finish(struct past_run *past);

/*
 * Reads one committed entry of any journal into `entry`, which is emptied before.  0, -ENOENT,
 * -ENOMEM, or an error of the journal's reader.
 */
int past_entry_read(
	const char *path, const uint8_t journal[16], uint64_t seq, struct buffer *entry);

#endif

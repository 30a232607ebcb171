/* SPDX-License-Identifier: Apache-2.0 */
/* The runs that a run refers to, and the raw blocks of them for the driver's decode(). */
#ifndef ASSAY_CORE_RUNS_REFERENCES_H
#define ASSAY_CORE_RUNS_REFERENCES_H

#include "core/runs/rows.h"
#include "record/record.h"

#define REFERENCES_MAX 16

/* Reads a CBOR array of run-ref into `list`, which borrows from it; an empty buffer has none.  0 or -EBADMSG. */
int references_list(const struct buffer *refs, struct run_ref list[REFERENCES_MAX], size_t *count);

/*
 * Appends the raw blocks that `refs` name, as record/references.h says, as a CBOR array to `out`;
 * nothing if there are none.  Reads the journals below `path`.  0, or a negative errno with the
 * reason in `text`.
 */
int references_read(struct runs *rows, const char *path, const struct buffer *refs,
	struct buffer *out, char *text, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The raw blocks that a driver's decode() gets as references: of each run that the `refs` of a
 * run-start name as background or dark, in their order, those of its last frame that is not partial.
 */
#ifndef ASSAY_RECORD_REFERENCES_H
#define ASSAY_RECORD_REFERENCES_H

#include <assay/record.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "record/words.h"

#define REFERENCES_BYTES_MAX ASSAY_RECORD_MAX

/* True if decode() gets bytes of a run with this relation. */
bool references_has(enum ref_kind rel);

/*
 * Appends the raw blocks of a frame, as in the record, and adds their number to *count.  -ENODATA if
 * the record does not have their bytes, -EMSGSIZE past the limit, -ENOMEM.
 */
int references_add(struct buffer *blocks, size_t *count, struct assay_span raw);

#endif

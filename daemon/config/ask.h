/* SPDX-License-Identifier: Apache-2.0 */
/* Runs assay-worker for one question: the core and the tools never load driver code. */
#ifndef ASSAY_CONFIG_ASK_H
#define ASSAY_CONFIG_ASK_H

#include <assay/record.h>

#include "base/buffer.h"

/*
 * Runs argv[0] with `input` as its standard input and appends its standard output to `answer`.
 * Blocks for at most `seconds`; the process is gone afterwards.  0, -ETIMEDOUT, -EFBIG, -EIO if it
 * did not exit with 0, or another errno.
 */
int ask_worker(
	const char *const *argv, struct assay_span input, unsigned seconds, struct buffer *answer);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* assay-worker --reparse: runs a driver's decode() on recorded raw blocks (wire/reparse.h). */
#ifndef ASSAY_WORKER_REPARSE_H
#define ASSAY_WORKER_REPARSE_H

#include "base/buffer.h"
#include "worker/device.h"

struct reparse;

/* Loads the driver.  0 with *out owned by the caller, or a negative errno with `why`. */
int reparse_create(
	struct reparse **out, const char *drivers, const char *driver, char why[MODULE_WHY]);
void reparse_destroy(struct reparse *reparse);

/* Answers one request: appends the answer's CBOR to `answer`. */
void reparse_one(
	struct reparse *reparse, const uint8_t *request, size_t len, struct buffer *answer);

/* From `in` to `out` until the end of the input, confined.  An exit code of wire/exit.h. */
int reparse_run(const char *drivers, const char *driver, int in, int out);

#endif

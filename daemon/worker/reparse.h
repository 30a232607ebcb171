/* SPDX-License-Identifier: Apache-2.0 */
/* assay-worker --reparse: runs a driver's decode() on recorded raw blocks (wire/reparse.h). */
#ifndef ASSAY_WORKER_REPARSE_H
#define ASSAY_WORKER_REPARSE_H

/* From `in` to `out` until the end of the input, confined.  An exit code of wire/exit.h. */
int reparse_run(const char *drivers, const char *driver, int in, int out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* assay-worker --check: runs a driver's check() on settings (wire/check.h). */
#ifndef ASSAY_WORKER_CHECK_H
#define ASSAY_WORKER_CHECK_H

/* From `in` to standard output, confined.  An exit code of wire/exit.h. */
int check_run(const char *drivers, const char *driver, int in);

#endif

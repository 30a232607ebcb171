/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASSAY_WORKER_DESCRIBE_H
#define ASSAY_WORKER_DESCRIBE_H

#include <stddef.h>

/*
 * Prints the descriptions of all drivers in the folder `dir`, or of those named, to standard output
 * in the form of wire/describe.h.  Returns the exit code.
 */
int describe_drivers(const char *dir, const char *const *names, size_t count);

#endif

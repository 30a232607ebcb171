/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of errors of one load.  An error has its place, the value found and the value expected,
 * in the words of the technician's file.  The list is complete: a reader reports an error and goes
 * on, but does not report a mere consequence of an error in the list.
 */
#ifndef ASSAY_CONFIG_ERRORS_H
#define ASSAY_CONFIG_ERRORS_H

#include "config/config.h"

#define ERRORS_MAX 500 /* further ones are dropped */

/* Adds one; file and text are copied.  What people do not see in them becomes '?'. */
void errors_add(struct config_errors *errors, struct config_mark mark, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Moves those of `from` to the end of `to`, except at places that have one in `to`. */
void errors_move(struct config_errors *to, struct config_errors *from);

/*
 * Sorts the list: `first_file`, then the other files by name; by line and column in a file.  Of
 * equal errors at one place one remains.
 */
void errors_sort(struct config_errors *errors, const char *first_file);

/* All texts without places, joined by "; ", owned by the caller; for a single value. */
char *errors_join(const struct config_errors *errors);

#endif

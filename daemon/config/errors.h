/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of errors of one load.  An error says what was found and what was expected, in words
 * of the technician's file, and where.  The list is complete: a reader reports and goes on, and
 * does not report what only follows from an error already reported.
 */
#ifndef ASSAY_CONFIG_ERRORS_H
#define ASSAY_CONFIG_ERRORS_H

#include "config/config.h"

#define ERRORS_MAX 500 /* what comes after these is dropped */

/* Adds one; file and text are copied.  Control characters in the text become '?'. */
void errors_add(struct config_errors *errors, struct config_mark mark, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Puts them in order: `first_file`, then the other files by name; by line and column in a file.
 * The same text at the same place remains once.
 */
void errors_sort(struct config_errors *errors, const char *first_file);

/* All texts in one, joined by "; ", owned by the caller; for a value that came alone. */
char *errors_join(const struct config_errors *errors);

#endif

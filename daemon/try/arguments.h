/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of a command line as a configuration of one instrument: NAME, TYPE, and KEY=VALUE of the
 * link or the driver.  Each word has a line of its own, so that an error leads back to it.
 */
#ifndef ASSAY_TRY_ARGUMENTS_H
#define ASSAY_TRY_ARGUMENTS_H

#include <stddef.h>
#include <stdio.h>

#include "base/buffer.h"
#include "config/config.h"

#define ARGUMENTS_KEY "try" /* of the instrument */
#define ARGUMENTS_WHY 300

struct arguments {
	bool fills; /* settings that must be given get any value that the driver's table admits */
	struct buffer text;
	const char **lines; /* the word of line i + 1; NULL: a line of no word */
	size_t line_count;
};

/*
 * Writes the text into `arguments`, which are zero except `fills`.  `name` is a driver, a profile, or with a '/' a profile's file; a key is the
 * link's if its type has it, else a setting.  0, -EINVAL with *why filled, or -ENOMEM;
 * arguments_finish() in each case.
 */
int arguments_write(struct arguments *arguments, const struct catalog *catalog, const char *name,
	const char *const *words, size_t count, char why[ARGUMENTS_WHY]);
void arguments_finish(struct arguments *arguments);

/* Prints the findings about the text, with the words in place of lines. */
void arguments_explain(
	const struct arguments *arguments, const struct config_errors *errors, FILE *to);

#endif

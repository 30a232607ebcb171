/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of a model.  A model declares them in a table; they appear on the command line as
 * `--NAME VALUE`, in --help and in the manual page.  Numbers are read without a locale, strictly.
 */
#ifndef ASSAY_SIM_OPTIONS_H
#define ASSAY_SIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One row; the table ends with a row whose name is NULL. */
struct sim_option {
	const char *name;     /* without the dashes */
	const char *argument; /* "KV", shown in --help; NULL: a flag */
	const char *fallback; /* value if not given; may be NULL */
	const char *help;     /* one line */
};

#define SIM_OPTIONS_MAX 32

/* The values given for one table.  With only `table` set all options have their fallbacks. */
struct sim_options {
	const struct sim_option *table;
	const char *value[SIM_OPTIONS_MAX]; /* borrowed; by row */
};

/* Sets one value (borrowed; a flag takes ""); -ENOENT if the table has no such name. */
int options_set(struct sim_options *options, const char *name, const char *value);

/* The text given or the fallback, NULL if neither; borrowed.  The name must be in the table. */
const char *options_text(const struct sim_options *options, const char *name);

/* Whether a flag was given. */
bool options_flag(const struct sim_options *options, const char *name);

/* Reads a number within min..max; 0, or the error of options_reject(). */
int options_number(
	const struct sim_options *options, const char *name, double min, double max, double *value);

/* Reads a whole number within min..max; 0, or the error of options_reject(). */
int options_integer(const struct sim_options *options, const char *name, int64_t min, int64_t max,
	int64_t *value);

/* Reads one of a NULL-terminated list of words; its index, or the error of options_reject(). */
int options_choice(const struct sim_options *options, const char *name, const char *const *words);

/*
 * Prints "assay-sim: --NAME TEXT: expected ..." on standard error and returns -EINVAL.  `text` is
 * the value found; NULL is printed as nothing.
 */
int options_reject(const char *name, const char *text, const char *expected, ...)
	__attribute__((format(printf, 3, 4)));

/* Plain decimal "-12.5" (no exponent, nan, inf, or spaces), whole text; 0 or -EINVAL. */
int number_parse(const char *text, double *value);

/* "250ms", "2s", "1.5s", "3min" or a bare number of seconds, into nanoseconds; 0 or -EINVAL. */
int duration_parse(const char *text, uint64_t *ns);

#endif

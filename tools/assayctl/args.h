/* SPDX-License-Identifier: Apache-2.0 */
/* The parser of command lines: one for all rows of the table in commands.c. */
#ifndef ASSAY_ASSAYCTL_ARGS_H
#define ASSAY_ASSAYCTL_ARGS_H

#include "command.h"

#define ARGS_TEXTS_MAX 64

struct arg_value {
	const char *text; /* as given; NULL: not given.  Of a flag: "" */
	uint64_t number;  /* the number, or the time in ns since 1970 */
	bool is_time;     /* ARG_PLACE, ARG_PLACE_END: `number` is a time, not a seq */
};

/* A command line that was understood.  Borrows from argv. */
struct args {
	const struct command *command;
	struct arg_value values[COMMAND_OPTIONS]; /* as command->options */
	const char *texts[ARGS_TEXTS_MAX];        /* of the ARG_TEXTS option */
	size_t text_count;
	char **words; /* the arguments, then NULL */
	int word_count;
};

/*
 * Reads `--name value`, `--name=value` and the arguments (argv[0] is skipped), in any order; for
 * `program` only as far as the command's name.  Returns 0, or 2 after one line on standard error.
 * Number of arguments and required options are not checked when --help is there.
 */
int args_read(struct args *args, const struct command *command, int argc, char **argv);

/* The option of this name, which must be in the command's table. */
const struct arg_value *args_value(const struct args *args, const char *name);

/* Its text, NULL when it was not given; its number or time, 0 when it was not given. */
const char *args_text(const struct args *args, const char *name);
uint64_t args_number(const struct args *args, const char *name);
bool args_has(const struct args *args, const char *name);

/* Reports a wrong command line: "assayctl COMMAND: ...".  Returns 2. */
int args_reject(const struct args *args, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Finds the command whose name `words` start with, and how many words the name has.  NULL: the
 * words ask for the help of `group`, such as "run --help", or after a message, with NULL there,
 * name no command.
 */
const struct command *args_find(char **words, int *used, const char **group);

#endif

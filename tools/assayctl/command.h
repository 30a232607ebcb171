/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of assayctl: one row each in the table of commands.c.  Parsing, help, shell
 * completion and the tests all read that table.
 */
#ifndef ASSAY_ASSAYCTL_COMMAND_H
#define ASSAY_ASSAYCTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "secure.h"

/* The options that stand before the command; --json is allowed after it, too. */
struct options {
	const char *config;  /* configuration file */
	const char *worker;  /* the program assay-worker */
	const char *drivers; /* the folder of driver modules */
	const char *control; /* endpoints */
	const char *live;
	const char *replay;
	struct secure_keys keys;            /* empty: none */
	const char *key_file, *server_file; /* of them; NULL: none */
	bool json;
};

enum arg_type {
	ARG_FLAG,      /* no value */
	ARG_TEXT,      /* any text */
	ARG_TEXTS,     /* any text; the option may be repeated */
	ARG_WORD,      /* one of `words` */
	ARG_NUMBER,    /* a whole number */
	ARG_COUNT,     /* a whole number, at least 1 */
	ARG_TIME,      /* a date or a time; of a date its start */
	ARG_UNTIL,     /* a date or a time; of a date its end */
	ARG_SINCE,     /* ARG_TIME, or a duration before now */
	ARG_PLACE,     /* a seq of the journal, or ARG_TIME */
	ARG_PLACE_END, /* a seq of the journal, or ARG_UNTIL */
};

struct command_option {
	const char *name; /* without the dashes */
	enum arg_type type;
	const char *value; /* its name in the help: "ID"; NULL: none, or `words` */
	const char *help;
	char letter;              /* 'h' for -h; 0: none; only of flags */
	bool is_required;         /* the command does not run without it */
	const char *const *words; /* of ARG_WORD; ends with NULL */
};

#define COMMAND_ANY     1000 /* arguments without a limit */
#define COMMAND_OPTIONS 16   /* options of a command, at most */

struct args;

struct command {
	const char *group; /* "run" of `run start`; NULL: none */
	const char *name;
	const char *arguments; /* as the help shows them */
	int least, most;       /* how many arguments */
	const char *help;
	const struct command_option *options; /* ends with .name NULL */
	/* Returns the exit code: 0, 1 failed, 2 wrong usage. */
	int (*run)(const struct options *options, const struct args *args);
};

/* assayctl itself: the options before the command.  `run` is NULL. */
extern const struct command program;

/* Ends with .name NULL. */
extern const struct command commands[];

int command_archive(const struct options *options, const struct args *args);
int command_capture(const struct options *options, const struct args *args);
int command_check(const struct options *options, const struct args *args);
int command_comply(const struct options *options, const struct args *args);
int command_complete(const struct options *options, const struct args *args);
int command_cursor_forget(const struct options *options, const struct args *args);
int command_cursor_list(const struct options *options, const struct args *args);
int command_cursor_show(const struct options *options, const struct args *args);
int command_describe(const struct options *options, const struct args *args);
int command_doctor(const struct options *options, const struct args *args);
int command_edit(const struct options *options, const struct args *args);
int command_export(const struct options *options, const struct args *args);
int command_fault(const struct options *options, const struct args *args);
int command_help(const struct options *options, const struct args *args);
int command_journal_cat(const struct options *options, const struct args *args);
int command_journal_check(const struct options *options, const struct args *args);
int command_journal_info(const struct options *options, const struct args *args);
int command_journal_reparse(const struct options *options, const struct args *args);
int command_lint(const struct options *options, const struct args *args);
int command_keygen(const struct options *options, const struct args *args);
int command_list(const struct options *options, const struct args *args);
int command_maintenance(const struct options *options, const struct args *args);
int command_reload(const struct options *options, const struct args *args);
int command_replay(const struct options *options, const struct args *args);
int command_run_abort(const struct options *options, const struct args *args);
int command_run_amend(const struct options *options, const struct args *args);
int command_run_list(const struct options *options, const struct args *args);
int command_run_repeat(const struct options *options, const struct args *args);
int command_run_show(const struct options *options, const struct args *args);
int command_run_start(const struct options *options, const struct args *args);
int command_run_stop(const struct options *options, const struct args *args);
int command_scan(const struct options *options, const struct args *args);
int command_schema(const struct options *options, const struct args *args);
int command_set(const struct options *options, const struct args *args);
int command_status(const struct options *options, const struct args *args);
int command_watch(const struct options *options, const struct args *args);

#endif

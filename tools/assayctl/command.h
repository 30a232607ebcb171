/* SPDX-License-Identifier: Apache-2.0 */
/* assayctl's commands: one entry of one table each. */
#ifndef ASSAY_ASSAYCTL_COMMAND_H
#define ASSAY_ASSAYCTL_COMMAND_H

#include <stdbool.h>

/* What may stand before the command. */
struct options {
	const char *config;  /* configuration file, for check and schema */
	const char *worker;  /* the program assay-worker */
	const char *drivers; /* the folder of driver modules */
	const char *control; /* endpoints */
	const char *live;
	const char *replay;
	bool json;
};

struct command {
	const char *name;
	const char *usage; /* arguments, without the name */
	const char *help;
	/* argv[0] is the command's name.  Returns the exit code: 0, 1 failed, 2 wrong usage. */
	int (*run)(const struct options *options, int argc, char **argv);
};

/* Ends with .name NULL. */
extern const struct command commands[];

int command_archive(const struct options *options, int argc, char **argv);
int command_capture(const struct options *options, int argc, char **argv);
int command_check(const struct options *options, int argc, char **argv);
int command_cursor(const struct options *options, int argc, char **argv);
int command_describe(const struct options *options, int argc, char **argv);
int command_export(const struct options *options, int argc, char **argv);
int command_journal(const struct options *options, int argc, char **argv);
int command_lint(const struct options *options, int argc, char **argv);
int command_list(const struct options *options, int argc, char **argv);
int command_maintenance(const struct options *options, int argc, char **argv);
int command_reload(const struct options *options, int argc, char **argv);
int command_replay(const struct options *options, int argc, char **argv);
int command_run(const struct options *options, int argc, char **argv);
int command_schema(const struct options *options, int argc, char **argv);
int command_set(const struct options *options, int argc, char **argv);
int command_status(const struct options *options, int argc, char **argv);
int command_watch(const struct options *options, int argc, char **argv);

/* Says what is wrong and how the command is used; returns 2. */
int command_usage(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

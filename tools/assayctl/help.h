/* SPDX-License-Identifier: Apache-2.0 */
/* Help, made from the table of commands; everything goes to standard output. */
#ifndef ASSAY_ASSAYCTL_HELP_H
#define ASSAY_ASSAYCTL_HELP_H

#include "command.h"

/* All return 0, the exit code. */
int help_program(void);
int help_group(const char *group);
int help_command(const struct command *command);

#endif

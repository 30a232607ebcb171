/* SPDX-License-Identifier: Apache-2.0 */
/* A recording as text: a line for what happened, a hex dump for what was said. */
#ifndef ASSAY_ASSAYCTL_SHOW_H
#define ASSAY_ASSAYCTL_SHOW_H

#include "command.h"

/* Prints the file.  The exit code: 1 when it is no recording, or not a whole one. */
int show_capture(const struct options *options, const char *path);

#endif

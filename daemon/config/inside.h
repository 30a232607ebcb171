/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a configuration that only this folder uses. */
#ifndef ASSAY_CONFIG_INSIDE_H
#define ASSAY_CONFIG_INSIDE_H

#include <regex.h>

#include "base/arena.h"
#include "config/source.h"

struct config_inside {
	struct arena arena;   /* all texts and tables */
	struct source source; /* the texts that it was read from */
	regex_t sample;       /* the compiled sample id pattern */
	bool has_sample;
};

#endif

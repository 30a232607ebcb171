/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One load in progress: the state that all readers of sections share.  A reader reports an error
 * and goes on with the next key; the configuration is discarded if there was any error.
 */
#ifndef ASSAY_CONFIG_READING_H
#define ASSAY_CONFIG_READING_H

#include "base/arena.h"
#include "config/config.h"
#include "config/errors.h"
#include "config/yaml.h"

struct load {
	struct arena *arena; /* the configuration's */
	struct config_errors *errors;
	const struct catalog *catalog;
	struct config *config;
	const char *dir;         /* of the main file */
	const char *profile_dir; /* of the installed profiles */
};

/* Adds an error at `mark`. */
#define load_error(load, mark, ...) errors_add((load)->errors, (mark), __VA_ARGS__)

#endif

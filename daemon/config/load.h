/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One load in progress: what all readers of sections share.  Readers report to `errors` and go
 * on; the result is thrown away when there was any.
 */
#ifndef ASSAY_CONFIG_LOAD_H
#define ASSAY_CONFIG_LOAD_H

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
	const char *profile_dir; /* where the installed profiles are */
};

/* An error at `mark`. */
#define load_error(load, mark, ...) errors_add((load)->errors, (mark), __VA_ARGS__)

/*
 * config_load() with the folder of installed profiles given, for tests and for running from a
 * source tree.
 */
int load_files(const char *path, const char *profile_dir, const struct catalog *catalog,
	struct config **out, struct config_errors *errors);

/*
 * The same from one text instead of files: nothing else is read, so that a profile must not be
 * named.  For fuzzing.
 */
int load_text(const char *text, size_t len, const struct catalog *catalog, struct config **out,
	struct config_errors *errors);

#endif

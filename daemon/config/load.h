/* SPDX-License-Identifier: Apache-2.0 */
/* Loading with the folder of profiles or the text given; programs use config_load(). */
#ifndef ASSAY_CONFIG_LOAD_H
#define ASSAY_CONFIG_LOAD_H

#include "config/config.h"

/* config_load() with another folder of installed profiles: for tests and for a source tree. */
int load_files(const char *path, const char *profile_dir, const struct catalog *catalog,
	struct config **out, struct config_errors *errors);

/* config_load_saved() in the same way. */
int load_saved(struct assay_span saved, const char *profile_dir, const struct catalog *catalog,
	struct config **out, struct config_errors *errors);

/*
 * Loads one text instead of files.  A profile cannot be named, because no other file is read.
 * For fuzzing.
 */
int load_text(const char *text, size_t len, const struct catalog *catalog, struct config **out,
	struct config_errors *errors);

/*
 * Loads one text, whose marks have `name` as their file.  Profiles are found as from a file in the
 * present folder.
 */
int load_named_text(const char *name, const char *text, size_t len, const struct catalog *catalog,
	struct config **out, struct config_errors *errors);

#endif

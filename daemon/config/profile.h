/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile: a YAML file with the values of one make and model, shared by several instruments.
 * Values of the instrument itself replace them.
 */
#ifndef ASSAY_CONFIG_PROFILE_H
#define ASSAY_CONFIG_PROFILE_H

#include "config/fields.h"

struct profile {
	const char *summary, *driver, *make, *model, *technique;
	const struct node *link;             /* defaults of the instrument's link */
	const struct node *settings, *setup; /* maps, or NULL */
	const struct node *root;
};

/*
 * Reads the profile that `node` names.  A name is looked up as NAME.yaml in profiles/ next to the
 * main file, then in the folder of installed profiles; a name with '/' is a path, relative to the
 * file that has it.  False after an error.
 */
bool profile_read(struct load *load, const struct node *node, struct profile *out);

/* The same of a file that was loaded, for its check alone. */
bool profile_take(
	struct load *load, const struct node *root, const char *path, struct profile *out);

extern const struct field profile_fields[];

#endif

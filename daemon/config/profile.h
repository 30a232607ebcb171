/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile: what is known of one make and model, so that it need not be written for every
 * instrument.  A YAML file; what an instrument says itself lies over it.
 */
#ifndef ASSAY_CONFIG_PROFILE_H
#define ASSAY_CONFIG_PROFILE_H

#include "config/fields.h"

struct profile {
	const char *summary, *driver, *make, *model, *technique;
	const struct node *link; /* keys that lie beneath those of the instrument's link */
	const struct node *settings, *setup; /* maps, or NULL */
	const struct node *root;
};

/*
 * Reads the profile that `node` names: a name is looked for as NAME.yaml in `profiles/` beside the
 * main file, then among the installed ones; with a '/' it is a path, relative to the file that
 * names it.  False after an error.
 */
bool profile_read(struct load *load, const struct node *node, struct profile *out);

extern const struct field profile_fields[];

#endif

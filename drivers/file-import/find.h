/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the format of a data set. */
#ifndef FILE_IMPORT_FIND_H
#define FILE_IMPORT_FIND_H

#include "format.h"

struct found {
	const struct format *format; /* NULL: none fits */
	enum format_found result;    /* of its look(); FORMAT_FOREIGN without one */
	void *state;
	struct format_facts facts;
};

/*
 * The first format that recognises the data set decides about it; `wanted` is the only one that is asked,
 * or "auto".  0, -ENOMEM or an error of source.read.  Then found_finish().
 */
int find_format(struct found *found, struct source *s, const char *wanted);
void found_finish(struct found *found);

/* Whether an error is one of the link; all others are of the data set, which must not stop the next ones. */
bool is_of_link(int error);

#endif

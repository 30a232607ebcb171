/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the texts of a configuration come from: files, whose texts are kept, or the texts that an
 * earlier load kept.  Marks of a load from kept texts name the files that were read then.
 */
#ifndef ASSAY_CONFIG_SOURCE_H
#define ASSAY_CONFIG_SOURCE_H

#include <stdbool.h>

#include "base/arena.h"
#include "config/config.h"

struct node;

struct source_text {
	struct source_text *next;
	const char *path;
	struct assay_span text;
};

/* Zero: files.  All in the configuration's arena. */
struct source {
	struct source_text *first, *last; /* in the order in which they were read */
	bool is_saved;                    /* there is nothing but these texts */
};

/* The tree of a file, NULL after an error was added.  Its text is noted once. */
struct node *source_load(
	struct source *source, const char *path, struct arena *arena, struct config_errors *errors);

/* As access(2). */
int source_access(const struct source *source, const char *path, int mode);

/* Appends the texts in a form for source_parse(): readable, with a checksum. */
void source_format(const struct source *source, struct buffer *out);

/* Takes such texts into an empty source.  0, -EBADMSG or -ENOMEM. */
int source_parse(struct source *source, struct assay_span bytes, struct arena *arena);

#endif

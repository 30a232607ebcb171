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

struct check_item;
struct check_step;
struct field;
struct source;

struct load {
	struct arena *arena;   /* the configuration's */
	struct source *source; /* the configuration's */
	struct config_errors *errors;
	const struct catalog *catalog;
	struct config *config;
	const char *dir;           /* of the main file */
	const char *profile_dir;   /* of the installed profiles */
	struct check_item *checks; /* settings for their drivers' rules */
	struct check_step *steps;  /* of methods, for the same */
	/*
	 * While an instrument is read: the name of the section below `fields` that has the key, which
	 * was found above it; NULL: none.
	 */
	const char *(*section_of)(struct load *load, const char *key, const struct field *fields);
	const struct catalog_driver *driver; /* for it; NULL: unknown */
};

/* Adds an error at `mark`. */
#define load_error(load, mark, ...) errors_add((load)->errors, (mark), __VA_ARGS__)

/* Adds a warning: the configuration is used as it is. */
#define load_warning(load, mark, ...) \
	errors_add(&(load)->config->warnings, (mark), "warning: " __VA_ARGS__)

/*
 * An error at `node`: "found 'x', " and the text, which starts with "expected" or the reason.  A
 * hint follows if the node looks like a key and its value without a space.
 */
void load_found(struct load *load, const struct node *node, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Whether people see all of a text that is for them; an error if not. */
bool load_seen(struct load *load, const struct node *node);

/* Moves encoded bytes into the arena and finishes the buffer; empty without memory. */
struct assay_span load_keep(struct load *load, struct buffer *from);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML file as a tree that remembers where everything was said.
 *
 * The YAML of a configuration is a small part of the language: one document, maps with unique
 * text keys, lists and scalars.  Anchors, aliases, tags and further documents are refused, so
 * that a reader sees what it gets and nothing grows.  A scalar is kept as it was written: what
 * `yes`, `1_000` or `0x10` mean is for whoever knows what is expected there.
 */
#ifndef ASSAY_CONFIG_YAML_H
#define ASSAY_CONFIG_YAML_H

#include "base/arena.h"
#include "config/config.h"

#define YAML_BYTES_MAX (1024 * 1024)
#define YAML_DEPTH_MAX 12
#define YAML_KEYS_MAX  1024 /* of one map */

enum node_type {
	NODE_SCALAR = 1,
	NODE_LIST,
	NODE_MAP,
};

/* Children are a singly linked list in the order of the file; those of a map have a key. */
struct node {
	enum node_type type;
	struct config_mark mark;
	const char *key; /* NULL: not in a map */
	struct config_mark key_mark;
	const char *text; /* NODE_SCALAR: UTF-8 without control characters but '\n' and '\t' */
	bool plain;       /* written without quotes */
	struct node *first, *next;
	size_t count;
};

/*
 * Reads `len` bytes.  Returns the root, which lives in `arena` as long as that, or NULL after an
 * error was added.  `name` is the file's name in marks and is borrowed for as long.  An empty
 * document is an empty map.
 */
struct node *yaml_parse(const char *text, size_t len, const char *name, struct arena *arena,
	struct config_errors *errors);

/*
 * The same for one value given on a command line or in a driver's table: a flow mapping without
 * braces ("baud: 9600, parity: even") when `as_map`, else whatever stands there.
 */
struct node *yaml_parse_value(const char *text, bool as_map, const char *name, struct arena *arena,
	struct config_errors *errors);

/* Reads a regular file of at most YAML_BYTES_MAX; what prevents it is an error at 1:1. */
struct node *yaml_load(const char *path, struct arena *arena, struct config_errors *errors);

/* The child of that key, or NULL; `map` may be NULL. */
struct node *node_get(const struct node *map, const char *key);

/* True for a value left out: nothing, ~ or null, unquoted.  NULL counts. */
bool node_is_nothing(const struct node *node);

/*
 * A map with the pairs of `above` and those of `below` whose keys `above` lacks.  Either may be
 * NULL; the children's values are shared.  NULL only where both are NULL or memory is short.
 */
struct node *node_overlay(struct arena *arena, const struct node *below, const struct node *above);

/* What was found there, for messages: "'abc'", "a list", "a map", "nothing".  Returns `text`. */
const char *node_found(const struct node *node, char *text, size_t size);

#endif

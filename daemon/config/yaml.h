/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML file as a tree of nodes with their places.
 *
 * The YAML of a configuration is a small part of the language: one document, maps with unique
 * text keys, lists and scalars.  Anchors, aliases, tags and further documents are rejected, so
 * that the file shows all values and a small file stays small in memory.  A scalar is kept as it
 * was written: the reader of its key decides if `yes`, `1_000` or `0x10` is a text or a number.
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
	const char
		*text; /* NODE_SCALAR: UTF-8; of what people do not see only '\n', '\t', blanks */
	bool plain;    /* written without quotes */
	bool is_cut;   /* plain, and ' #' follows with a character right after it */
	struct node *first, *next;
	size_t count;
};

/*
 * Reads `len` bytes.  Returns the root, in `arena`, or NULL after an error was added.  `name` is
 * the file's name in marks and is borrowed as long as the arena exists.  An empty document is an
 * empty map.
 */
struct node *yaml_parse(const char *text, size_t len, const char *name, struct arena *arena,
	struct config_errors *errors);

/*
 * The same for one value of a command line or a driver's table: if `as_map` a flow mapping without
 * braces ("baud: 9600, parity: even"), else any value.
 */
struct node *yaml_parse_value(const char *text, bool as_map, const char *name, struct arena *arena,
	struct config_errors *errors);

/*
 * Reads a regular file of at most YAML_BYTES_MAX into the arena.  False: the error was added at 1:1,
 * or there is no memory.  `path` is borrowed as long as the arena exists.
 */
bool yaml_read(const char *path, struct arena *arena, struct config_errors *errors,
	struct assay_span *text);

/* The child of that key, or NULL; `map` may be NULL. */
struct node *node_get(const struct node *map, const char *key);

/* True for a value left out: nothing, ~ or null, unquoted.  NULL counts. */
bool node_is_nothing(const struct node *node);

/* Appends a copy of `child` to a map, as the value of `key`. */
void node_append(struct arena *arena, struct node *map, const struct node *child, const char *key);

/*
 * A map with the pairs of `above` and those of `below` whose keys `above` lacks; the children's
 * values are shared.  Either may be NULL, and if one is no map, the result is a copy of `above`, or
 * of `below` if that is NULL.  NULL only if both are NULL or without memory.
 */
struct node *node_overlay(struct arena *arena, const struct node *below, const struct node *above);

/* Describes a node in messages: "'abc'", "a list", "a map", "nothing".  Returns `text`. */
const char *node_found(const struct node *node, char *text, size_t size);

#endif

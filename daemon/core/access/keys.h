/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The authorised keys, as a table that is replaced as a whole, and the refusals of others.
 *
 * Threads: all functions, any.
 */
#ifndef ASSAY_CORE_ACCESS_KEYS_H
#define ASSAY_CORE_ACCESS_KEYS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/key-file.h"
#include "config/config.h"

#define ACCESS_NAME 33 /* of a key, with its NUL */

struct key_table;

struct key_refusal {
	enum config_role socket; /* CONFIG_ROLES: none of ours */
	char address[64];        /* of the peer */
	char key[KEY_FILE_TEXT]; /* "": it has shown none */
	const char *why;         /* a literal */
};

/* Copies the keys.  Owned; NULL: no memory. */
struct key_table *key_table_create(const struct config_key *keys, size_t count);
void key_table_destroy(struct key_table *table);

/* Replaces the keys.  0, or -ENOMEM: the former ones stay. */
int key_table_set(struct key_table *table, const struct config_key *keys, size_t count);

/* Goes up whenever a key loses a right.  Borrowed as long as the table. */
const atomic_uint *key_table_removals(const struct key_table *table);

/* NULL: the key may use this socket, and its name is in `name`.  Otherwise the reason why not. */
const char *key_table_refuses(const struct key_table *table, const uint8_t key[KEY_FILE_SIZE],
	enum config_role role, char name[ACCESS_NAME]);

/* Notes refusals, of which `last` is the last one: the number of all and the last one are kept. */
void key_table_note(struct key_table *table, const struct key_refusal *last, uint64_t count);
uint64_t key_table_refusals(const struct key_table *table, struct key_refusal *last);

#endif

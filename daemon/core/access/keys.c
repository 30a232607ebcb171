/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/access/keys.h"

struct row {
	char name[ACCESS_NAME];
	uint8_t key[KEY_FILE_SIZE];
	unsigned roles;
};

struct key_table {
	pthread_mutex_t lock;
	struct row *rows;
	size_t count;
	atomic_uint removals;
	uint64_t refusals;
	struct key_refusal last;
};

static struct row *copy(const struct config_key *keys, size_t count)
{
	struct row *rows = calloc(count + 1, sizeof *rows);
	for (size_t i = 0; i < count && rows != NULL; i++) {
		snprintf(rows[i].name, sizeof rows[i].name, "%s", keys[i].name);
		memcpy(rows[i].key, keys[i].key, KEY_FILE_SIZE);
		rows[i].roles = keys[i].roles;
	}
	return rows;
}

struct key_table *key_table_create(const struct config_key *keys, size_t count)
{
	struct key_table *t = calloc(1, sizeof *t);
	struct row *rows = copy(keys, count);
	if (t == NULL || rows == NULL) {
		free(t);
		free(rows);
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	t->rows = rows;
	t->count = count;
	return t;
}

void key_table_destroy(struct key_table *t)
{
	if (t == NULL)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t->rows);
	free(t);
}

/* Public keys are no secrets, and the peer has proved that it has the secret one: memcmp() will do. */
static const struct row *find(const struct row *rows, size_t count, const uint8_t *key)
{
	for (size_t i = 0; i < count; i++) {
		if (memcmp(rows[i].key, key, KEY_FILE_SIZE) == 0)
			return &rows[i];
	}
	return NULL;
}

int key_table_set(struct key_table *t, const struct config_key *keys, size_t count)
{
	struct row *rows = copy(keys, count), *old;
	bool is_less = false;
	if (rows == NULL)
		return -ENOMEM;
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->count; i++) {
		const struct row *now = find(rows, count, t->rows[i].key);
		is_less = is_less || (t->rows[i].roles & ~(now != NULL ? now->roles : 0)) != 0;
	}
	old = t->rows;
	t->rows = rows;
	t->count = count;
	pthread_mutex_unlock(&t->lock);
	free(old);
	if (is_less)
		atomic_fetch_add(&t->removals, 1); /* after the change: who comes back meets it */
	return 0;
}

const atomic_uint *key_table_removals(const struct key_table *t)
{
	return &t->removals;
}

const char *key_table_refuses(const struct key_table *table, const uint8_t key[KEY_FILE_SIZE],
	enum config_role role, char name[ACCESS_NAME])
{
	struct key_table *t = (struct key_table *)table;
	pthread_mutex_lock(&t->lock);
	const struct row *row = find(t->rows, t->count, key);
	const char *why = row == NULL ? "the key is not in the list of authorised keys"
			  : (row->roles >> role & 1) == 0 ? "the key has no right to this socket"
							  : NULL;
	if (why == NULL)
		memcpy(name, row->name, ACCESS_NAME);
	pthread_mutex_unlock(&t->lock);
	return why;
}

void key_table_note(struct key_table *t, const struct key_refusal *last, uint64_t count)
{
	pthread_mutex_lock(&t->lock);
	t->refusals += count;
	t->last = *last;
	pthread_mutex_unlock(&t->lock);
}

uint64_t key_table_refusals(const struct key_table *table, struct key_refusal *last)
{
	struct key_table *t = (struct key_table *)table;
	pthread_mutex_lock(&t->lock);
	uint64_t count = t->refusals;
	*last = t->last;
	pthread_mutex_unlock(&t->lock);
	return count;
}

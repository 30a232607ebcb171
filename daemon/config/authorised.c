/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of authorised keys, a file of its own: their owners change at other times than the
 * instruments, and it can have other readers.
 *
 *	lims: {key: 'Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID', roles: [read, replay]}
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/fields.h"
#include "config/sections.h"
#include "config/source.h"
#include "record/topic.h"

#define KEYS_MAX 256

struct entry {
	const char *key;
	unsigned roles;
};

/* In the order of enum config_role. */
const char *const config_roles[] = {"read", "replay", "control", NULL};

static const struct field entry_fields[] = {
	{"key", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct entry, key),
		.help = "the public key, as `assayctl keygen` prints it, in quotes"},
	{"roles", FIELD_FLAGS, FIELD_REQUIRED, offsetof(struct entry, roles),
		.choices = config_roles,
		.help = "the sockets that it may use: read (live), replay, control"},
	{0},
};

static void read_entry(struct load *load, const struct node *node, struct config_key *keys)
{
	struct config *config = load->config;
	struct entry entry = {0};
	size_t errors = load->errors->count;
	if (!token_is_valid(string_of(node->key)))
		load_error(load, node->key_mark,
			"found the name '%.60s', expected [a-z0-9-], at most 32 characters",
			node->key);
	if (!fields_expect_map(load, node, node->key, false))
		return;
	fields_read(load, node, node->key, node->key_mark, entry_fields, &entry);
	const struct node *key = node_get(node, "key"), *roles = node_get(node, "roles");
	struct config_key *to = &keys[config->key_count];
	*to = (struct config_key){.name = node->key, .text = entry.key, .roles = entry.roles};
	if (load->errors->count > errors)
		return;
	if (!key_file_decode(entry.key, to->key)) {
		load_found(load, key,
			"expected 40 characters in quotes, as `assayctl keygen` prints them");
		return;
	}
	if (entry.roles == 0)
		load_error(load, roles->mark, "found no role, expected read, replay or control");
	for (size_t i = 0; i < config->key_count; i++) {
		if (strcmp(keys[i].text, to->text) == 0)
			load_error(load, key->mark,
				"'%.60s' has this key, too: each program needs its own",
				keys[i].name);
	}
	config->key_count++;
}

void authorised_read(struct load *load, const struct node *root)
{
	if (root == NULL || !fields_expect_map(load, root, "the list of keys", true))
		return;
	if (root->count > KEYS_MAX) {
		load_error(load, root->mark, "found %zu keys, expected at most %d", root->count,
			KEYS_MAX);
		return;
	}
	struct config_key *keys = arena_array(load->arena, root->count, sizeof *keys);
	if (keys == NULL)
		return;
	load->config->keys = keys;
	for (const struct node *node = root->first; node != NULL; node = node->next)
		read_entry(load, node, keys);
}

/* Whether only its owner may write the file; an error if not. */
static bool is_safe(struct load *load, const char *path)
{
	struct stat st;
	struct config_mark where = {path, 1, 1};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool is_open = fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH)) != 0;
	if (fd >= 0)
		close(fd);
	if (is_open)
		load_error(load, where,
			"its group or others may write this file, and so let anyone in: chmod 644");
	return !is_open;
}

void authorised_load(struct load *load, const char *path)
{
	if (load->source->is_saved || is_safe(load, path))
		authorised_read(load, source_load(load->source, path, load->arena, load->errors));
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/suggest.h"
#include "config/profile.h"
#include "config/source.h"
#include "config/warnings.h"

#define NAMES_MAX 200

const struct field profile_fields[] = {
	{"summary", FIELD_TEXT, 0, offsetof(struct profile, summary),
		.help = "one line: which instruments"},
	{"driver", FIELD_TOKEN, 0, offsetof(struct profile, driver),
		.help = "the driver that it is for"},
	{"make", FIELD_TEXT, 0, offsetof(struct profile, make), .help = "manufacturer"},
	{"model", FIELD_TEXT, 0, offsetof(struct profile, model), .help = "model"},
	{"technique", FIELD_TOKEN, 0, offsetof(struct profile, technique),
		.help = "technique, if the driver has none"},
	{"link", FIELD_NODE, 0, offsetof(struct profile, link),
		.help = "keys of the link that all such instruments share"},
	{"settings", FIELD_NODE, 0, offsetof(struct profile, settings),
		.help = "settings of the driver"},
	{"setup", FIELD_NODE, 0, offsetof(struct profile, setup), .help = "declared facts"},
	{0},
};

struct names {
	struct suggest near;
	char names[NAMES_MAX][64];
	size_t count;
};

static void offer_folder(struct names *names, const char *folder)
{
	DIR *dir = folder[0] != '\0' ? opendir(folder) : NULL;
	if (dir == NULL)
		return;
	const struct dirent *entry;
	while ((entry = readdir(dir)) != NULL && names->count < NAMES_MAX) {
		size_t len = strlen(entry->d_name);
		bool is_profile = len > 5 && len < 64 && entry->d_name[0] != '.' &&
				  strcmp(entry->d_name + len - 5, ".yaml") == 0;
		if (is_profile) {
			char *name = names->names[names->count++];
			memcpy(name, entry->d_name, len - 5);
			name[len - 5] = '\0';
		}
	}
	closedir(dir);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void unknown_profile(struct load *load, const struct node *node, const char *beside)
{
	struct names *names = arena_alloc(load->arena, sizeof *names);
	char end[400];
	if (names == NULL)
		return;
	offer_folder(names, beside);
	offer_folder(names, load->profile_dir);
	qsort(names->names, names->count, sizeof names->names[0], by_text);
	suggest_init(&names->near, node->text);
	for (size_t i = 0; i < names->count; i++)
		suggest_offer(&names->near, names->names[i]);
	load_error(load, node->mark, "there is no profile '%.60s' in %.200s or %.200s%s",
		node->text, beside, load->profile_dir, suggest_text(&names->near, end, sizeof end));
}

/* The file's path, or NULL after an error. */
static const char *find_file(struct load *load, const struct node *node)
{
	const char *name = node->text;
	if (name[0] == '/')
		return name;
	if (strchr(name, '/') != NULL) {
		const char *slash = strrchr(node->mark.file, '/');
		size_t len = slash != NULL ? (size_t)(slash - node->mark.file) + 1 : 0;
		return arena_printf(load->arena, "%.*s%s", (int)len, node->mark.file, name);
	}
	const char *beside = arena_printf(load->arena, "%s/profiles", load->dir);
	const char *folders[] = {beside, load->profile_dir};
	for (size_t i = 0; i < 2; i++) {
		const char *path = arena_printf(load->arena, "%s/%s.yaml", folders[i], name);
		if (folders[i][0] != '\0' && source_access(load->source, path, F_OK) == 0)
			return path;
	}
	unknown_profile(load, node, beside);
	return NULL;
}

bool profile_take(struct load *load, const struct node *root, const char *path, struct profile *out)
{
	size_t before = load->errors->count;
	struct config_mark where = {path, 1, 1};
	*out = (struct profile){.root = root};
	warn_of_texts(load, root);
	fields_read(load, root, "a profile", where, profile_fields, out);
	return load->errors->count == before;
}

bool profile_read(struct load *load, const struct node *node, struct profile *out)
{
	*out = (struct profile){0};
	if (node->type != NODE_SCALAR || node_is_nothing(node) || node->text[0] == '\0') {
		load_found(load, node, "expected the name of a profile or its path");
		return false;
	}
	if (load->dir == NULL) {
		load_error(load, node->mark, "a profile cannot be named here");
		return false;
	}
	const char *path = find_file(load, node);
	if (path == NULL)
		return false;
	if (source_access(load->source, path, R_OK) != 0) {
		load_error(load, node->mark, "the profile %.200s cannot be read: %s", path,
			strerror(errno));
		return false;
	}
	const struct node *root = source_load(load->source, path, load->arena, load->errors);
	return root != NULL && profile_take(load, root, path, out);
}

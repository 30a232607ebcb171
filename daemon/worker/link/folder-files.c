/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "worker/link/folder-files.h"

struct finding {
	const struct folder_tree *tree;
	struct folder_files *files;
	unsigned depth;
};

static int take_file(void *context, const char *path, const struct folder_item *item)
{
	struct finding *finding = context;
	struct folder_files *files = finding->files;
	if (item->is_folder) {
		struct finding below = {finding->tree, files, finding->depth + 1};
		return below.depth > FOLDER_DEPTH_MAX
			       ? -E2BIG
			       : folder_tree_list(finding->tree, path, take_file, &below);
	}
	if (!item->is_file)
		return 0;
	if (files->count == FOLDER_FILES_MAX)
		return -E2BIG;
	if ((files->count & (files->count - 1)) == 0) { /* 0 or a power of two: full */
		size_t size = files->count == 0 ? 1 : 2 * files->count;
		void *more = realloc(files->at, size * sizeof *files->at);
		if (more == NULL)
			return -ENOMEM;
		files->at = more;
	}
	char *copy = strdup(path);
	if (copy == NULL)
		return -ENOMEM;
	files->at[files->count++] = (struct folder_file){.path = copy, .item = *item};
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const struct folder_file *x = a, *y = b;
	int order = strcasecmp(x->path, y->path);
	return order != 0 ? order : strcmp(x->path, y->path);
}

int folder_files_find(struct folder_files *files, const struct folder_tree *tree, const char *path)
{
	struct finding finding = {tree, files, 0};
	struct folder_item item;
	*files = (struct folder_files){NULL, 0};
	int r = folder_tree_look(tree, path, &item);
	if (r == 0)
		r = item.is_folder ? folder_tree_list(tree, path, take_file, &finding)
				   : take_file(&finding, path, &item);
	if (r == 0 && files->count > 0)
		qsort(files->at, files->count, sizeof *files->at, by_path);
	return r;
}

void folder_files_finish(struct folder_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->at[i].path);
	free(files->at);
	*files = (struct folder_files){NULL, 0};
}

int folder_chunks_add(struct folder_chunks *chunks, const uint8_t digest[SHA256_BYTES])
{
	if (chunks->count == chunks->room) {
		size_t room = chunks->room == 0 ? 1 : 2 * chunks->room;
		void *more = realloc(chunks->digest, room * sizeof *chunks->digest);
		if (more == NULL)
			return -ENOMEM;
		chunks->digest = more;
		chunks->room = room;
	}
	memcpy(chunks->digest[chunks->count++], digest, SHA256_BYTES);
	return 0;
}

void folder_chunks_finish(struct folder_chunks *chunks)
{
	free(chunks->digest);
	*chunks = (struct folder_chunks){NULL, 0, 0};
}

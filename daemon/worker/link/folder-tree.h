/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files below one folder, to read only, and nothing else of the file system.
 *
 * Every open() goes by openat2() with one of two sets of options in read-only memory, and stays below
 * the folder: no `..`, no link, no absolute path.  folder_tree_confine() makes that a rule of the
 * kernel for the whole process.  A look opens no file, because a file that is open here can keep the
 * instrument's program from writing to it.
 *
 * Times are nanoseconds since 1970, UTC, as the file system has them.
 */
#ifndef ASSAY_WORKER_LINK_FOLDER_TREE_H
#define ASSAY_WORKER_LINK_FOLDER_TREE_H

#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>

#define FOLDER_PATH_MAX 1024 /* below the folder, with the 0 */

struct folder_tree {
	int root, parent; /* the folder, and the one it is in */
	char name[256];   /* the folder's, in its parent */
	const struct folder_options {
		struct open_how look, read;
	} * options; /* in read-only memory */
};

struct folder_item {
	bool is_folder, is_file; /* neither: a link, a device ... */
	uint64_t size;
	int64_t modified;
};

/* 0 or a negative errno.  The tree closes nothing: its process ends. */
int folder_tree_open(struct folder_tree *tree, const char *path);

/*
 * From here on the process can open files as above, read them, and exchange messages at `*fd`, which
 * gets another number; all other descriptors are closed.  For good.  0 or a negative errno.
 */
int folder_tree_confine(struct folder_tree *tree, int *fd);

/* -ESTALE if the folder is no longer the one at its path, such as before a share is mounted. */
int folder_tree_check(const struct folder_tree *tree);

/* 0 or a negative errno. */
int folder_tree_look(const struct folder_tree *tree, const char *path, struct folder_item *item);

/* A descriptor of a file to read, or a negative errno: -EINVAL if it is none. */
int folder_tree_read(const struct folder_tree *tree, const char *path);

/*
 * Calls take() with the path below the tree and the item of each name in the folder at `path` ("" is
 * the tree itself), until it returns a negative errno.  0, that errno, or that of the folder.  Names that
 * vanish meanwhile, and those whose path is too long, are left out.
 */
typedef int folder_take(void *context, const char *path, const struct folder_item *item);
int folder_tree_list(
	const struct folder_tree *tree, const char *path, folder_take *take, void *context);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/confine.h"
#include "worker/link/folder-tree.h"

#define PAGE_BYTES 4096
#define BELOW      (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
#define LOOK       (O_PATH | O_NOFOLLOW | O_CLOEXEC)
/* A pipe does not block, and a terminal does not become the process's own. */
#define READ       (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static const struct folder_options *pin_options(void)
{
	struct folder_options *page = mmap(
		NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return NULL;
	*page = (struct folder_options){
		.look = {.flags = LOOK, .resolve = BELOW},
		.read = {.flags = READ, .resolve = BELOW},
	};
	return mprotect(page, PAGE_BYTES, PROT_READ) < 0 ? NULL : page;
}

int folder_tree_open(struct folder_tree *tree, const char *path)
{
	char *real = realpath(path, NULL);
	*tree = (struct folder_tree){.root = -1, .parent = -1, .options = pin_options()};
	if (real == NULL || tree->options == NULL) {
		int error = errno;
		free(real);
		return -error;
	}
	tree->root = open(real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *slash = strrchr(real, '/');
	snprintf(tree->name, sizeof tree->name, "%s", slash[1] != '\0' ? slash + 1 : ".");
	slash[slash == real ? 1 : 0] = '\0';
	if (tree->root >= 0)
		tree->parent = open(real, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error = errno;
	free(real);
	return tree->parent < 0 ? -error : 0;
}

/* --- confinement ------------------------------------------------------------------------------ */

static int allow_opening(scmp_filter_ctx filter, int at, const struct open_how *how)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat2), 3,
		SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)at),
		SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)(uintptr_t)how),
		SCMP_A3(SCMP_CMP_EQ, sizeof *how));
}

static int allow(scmp_filter_ctx filter, const struct folder_tree *tree)
{
	static const int always[] = {SCMP_SYS(recvfrom), SCMP_SYS(poll), SCMP_SYS(ppoll),
		SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(getdents64),
		SCMP_SYS(fstat), SCMP_SYS(clock_gettime), SCMP_SYS(brk), SCMP_SYS(munmap),
		SCMP_SYS(mremap), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
		SCMP_SYS(restart_syscall), SCMP_SYS(futex)};
	int kept = tree->root > tree->parent ? tree->root : tree->parent, r = 0;
	for (size_t i = 0; i < sizeof always / sizeof always[0] && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, always[i], 0);
	if (r == 0)
		r = allow_opening(filter, tree->root, &tree->options->look);
	if (r == 0)
		r = allow_opening(filter, tree->root, &tree->options->read);
	if (r == 0)
		r = allow_opening(filter, tree->parent, &tree->options->look);
	/* Else another folder could get the number of the root. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(close), 1,
			SCMP_A0(SCMP_CMP_GT, (scmp_datum_t)kept));
	if (r == 0) /* fstat() of the C library */
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
			SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH));
	static const int of_opendir[] = {F_GETFL, F_SETFD};
	for (int i = 0; i < 2 && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1,
			SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)of_opendir[i]));
	if (r == 0)
		r = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, SCMP_A4(SCMP_CMP_EQ, 0));
	/* Private memory that is not code. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
			SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
			SCMP_A3(SCMP_CMP_EQ, MAP_PRIVATE | MAP_ANONYMOUS));
	return r == -EDOM ? 0 : r;
}

/* All but the three, which it moves to 0, 1 and 2: no file that is opened later can be one of them. */
static int keep_only(struct folder_tree *tree, int *fd)
{
	int *kept[] = {fd, &tree->root, &tree->parent};
	for (int i = 0; i < 3; i++) { /* away from 0 ... 2 first */
		int high = fcntl(*kept[i], F_DUPFD_CLOEXEC, 3);
		if (high < 0)
			return -errno;
		*kept[i] = high;
	}
	for (int i = 0; i < 3; i++) {
		if (dup3(*kept[i], i, O_CLOEXEC) < 0)
			return -errno;
		*kept[i] = i;
	}
	return close_range(3, ~0u, 0) < 0 ? -errno : 0;
}

int folder_tree_confine(struct folder_tree *tree, int *fd)
{
	int r = keep_only(tree, fd);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	if (!confine_is_possible())
		return 0; /* the worker has reported it */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	r = filter == NULL ? -ENOMEM : allow(filter, tree);
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

/* --- files ------------------------------------------------------------------------------------ */

static int open_below(int at, const char *path, const struct open_how *how)
{
	int fd = (int)syscall(SYS_openat2, at, path[0] != '\0' ? path : ".", how, sizeof *how);
	return fd < 0 ? -errno : fd;
}

static int stat_below(int at, const char *path, const struct open_how *how, struct stat *st)
{
	int fd = open_below(at, path, how);
	if (fd < 0)
		return fd;
	int r = fstat(fd, st) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int folder_tree_check(const struct folder_tree *tree)
{
	struct stat there, here;
	int r = stat_below(tree->parent, tree->name, &tree->options->look, &there);
	if (r == 0 && fstat(tree->root, &here) < 0)
		r = -errno;
	if (r == 0 && (here.st_dev != there.st_dev || here.st_ino != there.st_ino))
		r = -ESTALE;
	return r;
}

int folder_tree_look(const struct folder_tree *tree, const char *path, struct folder_item *item)
{
	struct stat st;
	int r = stat_below(tree->root, path, &tree->options->look, &st);
	if (r < 0)
		return r;
	*item = (struct folder_item){
		.is_folder = S_ISDIR(st.st_mode),
		.is_file = S_ISREG(st.st_mode),
		.size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0,
		.modified = (int64_t)st.st_mtim.tv_sec * (int64_t)NS_PER_S + st.st_mtim.tv_nsec,
	};
	return 0;
}

int folder_tree_read(const struct folder_tree *tree, const char *path)
{
	struct folder_item item;
	int r = folder_tree_look(tree, path, &item);
	if (r == 0 && !item.is_file)
		r = -EINVAL;
	return r < 0 ? r : open_below(tree->root, path, &tree->options->read);
}

int folder_tree_list(
	const struct folder_tree *tree, const char *path, folder_take *take, void *context)
{
	int fd = open_below(tree->root, path, &tree->options->read);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (folder == NULL) {
		int error = fd < 0 ? -fd : errno;
		if (fd >= 0)
			close(fd);
		return -error;
	}
	struct dirent *entry;
	int r = 0;
	while (r >= 0 && (errno = 0, entry = readdir(folder)) != NULL) {
		char below[FOLDER_PATH_MAX];
		struct folder_item item;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		int n = snprintf(below, sizeof below, "%s%s%s", path, path[0] != '\0' ? "/" : "",
			entry->d_name);
		if (n >= FOLDER_PATH_MAX)
			continue;
		r = folder_tree_look(tree, below, &item);
		if (r == 0)
			r = take(context, below, &item);
		else if (r == -ENOENT || r == -ELOOP) /* gone, or a link */
			r = 0;
	}
	if (r >= 0 && errno != 0)
		r = -errno;
	closedir(folder);
	return r < 0 ? r : 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "edit-copy.h"
#include "file.h"

#define FILE_MAX ((size_t)4 << 20)

/* Its bytes, owned; NULL with errno: it cannot be read, or is longer than FILE_MAX. */
static char *read_all(int fd, size_t *len)
{
	char *text = malloc(FILE_MAX + 1);
	ssize_t n = 1;
	*len = 0;
	while (text != NULL && n > 0 && *len <= FILE_MAX) {
		n = pread(fd, text + *len, FILE_MAX + 1 - *len, (off_t)*len);
		*len += n > 0 ? (size_t)n : 0;
	}
	if (text != NULL && (n < 0 || *len > FILE_MAX)) {
		errno = n < 0 ? errno : EFBIG;
		free(text);
		text = NULL;
	}
	return text;
}

static int fail(const char *path, int error)
{
	fprintf(stderr, "assayctl: %s: %s%s\n", path, strerror(error),
		error == EACCES || error == EPERM ? ": use sudo" : "");
	return 1;
}

/* The path of a name in a folder. */
static int join(char to[PATH_MAX], const char *folder, const char *name)
{
	return snprintf(to, PATH_MAX, "%s/%s", folder, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Makes in `place` a link to each entry of `folder`, except for `edited` and hidden ones. */
static int link_all(const char *folder, const char *place, const char *edited)
{
	char from[PATH_MAX], to[PATH_MAX];
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int r = dir != NULL ? 0 : -errno;
	while (r == 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || strcmp(entry->d_name, edited) == 0)
			continue;
		r = join(from, folder, entry->d_name);
		r = r == 0 ? join(to, place, entry->d_name) : r;
		if (r == 0 && symlink(from, to) < 0)
			r = -errno;
	}
	if (dir != NULL)
		closedir(dir);
	return r;
}

static int write_copy(const struct edit_copy *edit)
{
	int fd = open(edit->copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = fd >= 0 ? file_write(fd, edit->text, edit->len) : -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

/* `name` is that of the original in the folder; it may begin with instruments.d or methods.d. */
static int fill_place(struct edit_copy *edit, const char *name)
{
	char inner[PATH_MAX], outer[PATH_MAX], first[NAME_MAX + 1];
	const char *slash = strchr(name, '/');
	size_t len = slash != NULL ? (size_t)(slash - name) : strlen(name);
	snprintf(first, sizeof first, "%.*s", (int)len, name);
	if (join(edit->place, edit->folder, ".edit-XXXXXX") < 0)
		return -ENAMETOOLONG;
	if (mkdtemp(edit->place) == NULL) {
		edit->place[0] = '\0';
		return -errno;
	}
	int r = link_all(edit->folder, edit->place, first);
	if (r == 0 && slash != NULL) {
		r = join(inner, edit->place, first);
		r = r == 0 ? join(outer, edit->folder, first) : r;
		if (r == 0 && mkdir(inner, 0700) < 0)
			r = -errno;
		r = r == 0 ? link_all(outer, inner, slash + 1) : r;
	}
	r = r == 0 ? join(edit->copy, edit->place, name) : r;
	return r == 0 ? write_copy(edit) : r;
}

/* The name of the file in the folder of the configuration; NULL: it is no part of it. */
static const char *name_in(const struct edit_copy *edit, const char *main)
{
	static const char *const folders[] = {"instruments.d/", "methods.d/"};
	size_t len = strlen(edit->folder);
	const char *name = edit->file + len + 1;
	if (strncmp(edit->file, edit->folder, len) != 0 || edit->file[len] != '/')
		return NULL;
	bool is_part = strcmp(edit->file, main) == 0;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		size_t before = strlen(folders[i]);
		is_part |= strncmp(name, folders[i], before) == 0 &&
			   strchr(name + before, '/') == NULL;
	}
	return is_part ? name : NULL;
}

/* The path without links.  A file that is new needs its folder only.  0 or a negative errno. */
static int resolve(struct edit_copy *edit, const char *file)
{
	char copy[PATH_MAX], folder[PATH_MAX];
	if (realpath(file, edit->file) != NULL)
		return 0;
	if (errno != ENOENT || snprintf(copy, sizeof copy, "%s", file) >= (int)sizeof copy ||
		realpath(dirname(copy), folder) == NULL)
		return -errno;
	const char *slash = strrchr(file, '/');
	edit->is_new = true;
	return join(edit->file, folder, slash != NULL ? slash + 1 : file);
}

/* Locks and reads it.  0, or 1 after a message. */
static int open_original(struct edit_copy *edit, const char *file)
{
	edit->fd = open(edit->file, O_RDWR | O_CLOEXEC);
	if (edit->fd < 0)
		return fail(file, errno);
	if (flock(edit->fd, LOCK_EX | LOCK_NB) < 0) {
		fprintf(stderr,
			"assayctl: %s is being edited by another assayctl edit: wait for its end\n",
			file);
		return 1;
	}
	if (fstat(edit->fd, &edit->st) < 0 || (edit->text = read_all(edit->fd, &edit->len)) == NULL)
		return fail(file, errno);
	return 0;
}

int edit_copy_make(struct edit_copy *edit, const char *main, const char *file)
{
	char whole[PATH_MAX];
	*edit = (struct edit_copy){.fd = -1};
	if (realpath(main, whole) == NULL)
		return fail(main, errno);
	int r = resolve(edit, file);
	if (r < 0)
		return fail(file, -r);
	snprintf(edit->folder, sizeof edit->folder, "%s", whole);
	*strrchr(edit->folder, '/') = '\0';
	const char *name = name_in(edit, whole);
	if (name == NULL) {
		fprintf(stderr,
			"assayctl: %s is no part of the configuration: give %s, or a file in its "
			"instruments.d or methods.d\n",
			file, main);
		return 1;
	}
	if (edit->is_new && stat(whole, &edit->st) < 0)
		return fail(main, errno);
	if (!edit->is_new && (r = open_original(edit, file)) != 0)
		return r;
	r = fill_place(edit, name);
	if (r == 0)
		r = join(edit->main, edit->place, whole + strlen(edit->folder) + 1);
	return r == 0 ? 0 : fail(edit->folder, -r);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

void edit_copy_finish(struct edit_copy *edit)
{
	if (edit->place[0] != '\0')
		nftw(edit->place, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	if (edit->fd >= 0)
		close(edit->fd);
	free(edit->text);
}

static int compare(const struct edit_copy *edit, const char *path)
{
	size_t len;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char *text = fd >= 0 ? read_all(fd, &len) : NULL;
	int r = text == NULL ? -errno
			     : len == edit->len && (len == 0 || memcmp(text, edit->text, len) == 0);
	free(text);
	if (fd >= 0)
		close(fd);
	return r;
}

int edit_copy_is_same(const struct edit_copy *edit)
{
	return compare(edit, edit->copy);
}

int edit_copy_replace(struct edit_copy *edit)
{
	struct stat now = edit->st;
	bool is_changed = !edit->is_new &&
			  (lstat(edit->file, &now) < 0 || now.st_ino != edit->st.st_ino ||
				  now.st_dev != edit->st.st_dev || compare(edit, edit->file) != 1);
	if (is_changed)
		return -ESTALE;
	int fd = open(edit->copy, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	bool is_kept = fchown(fd, now.st_uid, now.st_gid) == 0 &&
		       fchmod(fd, now.st_mode & 07777) == 0 && fsync(fd) == 0 &&
		       (edit->is_new ? link(edit->copy, edit->file)
				     : rename(edit->copy, edit->file)) == 0;
	int r = is_kept           ? file_sync_folder(AT_FDCWD, edit->file)
		: errno == EEXIST ? -ESTALE
				  : -errno;
	close(fd);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: below SYSTEM_STATE on the simulated disk, elsewhere (the configuration) real ones.
 * Every call that changes something may be the one at which the daemon is killed.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "disk.h"
#include "journal/id.h"
#include "journal/io.h"
#include "sys.h"

#define BOOT_ID "/proc/sys/kernel/random/boot_id"

struct sys_dir {
	int fd;
	char **names;
	size_t count, next;
	struct dirent entry;
};

static const struct io *io(void)
{
	return disk_io(sys.disk);
}

static void *ctx(void)
{
	return io()->ctx;
}

static void after_kill(void *arg)
{
	system_kill();
	void (*killed)(void) = sys.killed;
	sys.killed = NULL;
	killed();
}

/* A call that changes the disk is about to be made. */
static void step(void)
{
	if (sys.kill_at != 0 && --sys.kill_at == 0)
		threads_kill(after_kill, NULL);
}

/* --- paths ----------------------------------------------------------------------------------- */

static bool is_ours(const char *path)
{
	size_t len = strlen(SYSTEM_STATE);
	return strncmp(path, SYSTEM_STATE, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* The disk's descriptor of a simulated directory; -1: it is another kind. */
static int dir_of(int fd)
{
	const struct sys_fd *f = fd_find(fd);
	return f != NULL && f->kind == FD_FILE ? f->file : -1;
}

/*
 * Opens the folder of a path on the disk; *name is its last part.  A name in an open folder needs
 * none.  Close it with leave_folder().
 */
struct place {
	int dir;
	bool is_opened;
	const char *name;
};

static int enter_folder(struct place *place, int dirfd, const char *path)
{
	if (path[0] != '/') {
		*place = (struct place){.dir = dir_of(dirfd), .name = path};
		return place->dir < 0 ? -EBADF : 0;
	}
	int dir = io()->openat(ctx(), IO_CWD, SYSTEM_STATE, O_RDONLY | O_DIRECTORY);
	const char *at = path + strlen(SYSTEM_STATE);
	while (dir >= 0) {
		char part[NAME_MAX + 1];
		at += strspn(at, "/");
		size_t len = strcspn(at, "/");
		assert(len < sizeof part);
		if (at[len + strspn(at + len, "/")] == '\0')
			break;
		memcpy(part, at, len);
		part[len] = '\0';
		int next = io()->openat(ctx(), dir, part, O_RDONLY | O_DIRECTORY);
		io()->close(ctx(), dir);
		dir = next;
		at += len;
	}
	*place = (struct place){.dir = dir, .is_opened = true, .name = *at != '\0' ? at : "."};
	return dir < 0 ? dir : 0;
}

static void leave_folder(const struct place *place)
{
	if (place->is_opened && place->dir >= 0)
		io()->close(ctx(), place->dir);
}

/* --- opening --------------------------------------------------------------------------------- */

static long open_boot_id(void)
{
	struct sys_fd *f;
	uint8_t id[IO_BOOT_SIZE];
	int fd = fd_create(FD_FILE, &f);
	if (fd < 0)
		return fd;
	f->file = -1;
	io()->boot_id(ctx(), id);
	journal_id_format(f->text, id);
	strcat(f->text, "\n");
	return fd;
}

static long open_ours(int dirfd, const char *path, int flags)
{
	struct place place;
	struct sys_fd *f;
	if ((flags & (O_CREAT | O_TRUNC)) != 0)
		step();
	int fd = fd_create(FD_FILE, &f);
	int r = fd < 0 ? fd : enter_folder(&place, dirfd, path);
	if (fd < 0)
		return fd;
	if (r == 0) {
		r = io()->openat(ctx(), place.dir, place.name, flags & ~O_APPEND);
		leave_folder(&place);
	}
	if (r < 0) {
		f->file = -1;
		fd_release(fd);
		return r;
	}
	f->file = r;
	f->appends = (flags & O_APPEND) != 0;
	return fd;
}

int sim_openat64(int dirfd, const char *path, int flags, ...)
{
	if (strcmp(path, BOOT_ID) == 0)
		return (int)sys_result(open_boot_id());
	if (path[0] != '/' ? dir_of(dirfd) >= 0 : is_ours(path))
		return (int)sys_result(open_ours(dirfd, path, flags));
	assert((flags & O_CREAT) == 0);
	return openat(dirfd, path, flags);
}

int sim_open64(const char *path, int flags, ...)
{
	return sim_openat64(AT_FDCWD, path, flags);
}

void file_close(struct sys_fd *f)
{
	if (f->file >= 0)
		io()->close(ctx(), f->file);
}

/* --- reading and writing --------------------------------------------------------------------- */

static long read_at(struct sys_fd *f, void *data, size_t len, uint64_t offset)
{
	if (f->file >= 0)
		return io()->pread(ctx(), f->file, data, len, offset);
	size_t size = strlen(f->text);
	size_t n = offset < size ? size - offset : 0;
	n = n < len ? n : len;
	memcpy(data, f->text + offset, n);
	return (long)n;
}

ssize_t sim_pread64(int fd, void *data, size_t len, off_t offset)
{
	struct sys_fd *f = fd_find(fd);
	return f == NULL ? pread(fd, data, len, offset)
			 : sys_result(read_at(f, data, len, (uint64_t)offset));
}

/* Of read() and write(), for a file. */
long file_read(struct sys_fd *f, void *data, size_t len)
{
	long n = read_at(f, data, len, f->position);
	if (n > 0)
		f->position += (uint64_t)n;
	return n;
}

long file_write(struct sys_fd *f, const void *data, size_t len)
{
	struct iovec iov = {(void *)(uintptr_t)data, len};
	step();
	int r = f->appends ? io()->size(ctx(), f->file, &f->position) : 0;
	long n = r < 0 ? r : io()->pwritev(ctx(), f->file, &iov, 1, f->position);
	if (n > 0)
		f->position += (uint64_t)n;
	return n;
}

ssize_t sim_pwritev64(int fd, const struct iovec *iov, int count, off_t offset)
{
	struct sys_fd *f = fd_find(fd);
	assert(f != NULL);
	step();
	return sys_result(io()->pwritev(ctx(), f->file, iov, count, (uint64_t)offset));
}

/* Others run while the disk works. */
static int sync_file(int fd, int (*sync)(void *ctx, int file))
{
	step();
	uint64_t end = now_boot() + sys.sync_time;
	end = end > sys.stalled_until ? end : sys.stalled_until;
	while (thread_self() != NULL && now_boot() < end) {
		thread_block(&sys.stalled_until, end);
		end = end > sys.stalled_until ? end : sys.stalled_until;
	}
	const struct sys_fd *f = fd_find(fd);
	assert(f != NULL);
	return (int)sys_result(sync(ctx(), f->file));
}

int sim_fdatasync(int fd)
{
	return sync_file(fd, io()->fdatasync);
}

static bool is_folder(const struct sys_fd *f)
{
	int self = io()->openat(ctx(), f->file, ".", O_RDONLY | O_DIRECTORY);
	if (self >= 0)
		io()->close(ctx(), self);
	return self >= 0;
}

int sim_fsync(int fd)
{
	const struct sys_fd *f = fd_find(fd);
	assert(f != NULL);
	return sync_file(fd, is_folder(f) ? io()->fsync_dir : io()->fdatasync);
}

int sim_ftruncate64(int fd, off_t size)
{
	const struct sys_fd *f = fd_find(fd);
	assert(f != NULL);
	step();
	return (int)sys_result(io()->ftruncate(ctx(), f->file, (uint64_t)size));
}

int sim_fstat64(int fd, struct stat *st)
{
	const struct sys_fd *f = fd_find(fd);
	if (f == NULL)
		return fstat(fd, st);
	uint64_t size = 0;
	int r = f->file >= 0 ? io()->size(ctx(), f->file, &size) : 0;
	*st = (struct stat){.st_mode = S_IFREG | 0600, .st_size = (off_t)size};
	return (int)sys_result(r);
}

/* The place of the disk never changes. */
int sim_fstatfs64(int fd, struct statfs *st)
{
	assert(fd_find(fd) != NULL);
	*st = (struct statfs){0};
	return 0;
}

int sim_fstatvfs64(int fd, struct statvfs *st)
{
	const struct sys_fd *f = fd_find(fd);
	assert(f != NULL);
	uint64_t bytes = 0;
	int r = io()->free_bytes(ctx(), f->file, &bytes);
	*st = (struct statvfs){.f_frsize = 1, .f_bavail = bytes};
	return (int)sys_result(r);
}

int sim_flock(int fd, int operation)
{
	const struct sys_fd *f = fd_find(fd);
	assert(f != NULL);
	int r = io()->lock(ctx(), f->file);
	return (int)sys_result(r == -EBUSY ? -EWOULDBLOCK : r);
}

/* --- names ----------------------------------------------------------------------------------- */

static long on_name(int dirfd, const char *path, int (*fn)(void *ctx, int dir, const char *name))
{
	struct place place;
	step();
	int r = enter_folder(&place, dirfd, path);
	if (r == 0)
		r = fn(ctx(), place.dir, place.name);
	leave_folder(&place);
	return sys_result(r);
}

int sim_mkdirat(int dirfd, const char *path, mode_t mode)
{
	if (strcmp(path, SYSTEM_STATE) == 0)
		return (int)sys_result(-EEXIST);
	return (int)on_name(dirfd, path, io()->mkdirat);
}

int sim_mkdir(const char *path, mode_t mode)
{
	if (!is_ours(path)) {
		errno = EEXIST; /* the folder of the sockets */
		return -1;
	}
	return sim_mkdirat(AT_FDCWD, path, mode);
}

int sim_unlinkat(int dirfd, const char *path, int flags)
{
	return (int)on_name(dirfd, path, io()->unlinkat);
}

int sim_unlink(const char *path)
{
	return sim_unlinkat(AT_FDCWD, path, 0);
}

int sim_renameat(int from, const char *name, int to, const char *new_name)
{
	step();
	return (int)sys_result(io()->renameat(ctx(), dir_of(from), name, dir_of(to), new_name));
}

int sim_access(const char *path, int mode)
{
	if (!is_ours(path))
		return access(path, mode);
	int fd = sim_open64(path, O_RDONLY);
	if (fd >= 0)
		fd_release(fd);
	return fd >= 0 ? 0 : -1;
}

/* --- folders --------------------------------------------------------------------------------- */

static int add_name(void *arg, const char *name)
{
	struct sys_dir *dir = arg;
	dir->names = realloc(dir->names, (dir->count + 1) * sizeof *dir->names);
	assert(dir->names != NULL);
	dir->names[dir->count++] = strdup(name);
	return 0;
}

DIR *sim_fdopendir(int fd)
{
	struct sys_dir *dir = calloc(1, sizeof *dir);
	assert(dir != NULL);
	dir->fd = fd;
	int r = io()->list(ctx(), dir_of(fd), add_name, dir);
	if (r == 0)
		return (DIR *)dir;
	free(dir);
	errno = -r;
	return NULL;
}

DIR *sim_opendir(const char *path)
{
	if (!is_ours(path)) {
		errno = ENOENT;
		return NULL;
	}
	int fd = sim_open64(path, O_RDONLY | O_DIRECTORY);
	return fd < 0 ? NULL : sim_fdopendir(fd);
}

struct dirent *sim_readdir64(DIR *handle)
{
	struct sys_dir *dir = (struct sys_dir *)handle;
	if (dir->next == dir->count)
		return NULL;
	snprintf(dir->entry.d_name, sizeof dir->entry.d_name, "%s", dir->names[dir->next++]);
	return &dir->entry;
}

int sim_dirfd(DIR *handle)
{
	return ((struct sys_dir *)handle)->fd;
}

int sim_closedir(DIR *handle)
{
	struct sys_dir *dir = (struct sys_dir *)handle;
	for (size_t i = 0; i < dir->count; i++)
		free(dir->names[i]);
	free(dir->names);
	fd_release(dir->fd);
	free(dir);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/beat.h"
#include "journal/id.h"
#include "journal/io.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"
#define MACHINE_PATH "/etc/machine-id"

/* A pipe or a device in place of a file does not block, and a link to another file is not followed. */
static int posix_openat(void *ctx, int dir, const char *name, int flags)
{
	int fd;
	struct stat st;
	bool is_folder = (flags & O_DIRECTORY) != 0;
	if (!is_folder)
		flags |= O_NOFOLLOW | O_NONBLOCK;
	beat_wait(true);
	do
		fd = openat(dir, name, flags | O_CLOEXEC | O_NOCTTY, 0600);
	while (fd < 0 && errno == EINTR);
	beat_wait(false);
	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? -EBADMSG : -errno;
	if (is_folder || (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)))
		return fd;
	close(fd);
	return -EBADMSG;
}

static void posix_close(void *ctx, int fd)
{
	close(fd);
}

static int posix_mkdirat(void *ctx, int dir, const char *name)
{
	beat_wait(true);
	int r = mkdirat(dir, name, 0700) < 0 ? -errno : 0;
	beat_wait(false);
	return r;
}

static int posix_list(void *ctx, int dir, int (*each)(void *arg, const char *name), void *arg)
{
	int fd = posix_openat(ctx, dir, ".", O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	DIR *names = fdopendir(fd);
	if (names == NULL) {
		int r = -errno;
		close(fd);
		return r;
	}
	int r = 0;
	const struct dirent *entry;
	for (errno = 0; r == 0 && (entry = readdir(names)) != NULL; errno = 0) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = each(arg, entry->d_name);
	}
	if (r == 0)
		r = -errno;
	closedir(names);
	return r;
}

static int posix_renameat(void *ctx, int from, const char *name, int to, const char *new_name)
{
	beat_wait(true);
	int r = renameat(from, name, to, new_name) < 0 ? -errno : 0;
	beat_wait(false);
	return r;
}

static int posix_unlinkat(void *ctx, int dir, const char *name)
{
	beat_wait(true);
	int r = unlinkat(dir, name, 0) < 0 ? -errno : 0;
	beat_wait(false);
	return r;
}

static int posix_fsync_dir(void *ctx, int dir)
{
	beat_wait(true);
	int r = fsync(dir) < 0 ? -errno : 0;
	beat_wait(false);
	return r;
}

static ssize_t posix_pread(void *ctx, int fd, void *data, size_t len, uint64_t offset)
{
	size_t done = 0;
	while (done < len) {
		beat_wait(true);
		ssize_t n = pread(fd, (char *)data + done, len - done, (off_t)(offset + done));
		beat_wait(false);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
		beat_bytes((uint64_t)n);
	}
	return (ssize_t)done;
}

static ssize_t posix_pwritev(void *ctx, int fd, const struct iovec *iov, int count, uint64_t offset)
{
	ssize_t n;
	beat_wait(true);
	do
		n = pwritev(fd, iov, count, (off_t)offset);
	while (n < 0 && errno == EINTR);
	beat_wait(false);
	beat_bytes(n > 0 ? (uint64_t)n : 0);
	return n < 0 ? -errno : n;
}

/* Never repeated, not even after EINTR: the kernel may have marked the pages clean. */
static int posix_fdatasync(void *ctx, int fd)
{
	beat_wait(true);
	int r = fdatasync(fd) < 0 ? -errno : 0;
	beat_wait(false);
	return r;
}

static int posix_ftruncate(void *ctx, int fd, uint64_t size)
{
	int r;
	beat_wait(true);
	do
		r = ftruncate(fd, (off_t)size);
	while (r < 0 && errno == EINTR);
	beat_wait(false);
	return r < 0 ? -errno : 0;
}

static int posix_size(void *ctx, int fd, uint64_t *size)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	*size = (uint64_t)st.st_size;
	return 0;
}

static int posix_lock(void *ctx, int fd)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? -EBUSY : -errno;
}

static int posix_free_bytes(void *ctx, int fd, uint64_t *bytes)
{
	struct statvfs st;
	if (fstatvfs(fd, &st) < 0)
		return -errno;
	*bytes = (uint64_t)st.f_bavail * st.f_frsize;
	return 0;
}

/* The file holds a UUID as text, and a line end. */
static int posix_boot_id(void *ctx, uint8_t id[IO_BOOT_SIZE])
{
	char text[JOURNAL_ID_TEXT];
	int fd = posix_openat(ctx, IO_CWD, BOOT_ID_PATH, O_RDONLY);
	if (fd < 0)
		return fd;
	ssize_t len = read(fd, text, sizeof text);
	close(fd);
	if (len != sizeof text)
		return -EIO;
	text[sizeof text - 1] = '\0';
	return journal_id_parse(id, text) < 0 ? -EIO : 0;
}

/* 32 hex digits and a line end; machine-id(5). */
static void read_machine(uint8_t id[16])
{
	char text[33] = "", byte[3] = "";
	int fd = posix_openat(NULL, IO_CWD, MACHINE_PATH, O_RDONLY);
	ssize_t len = fd < 0 ? fd : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; len == sizeof text - 1 && i < 16; i++) {
		memcpy(byte, text + 2 * i, 2);
		id[i] = (uint8_t)strtoul(byte, NULL, 16);
	}
}

/* Local file systems whose id and inodes stay over a restart; elsewhere the id may be a device's. */
static bool is_lasting(long type)
{
	return type == EXT4_SUPER_MAGIC || type == BTRFS_SUPER_MAGIC || type == TMPFS_MAGIC ||
	       type == 0x2fc12fc1 /* ZFS */;
}

static int posix_identify(void *ctx, int dir, struct io_identity *identity)
{
	struct statfs fs;
	struct stat st;
	*identity = (struct io_identity){0};
	if (fstatfs(dir, &fs) < 0 || fstat(dir, &st) < 0)
		return -errno;
	read_machine(identity->machine);
	identity->file_system = (uint64_t)(unsigned long)fs.f_type;
	if (is_lasting(fs.f_type)) {
		uint64_t id = 0;
		memcpy(&id, &fs.f_fsid,
			sizeof fs.f_fsid < sizeof id ? sizeof fs.f_fsid : sizeof id);
		identity->file_system ^= id;
	}
	if (is_lasting(fs.f_type) || fs.f_type == XFS_SUPER_MAGIC)
		identity->folder = (uint64_t)st.st_ino;
	return 0;
}

static int posix_random(void *ctx, void *data, size_t len)
{
	ssize_t n = getrandom(data, len, 0); /* up to 256 bytes come whole */
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

const struct io io_posix = {
	.openat = posix_openat,
	.close = posix_close,
	.mkdirat = posix_mkdirat,
	.list = posix_list,
	.renameat = posix_renameat,
	.unlinkat = posix_unlinkat,
	.fsync_dir = posix_fsync_dir,
	.pread = posix_pread,
	.pwritev = posix_pwritev,
	.fdatasync = posix_fdatasync,
	.ftruncate = posix_ftruncate,
	.size = posix_size,
	.lock = posix_lock,
	.free_bytes = posix_free_bytes,
	.identify = posix_identify,
	.boot_id = posix_boot_id,
	.random = posix_random,
};

int io_write_all(const struct io *io, int fd, struct iovec *iov, int count, uint64_t offset)
{
	while (count > 0) {
		if (iov->iov_len == 0) {
			iov++;
			count--;
			continue;
		}
		int chunk = count < IO_IOV_MAX ? count : IO_IOV_MAX;
		ssize_t n = io->pwritev(io->ctx, fd, iov, chunk, offset);
		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		offset += (uint64_t)n;
		size_t left = (size_t)n;
		while (count > 0 && left >= iov->iov_len) {
			left -= iov->iov_len;
			iov++;
			count--;
		}
		if (left > 0) {
			iov->iov_base = (char *)iov->iov_base + left;
			iov->iov_len -= left;
		}
	}
	return 0;
}

static int write_new(const struct io *io, int dir, const char *name, const void *data, size_t len)
{
	int fd = io->openat(io->ctx, dir, name, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return fd;
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};
	int r = io_write_all(io, fd, &iov, 1, 0);
	if (r == 0)
		r = io->fdatasync(io->ctx, fd);
	io->close(io->ctx, fd);
	return r;
}

int io_replace(const struct io *io, int dir, const char *name, const void *data, size_t len)
{
	char temporary[64];
	int n = snprintf(temporary, sizeof temporary, "%s.new", name);
	if (n < 0 || (size_t)n >= sizeof temporary)
		return -ENAMETOOLONG;
	int r = write_new(io, dir, temporary, data, len);
	if (r == 0)
		r = io->renameat(io->ctx, dir, temporary, dir, name);
	return r < 0 ? r : io->fsync_dir(io->ctx, dir);
}

/* Syncs the name even if it was found: an earlier process may have made it without a sync. */
int io_open_dir(const struct io *io, int dir, const char *name)
{
	int made = io->mkdirat(io->ctx, dir, name);
	if (made < 0 && made != -EEXIST)
		return made;
	int fd = io->openat(io->ctx, dir, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	int r = 0;
	if (dir != IO_CWD) {
		r = io->fsync_dir(io->ctx, dir);
	} else if (made == 0) {
		int parent = io->openat(io->ctx, fd, "..", O_RDONLY | O_DIRECTORY);
		r = parent < 0 ? parent : io->fsync_dir(io->ctx, parent);
		if (parent >= 0)
			io->close(io->ctx, parent);
	}
	if (r < 0)
		io->close(io->ctx, fd);
	return r < 0 ? r : fd;
}

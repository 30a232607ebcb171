/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "disk.h"
#include "medium.h"

#define FDS_MAX 256

struct fault {
	unsigned calls;
	uint64_t nth, count;
	int error;
};

struct disk {
	struct io_identity identity;
	struct io io;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t boots;

	struct medium medium;
	int fds[FDS_MAX];
	int locked; /* file */

	uint64_t calls, reads, bytes_read;
	uint64_t stop_at, short_at, capacity;
	struct fault fault;
	unsigned lies;
	size_t write_max;
	bool is_stalled;
	int stalled;
};

static uint32_t roll(struct disk *disk, uint32_t bound)
{
	return medium_random(&disk->medium, bound);
}

uint32_t disk_random(struct disk *disk, uint32_t bound)
{
	return roll(disk, bound);
}

/* --- calls */

/* Locks the disk.  0: do it; 1: say it was done; negative: fail. */
static int enter(struct disk *disk, unsigned call)
{
	pthread_mutex_lock(&disk->lock);
	bool stopped = disk->calls >= disk->stop_at;
	if (!stopped && (call & DISK_CHANGES)) {
		disk->calls++;
		stopped = disk->calls >= disk->stop_at;
	}
	if (stopped)
		return -EIO;
	disk->reads += call == DISK_READ;
	struct fault *fault = &disk->fault;
	if (call & fault->calls && fault->count > 0) {
		if (fault->nth > 1) {
			fault->nth--;
		} else {
			fault->count--;
			return fault->error;
		}
	}
	return call & disk->lies ? 1 : 0;
}

static int leave(struct disk *disk, int r)
{
	pthread_mutex_unlock(&disk->lock);
	return r == 1 ? 0 : r;
}

static int file_of(const struct disk *disk, int fd)
{
	if (fd == IO_CWD)
		return MEDIUM_ROOT;
	assert(fd >= 0 && fd < FDS_MAX && disk->fds[fd] != MEDIUM_NONE);
	return disk->fds[fd];
}

static int new_fd(struct disk *disk, int file)
{
	for (int fd = 0; fd < FDS_MAX; fd++) {
		if (disk->fds[fd] == MEDIUM_NONE) {
			disk->fds[fd] = file;
			return fd;
		}
	}
	return -EMFILE;
}

static int open_there(struct disk *disk, int dir, const char *text, int flags)
{
	if (strcmp(text, "..") == 0)
		return new_fd(disk, disk->medium.files[dir]->parent);
	if (strcmp(text, ".") == 0)
		return disk->medium.files[dir]->is_dir ? new_fd(disk, dir) : -ENOTDIR;
	int file = medium_find(&disk->medium, dir, text);
	bool is_new = file == MEDIUM_NONE;
	if (is_new && !(flags & O_CREAT))
		return -ENOENT;
	if (!is_new && flags & O_EXCL)
		return -EEXIST;
	if (!is_new && flags & O_DIRECTORY && !disk->medium.files[file]->is_dir)
		return -ENOTDIR;
	if (is_new) {
		file = medium_add(&disk->medium, false, dir);
		medium_name(&disk->medium, dir, text, file);
	} else if (flags & O_TRUNC) {
		medium_cut(disk->medium.files[file], 0);
	}
	return new_fd(disk, file);
}

static int disk_openat(void *ctx, int dir, const char *name, int flags)
{
	struct disk *disk = ctx;
	int r = enter(disk, flags & (O_CREAT | O_TRUNC) ? DISK_CREATE : DISK_READ);
	if (r >= 0)
		r = open_there(disk, file_of(disk, dir), name, flags);
	pthread_mutex_unlock(&disk->lock);
	return r;
}

static void disk_close(void *ctx, int fd)
{
	struct disk *disk = ctx;
	pthread_mutex_lock(&disk->lock);
	if (disk->locked == disk->fds[fd])
		disk->locked = MEDIUM_NONE;
	disk->fds[fd] = MEDIUM_NONE;
	pthread_mutex_unlock(&disk->lock);
}

static int disk_mkdirat(void *ctx, int dir, const char *name)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_MKDIR);
	if (r == 0) {
		int parent = file_of(disk, dir);
		if (medium_find(&disk->medium, parent, name) != MEDIUM_NONE)
			r = -EEXIST;
		else
			medium_name(&disk->medium, parent, name,
				medium_add(&disk->medium, true, parent));
	}
	return leave(disk, r);
}

static int list_names(
	struct disk *disk, int dir, int (*each)(void *arg, const char *name), void *arg)
{
	struct medium_names copy = disk->medium.names;
	copy.list = malloc((copy.count + 1) * sizeof *copy.list);
	assert(copy.list != NULL);
	if (copy.count > 0)
		memcpy(copy.list, disk->medium.names.list, copy.count * sizeof *copy.list);
	pthread_mutex_unlock(&disk->lock);
	int r = 0;
	for (size_t i = 0; r == 0 && i < copy.count; i++) {
		if (copy.list[i].dir == dir)
			r = each(arg, copy.list[i].text);
	}
	free(copy.list);
	pthread_mutex_lock(&disk->lock);
	return r;
}

static int disk_list_dir(void *ctx, int dir, int (*each)(void *arg, const char *name), void *arg)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_READ);
	if (r == 0)
		r = list_names(disk, file_of(disk, dir), each, arg);
	pthread_mutex_unlock(&disk->lock);
	return r;
}

static int disk_renameat(void *ctx, int from, const char *name, int to, const char *new_name)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_RENAME);
	if (r == 0) {
		if (medium_find(&disk->medium, file_of(disk, from), name) == MEDIUM_NONE)
			r = -ENOENT;
		else
			medium_rename(&disk->medium, file_of(disk, from), name, file_of(disk, to),
				new_name);
	}
	return leave(disk, r);
}

static int disk_unlinkat(void *ctx, int dir, const char *name)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_UNLINK);
	if (r == 0) {
		if (medium_find(&disk->medium, file_of(disk, dir), name) == MEDIUM_NONE)
			r = -ENOENT;
		else
			medium_name(&disk->medium, file_of(disk, dir), name, MEDIUM_NONE);
	}
	return leave(disk, r);
}

static int disk_fsync_dir(void *ctx, int dir)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_SYNC_DIR);
	if (r == 0)
		medium_sync_dir(&disk->medium, file_of(disk, dir));
	return leave(disk, r);
}

static ssize_t disk_pread(void *ctx, int fd, void *data, size_t len, uint64_t offset)
{
	struct disk *disk = ctx;
	ssize_t n = enter(disk, DISK_READ);
	if (n == 0) {
		const struct medium_file *file = disk->medium.files[file_of(disk, fd)];
		if (offset < file->size)
			n = (ssize_t)(len < file->size - offset ? len : file->size - offset);
		if (n > 0)
			memcpy(data, file->data + offset, (size_t)n);
		disk->bytes_read += (uint64_t)n;
	}
	pthread_mutex_unlock(&disk->lock);
	return n;
}

static size_t writable(
	struct disk *disk, const struct medium_file *file, size_t len, uint64_t offset)
{
	if (disk->write_max > 0) {
		size_t max = 1 + roll(disk, (uint32_t)disk->write_max);
		len = len < max ? len : max;
	}
	if (disk->calls == disk->short_at && len > 1)
		len = 1 + roll(disk, (uint32_t)len - 1);
	uint64_t end = offset + len;
	uint64_t growth = end > file->size ? end - file->size : 0;
	uint64_t total = medium_used(&disk->medium);
	uint64_t left = disk->capacity > total ? disk->capacity - total : 0;
	if (growth > left) {
		uint64_t over = growth - left;
		len = over < len ? len - (size_t)over : 0;
	}
	return len;
}

static ssize_t write_there(struct disk *disk, struct medium_file *file, const struct iovec *iov,
	int count, uint64_t offset)
{
	size_t len = 0, done = 0;
	for (int i = 0; i < count; i++)
		len += iov[i].iov_len;
	size_t allowed = writable(disk, file, len, offset);
	if (allowed == 0 && len > 0)
		return -ENOSPC;
	for (int i = 0; i < count && done < allowed; i++) {
		size_t part = iov[i].iov_len;
		if (part > allowed - done)
			part = allowed - done;
		medium_write(file, iov[i].iov_base, part, (size_t)offset + done);
		done += part;
	}
	return (ssize_t)done;
}

/* A write that fails or is cut off has written a part. */
static ssize_t disk_pwritev(void *ctx, int fd, const struct iovec *iov, int count, uint64_t offset)
{
	struct disk *disk = ctx;
	assert(count <= IO_IOV_MAX);
	bool was_stopped = disk_is_stopped(disk);
	ssize_t n = enter(disk, DISK_WRITE);
	struct medium_file *file = disk->medium.files[file_of(disk, fd)];
	if (n == 0) {
		n = write_there(disk, file, iov, count, offset);
	} else if (n < 0 && !was_stopped && roll(disk, 2)) {
		size_t max = disk->write_max;
		disk->write_max = 1 + roll(disk, 4096);
		write_there(disk, file, iov, count, offset);
		disk->write_max = max;
	}
	pthread_mutex_unlock(&disk->lock);
	return n;
}

static int disk_fdatasync(void *ctx, int fd)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_SYNC);
	disk->stalled++;
	pthread_cond_broadcast(&disk->changed);
	while (disk->is_stalled)
		pthread_cond_wait(&disk->changed, &disk->lock);
	disk->stalled--;
	struct medium_file *file = disk->medium.files[file_of(disk, fd)];
	if (r == 0)
		medium_sync(file);
	else if (r < 0 && disk->calls < disk->stop_at)
		medium_forget(file);
	return leave(disk, r);
}

static int disk_ftruncate(void *ctx, int fd, uint64_t size)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_TRUNCATE);
	if (r == 0)
		medium_cut(disk->medium.files[file_of(disk, fd)], (size_t)size);
	return leave(disk, r);
}

static int disk_size(void *ctx, int fd, uint64_t *size)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_READ);
	if (r == 0)
		*size = disk->medium.files[file_of(disk, fd)]->size;
	return leave(disk, r);
}

static int disk_lock(void *ctx, int fd)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_READ);
	if (r == 0 && disk->locked == file_of(disk, fd))
		r = -EBUSY;
	if (r == 0)
		disk->locked = file_of(disk, fd);
	return leave(disk, r);
}

static int disk_free_bytes(void *ctx, int fd, uint64_t *bytes)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_READ);
	uint64_t total = medium_used(&disk->medium);
	*bytes = disk->capacity > total ? disk->capacity - total : 0;
	return leave(disk, r);
}

static int disk_tell_identity(void *ctx, int dir, struct io_identity *identity)
{
	const struct disk *disk = ctx;
	*identity = disk->identity;
	return 0;
}

void disk_identify(struct disk *disk, const struct io_identity *identity)
{
	disk->identity = *identity;
}

static int disk_boot_id(void *ctx, uint8_t id[IO_BOOT_SIZE])
{
	const struct disk *disk = ctx;
	memset(id, 0xb0, IO_BOOT_SIZE);
	memcpy(id, &disk->boots, sizeof disk->boots);
	return 0;
}

static int disk_random_bytes(void *ctx, void *data, size_t len)
{
	struct disk *disk = ctx;
	pthread_mutex_lock(&disk->lock);
	for (size_t i = 0; i < len; i++)
		((uint8_t *)data)[i] = (uint8_t)roll(disk, 256);
	pthread_mutex_unlock(&disk->lock);
	return 0;
}

/* --- life */

static void clear_faults(struct disk *disk)
{
	disk->stop_at = disk->short_at = UINT64_MAX;
	disk->capacity = UINT64_MAX;
	disk->fault = (struct fault){0};
	disk->lies = 0;
	disk->write_max = 0;
	disk->is_stalled = false;
}

static void clear_process(struct disk *disk)
{
	for (int fd = 0; fd < FDS_MAX; fd++)
		disk->fds[fd] = MEDIUM_NONE;
	disk->locked = MEDIUM_NONE;
	clear_faults(disk);
}

struct disk *disk_create(uint32_t seed)
{
	struct disk *disk = calloc(1, sizeof *disk);
	assert(disk != NULL);
	disk->io = (struct io){
		.ctx = disk,
		.openat = disk_openat,
		.close = disk_close,
		.mkdirat = disk_mkdirat,
		.list = disk_list_dir,
		.renameat = disk_renameat,
		.unlinkat = disk_unlinkat,
		.fsync_dir = disk_fsync_dir,
		.pread = disk_pread,
		.pwritev = disk_pwritev,
		.fdatasync = disk_fdatasync,
		.ftruncate = disk_ftruncate,
		.size = disk_size,
		.lock = disk_lock,
		.free_bytes = disk_free_bytes,
		.identify = disk_tell_identity,
		.boot_id = disk_boot_id,
		.random = disk_random_bytes,
	};
	pthread_mutex_init(&disk->lock, NULL);
	pthread_cond_init(&disk->changed, NULL);
	medium_init(&disk->medium, seed);
	clear_process(disk);
	return disk;
}

void disk_destroy(struct disk *disk)
{
	if (disk == NULL)
		return;
	medium_finish(&disk->medium);
	pthread_cond_destroy(&disk->changed);
	pthread_mutex_destroy(&disk->lock);
	free(disk);
}

const struct io *disk_io(struct disk *disk)
{
	return &disk->io;
}

void disk_kill(struct disk *disk)
{
	clear_process(disk);
}

void disk_crash(struct disk *disk)
{
	medium_crash(&disk->medium);
	disk->boots++;
	clear_process(disk);
}

void disk_reboot(struct disk *disk)
{
	medium_settle(&disk->medium);
	disk->boots++;
	clear_process(disk);
}

/* --- faults */

uint64_t disk_calls(const struct disk *disk)
{
	return disk->calls;
}

void disk_fail(struct disk *disk, unsigned calls, uint64_t nth, uint64_t count, int error)
{
	pthread_mutex_lock(&disk->lock);
	disk->fault = (struct fault){calls, nth, count, -error};
	pthread_mutex_unlock(&disk->lock);
}

uint64_t disk_reads(const struct disk *disk, uint64_t *bytes)
{
	*bytes = disk->bytes_read;
	return disk->reads;
}

void disk_shorten(struct disk *disk, uint64_t nth)
{
	pthread_mutex_lock(&disk->lock);
	disk->short_at = disk->calls + nth;
	pthread_mutex_unlock(&disk->lock);
}

void disk_lie(struct disk *disk, unsigned calls)
{
	pthread_mutex_lock(&disk->lock);
	disk->lies = calls;
	pthread_mutex_unlock(&disk->lock);
}

void disk_stop_at(struct disk *disk, uint64_t nth)
{
	pthread_mutex_lock(&disk->lock);
	disk->stop_at = disk->calls + nth;
	pthread_mutex_unlock(&disk->lock);
}

bool disk_is_stopped(const struct disk *disk)
{
	return disk->calls >= disk->stop_at;
}

void disk_shorten_writes(struct disk *disk, size_t max)
{
	pthread_mutex_lock(&disk->lock);
	disk->write_max = max;
	pthread_mutex_unlock(&disk->lock);
}

void disk_set_capacity(struct disk *disk, uint64_t bytes)
{
	pthread_mutex_lock(&disk->lock);
	disk->capacity = bytes;
	pthread_mutex_unlock(&disk->lock);
}

void disk_stall(struct disk *disk)
{
	pthread_mutex_lock(&disk->lock);
	disk->is_stalled = true;
	pthread_mutex_unlock(&disk->lock);
}

void disk_release(struct disk *disk)
{
	pthread_mutex_lock(&disk->lock);
	disk->is_stalled = false;
	pthread_cond_broadcast(&disk->changed);
	pthread_mutex_unlock(&disk->lock);
}

bool disk_wait_stalled(struct disk *disk, int ms)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_mutex_lock(&disk->lock);
	int r = 0;
	while (disk->stalled == 0 && r == 0)
		r = pthread_cond_timedwait(&disk->changed, &disk->lock, &until);
	bool is_blocked = disk->stalled > 0;
	pthread_mutex_unlock(&disk->lock);
	return is_blocked;
}

/* --- looking and meddling */

bool disk_exists(struct disk *disk, const char *path)
{
	pthread_mutex_lock(&disk->lock);
	bool exists = medium_walk(&disk->medium, path, NULL) != MEDIUM_NONE;
	pthread_mutex_unlock(&disk->lock);
	return exists;
}

uint8_t *disk_read(struct disk *disk, const char *path, size_t *len)
{
	int at = medium_walk(&disk->medium, path, NULL);
	if (at == MEDIUM_NONE)
		return NULL;
	const struct medium_file *file = disk->medium.files[at];
	uint8_t *data = malloc(file->size + 1);
	assert(data != NULL);
	if (file->size > 0)
		memcpy(data, file->data, file->size);
	*len = file->size;
	return data;
}

bool disk_holds(struct disk *disk, const char *folder, const void *data, size_t len, bool durably)
{
	pthread_mutex_lock(&disk->lock);
	int dir = medium_walk(&disk->medium, folder, NULL);
	bool holds = dir != MEDIUM_NONE && medium_holds(&disk->medium, dir, data, len, durably);
	pthread_mutex_unlock(&disk->lock);
	return holds;
}

void disk_write(struct disk *disk, const char *path, const void *data, size_t len)
{
	const char *last = NULL;
	int dir = medium_walk(&disk->medium, path, &last);
	assert(dir != MEDIUM_NONE);
	int at = medium_add(&disk->medium, false, dir);
	medium_write(disk->medium.files[at], data, len, 0);
	medium_sync(disk->medium.files[at]);
	medium_set(&disk->medium, dir, last, at);
}

void disk_remove(struct disk *disk, const char *path)
{
	const char *last = NULL;
	int dir = medium_walk(&disk->medium, path, &last);
	assert(dir != MEDIUM_NONE);
	medium_set(&disk->medium, dir, last, MEDIUM_NONE);
}

void disk_damage(struct disk *disk, const char *path, uint64_t offset)
{
	int at = medium_walk(&disk->medium, path, NULL);
	assert(at != MEDIUM_NONE && offset < disk->medium.files[at]->size);
	disk->medium.files[at]->data[offset] ^= 0x10;
	disk->medium.files[at]->stable[offset] ^= 0x10;
}

void disk_list(
	struct disk *disk, const char *path, int (*each)(void *arg, const char *name), void *arg)
{
	int at = medium_walk(&disk->medium, path, NULL);
	assert(at != MEDIUM_NONE);
	pthread_mutex_lock(&disk->lock);
	list_names(disk, at, each, arg);
	pthread_mutex_unlock(&disk->lock);
}

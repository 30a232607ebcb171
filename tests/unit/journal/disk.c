/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "disk.h"

#define SECTOR    512
#define NAME_MAX_ 128
#define FILES_MAX 4096
#define FDS_MAX   64
#define ROOT      0
#define NO_FILE   (-1)

struct file {
	bool is_dir;
	int parent;
	uint8_t *data, *stable; /* what is read, what survives; both `room` long */
	uint8_t *dirty;         /* by sector */
	size_t room, size, stable_size;
};

struct name {
	int dir, file;
	char text[NAME_MAX_];
};

struct names {
	struct name *list;
	size_t count, size;
};

/* A change of folders that is not durable yet: one name, or two for a rename. */
struct change {
	struct name names[2]; /* file NO_FILE: the name goes; dir NO_FILE: unused */
};

struct fault {
	unsigned calls;
	uint64_t nth, count;
	int error;
};

struct disk {
	struct io io;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint32_t dice;
	uint32_t boots;

	struct file *files[FILES_MAX];
	int file_count;
	struct names names, stable_names;
	struct change *changes;
	size_t change_count, change_size;
	int fds[FDS_MAX];
	int locked; /* file */

	uint64_t calls, stop_at, capacity;
	struct fault fault;
	unsigned lies;
	size_t write_max;
	bool is_stalled;
	int stalled;
};

static uint32_t roll(struct disk *disk, uint32_t bound)
{
	disk->dice ^= disk->dice << 13;
	disk->dice ^= disk->dice >> 17;
	disk->dice ^= disk->dice << 5;
	return bound == 0 ? 0 : disk->dice % bound;
}

uint32_t disk_random(struct disk *disk, uint32_t bound)
{
	return roll(disk, bound);
}

/* --- names */

static struct name *find_name(struct names *names, int dir, const char *text)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->list[i].dir == dir && strcmp(names->list[i].text, text) == 0)
			return &names->list[i];
	}
	return NULL;
}

static void apply_name(struct names *names, const struct name *change)
{
	struct name *name = find_name(names, change->dir, change->text);
	if (change->file == NO_FILE) {
		if (name != NULL)
			*name = names->list[--names->count];
		return;
	}
	if (name != NULL) {
		name->file = change->file;
		return;
	}
	if (names->count == names->size) {
		names->size = names->size == 0 ? 64 : 2 * names->size;
		names->list = realloc(names->list, names->size * sizeof *names->list);
		assert(names->list != NULL);
	}
	names->list[names->count++] = *change;
}

static struct name make_name(int dir, const char *text, int file)
{
	struct name name = {.dir = dir, .file = file};
	assert(strlen(text) < NAME_MAX_);
	snprintf(name.text, sizeof name.text, "%s", text);
	return name;
}

static void apply_change(struct names *names, const struct change *change)
{
	for (int i = 0; i < 2; i++) {
		if (change->names[i].dir != NO_FILE)
			apply_name(names, &change->names[i]);
	}
}

static void change_names(struct disk *disk, struct name first, struct name second)
{
	if (disk->change_count == disk->change_size) {
		disk->change_size = disk->change_size == 0 ? 64 : 2 * disk->change_size;
		disk->changes = realloc(disk->changes, disk->change_size * sizeof *disk->changes);
		assert(disk->changes != NULL);
	}
	struct change *change = &disk->changes[disk->change_count++];
	*change = (struct change){{first, second}};
	apply_change(&disk->names, change);
}

static void change_name(struct disk *disk, int dir, const char *text, int file)
{
	change_names(disk, make_name(dir, text, file), (struct name){.dir = NO_FILE});
}

static void settle_dir(struct disk *disk, int dir)
{
	for (size_t i = 0; i < disk->change_count; i++) {
		for (int j = 0; j < 2; j++) {
			struct name *name = &disk->changes[i].names[j];
			if (name->dir != dir)
				continue;
			apply_name(&disk->stable_names, name);
			name->dir = NO_FILE;
		}
	}
}

/* --- files */

static int add_file(struct disk *disk, bool is_dir, int parent)
{
	assert(disk->file_count < FILES_MAX);
	struct file *file = calloc(1, sizeof *file);
	assert(file != NULL);
	file->is_dir = is_dir;
	file->parent = parent;
	disk->files[disk->file_count] = file;
	return disk->file_count++;
}

static void make_room(struct file *file, size_t size)
{
	if (size <= file->room)
		return;
	size_t room = file->room == 0 ? 16 * SECTOR : file->room;
	while (room < size)
		room *= 2;
	file->data = realloc(file->data, room);
	file->stable = realloc(file->stable, room);
	file->dirty = realloc(file->dirty, room / SECTOR);
	assert(file->data != NULL && file->stable != NULL && file->dirty != NULL);
	memset(file->data + file->room, 0, room - file->room);
	memset(file->stable + file->room, 0, room - file->room);
	memset(file->dirty + file->room / SECTOR, 0, (room - file->room) / SECTOR);
	file->room = room;
}

static void put(struct file *file, const void *data, size_t len, size_t offset)
{
	if (len == 0)
		return;
	make_room(file, offset + len);
	memcpy(file->data + offset, data, len);
	memset(file->dirty + offset / SECTOR, 1, (offset + len - 1) / SECTOR - offset / SECTOR + 1);
	if (file->size < offset + len)
		file->size = offset + len;
}

static void cut(struct file *file, size_t size)
{
	make_room(file, size);
	if (size < file->size) {
		memset(file->data + size, 0, file->size - size);
		memset(file->dirty + size / SECTOR, 1,
			(file->size - 1) / SECTOR - size / SECTOR + 1);
	}
	file->size = size;
}

static void settle_file(struct file *file)
{
	for (size_t i = 0; i < file->room / SECTOR; i++) {
		if (file->dirty[i])
			memcpy(file->stable + i * SECTOR, file->data + i * SECTOR, SECTOR);
		file->dirty[i] = 0;
	}
	file->stable_size = file->size;
}

static void forget(struct file *file)
{
	if (file->room > 0)
		memset(file->dirty, 0, file->room / SECTOR);
}

static uint64_t used(const struct disk *disk)
{
	uint64_t total = 0;
	for (size_t i = 0; i < disk->names.count; i++)
		total += disk->files[disk->names.list[i].file]->size;
	return total;
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
		return ROOT;
	assert(fd >= 0 && fd < FDS_MAX && disk->fds[fd] != NO_FILE);
	return disk->fds[fd];
}

static int new_fd(struct disk *disk, int file)
{
	for (int fd = 0; fd < FDS_MAX; fd++) {
		if (disk->fds[fd] == NO_FILE) {
			disk->fds[fd] = file;
			return fd;
		}
	}
	return -EMFILE;
}

static int open_there(struct disk *disk, int dir, const char *text, int flags)
{
	if (strcmp(text, "..") == 0)
		return new_fd(disk, disk->files[dir]->parent);
	const struct name *name = find_name(&disk->names, dir, text);
	if (name == NULL && !(flags & O_CREAT))
		return -ENOENT;
	if (name != NULL && flags & O_EXCL)
		return -EEXIST;
	if (name != NULL && flags & O_DIRECTORY && !disk->files[name->file]->is_dir)
		return -ENOTDIR;
	int file = name == NULL ? add_file(disk, false, dir) : name->file;
	if (name == NULL)
		change_name(disk, dir, text, file);
	else if (flags & O_TRUNC)
		cut(disk->files[file], 0);
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
		disk->locked = NO_FILE;
	disk->fds[fd] = NO_FILE;
	pthread_mutex_unlock(&disk->lock);
}

static int disk_mkdirat(void *ctx, int dir, const char *name)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_MKDIR);
	if (r == 0) {
		int parent = file_of(disk, dir);
		if (find_name(&disk->names, parent, name) != NULL)
			r = -EEXIST;
		else
			change_name(disk, parent, name, add_file(disk, true, parent));
	}
	return leave(disk, r);
}

static int list_names(
	struct disk *disk, int dir, int (*each)(void *arg, const char *name), void *arg)
{
	struct names copy = disk->names;
	copy.list = malloc((copy.count + 1) * sizeof *copy.list);
	assert(copy.list != NULL);
	if (copy.count > 0)
		memcpy(copy.list, disk->names.list, copy.count * sizeof *copy.list);
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
		const struct name *found = find_name(&disk->names, file_of(disk, from), name);
		if (found == NULL)
			r = -ENOENT;
		else
			change_names(disk, make_name(file_of(disk, to), new_name, found->file),
				make_name(file_of(disk, from), name, NO_FILE));
	}
	return leave(disk, r);
}

static int disk_unlinkat(void *ctx, int dir, const char *name)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_UNLINK);
	if (r == 0) {
		if (find_name(&disk->names, file_of(disk, dir), name) == NULL)
			r = -ENOENT;
		else
			change_name(disk, file_of(disk, dir), name, NO_FILE);
	}
	return leave(disk, r);
}

static int disk_fsync_dir(void *ctx, int dir)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_SYNC_DIR);
	if (r == 0)
		settle_dir(disk, file_of(disk, dir));
	return leave(disk, r);
}

static ssize_t disk_pread(void *ctx, int fd, void *data, size_t len, uint64_t offset)
{
	struct disk *disk = ctx;
	ssize_t n = enter(disk, DISK_READ);
	if (n == 0) {
		const struct file *file = disk->files[file_of(disk, fd)];
		if (offset < file->size)
			n = (ssize_t)(len < file->size - offset ? len : file->size - offset);
		if (n > 0)
			memcpy(data, file->data + offset, (size_t)n);
	}
	pthread_mutex_unlock(&disk->lock);
	return n;
}

static size_t writable(struct disk *disk, const struct file *file, size_t len, uint64_t offset)
{
	if (disk->write_max > 0) {
		size_t max = 1 + roll(disk, (uint32_t)disk->write_max);
		len = len < max ? len : max;
	}
	uint64_t end = offset + len;
	uint64_t growth = end > file->size ? end - file->size : 0;
	uint64_t total = used(disk);
	uint64_t left = disk->capacity > total ? disk->capacity - total : 0;
	if (growth > left) {
		uint64_t over = growth - left;
		len = over < len ? len - (size_t)over : 0;
	}
	return len;
}

static ssize_t write_there(
	struct disk *disk, struct file *file, const struct iovec *iov, int count, uint64_t offset)
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
		put(file, iov[i].iov_base, part, (size_t)offset + done);
		done += part;
	}
	return (ssize_t)done;
}

/* What fails or is cut off half way has written a part. */
static ssize_t disk_pwritev(void *ctx, int fd, const struct iovec *iov, int count, uint64_t offset)
{
	struct disk *disk = ctx;
	assert(count <= IO_IOV_MAX);
	bool was_stopped = disk_is_stopped(disk);
	ssize_t n = enter(disk, DISK_WRITE);
	struct file *file = disk->files[file_of(disk, fd)];
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
	struct file *file = disk->files[file_of(disk, fd)];
	if (r == 0)
		settle_file(file);
	else if (r < 0 && disk->calls < disk->stop_at)
		forget(file);
	return leave(disk, r);
}

static int disk_ftruncate(void *ctx, int fd, uint64_t size)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_TRUNCATE);
	if (r == 0)
		cut(disk->files[file_of(disk, fd)], (size_t)size);
	return leave(disk, r);
}

static int disk_size(void *ctx, int fd, uint64_t *size)
{
	struct disk *disk = ctx;
	int r = enter(disk, DISK_READ);
	if (r == 0)
		*size = disk->files[file_of(disk, fd)]->size;
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
	uint64_t total = used(disk);
	*bytes = disk->capacity > total ? disk->capacity - total : 0;
	return leave(disk, r);
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
	disk->stop_at = UINT64_MAX;
	disk->capacity = UINT64_MAX;
	disk->fault = (struct fault){0};
	disk->lies = 0;
	disk->write_max = 0;
	disk->is_stalled = false;
}

static void clear_process(struct disk *disk)
{
	for (int fd = 0; fd < FDS_MAX; fd++)
		disk->fds[fd] = NO_FILE;
	disk->locked = NO_FILE;
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
		.boot_id = disk_boot_id,
		.random = disk_random_bytes,
	};
	pthread_mutex_init(&disk->lock, NULL);
	pthread_cond_init(&disk->changed, NULL);
	disk->dice = seed * 2654435761u | 1;
	add_file(disk, true, ROOT);
	clear_process(disk);
	return disk;
}

void disk_destroy(struct disk *disk)
{
	if (disk == NULL)
		return;
	for (int i = 0; i < disk->file_count; i++) {
		free(disk->files[i]->data);
		free(disk->files[i]->stable);
		free(disk->files[i]->dirty);
		free(disk->files[i]);
	}
	free(disk->names.list);
	free(disk->stable_names.list);
	free(disk->changes);
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

/* Any one of nothing, everything, and something. */
static uint32_t roll_odds(struct disk *disk)
{
	static const uint32_t odds[] = {0, 100, 50, 10, 90};
	return odds[roll(disk, sizeof odds / sizeof odds[0])];
}

static void crash_sector(struct disk *disk, struct file *file, size_t at, uint32_t odds)
{
	uint8_t *stable = file->stable + at * SECTOR;
	const uint8_t *data = file->data + at * SECTOR;
	if (!file->dirty[at] || roll(disk, 100) >= odds)
		return;
	size_t len = roll(disk, 10) == 0 ? roll(disk, SECTOR) : SECTOR;
	if (roll(disk, 2))
		memcpy(stable, data, len);
	else
		memcpy(stable + SECTOR - len, data + SECTOR - len, len);
}

static size_t crash_size(struct disk *disk, const struct file *file)
{
	size_t low = file->size, high = file->stable_size;
	if (low > high) {
		low = file->stable_size;
		high = file->size;
	}
	uint32_t choice = roll(disk, 3);
	if (choice == 0)
		return low;
	return choice == 1 ? high : low + roll(disk, (uint32_t)(high - low + 1));
}

static void crash_file(struct disk *disk, struct file *file, uint32_t odds)
{
	for (size_t at = 0; at < file->room / SECTOR; at++)
		crash_sector(disk, file, at, odds);
	size_t size = crash_size(disk, file);
	if (file->room > 0) {
		if (size < file->room)
			memset(file->stable + size, 0, file->room - size);
		memcpy(file->data, file->stable, file->room);
	}
	forget(file);
	file->size = file->stable_size = size;
}

static void settle_names(struct disk *disk)
{
	disk->change_count = 0;
	disk->names.count = 0;
	for (size_t i = 0; i < disk->stable_names.count; i++)
		apply_name(&disk->names, &disk->stable_names.list[i]);
}

void disk_crash(struct disk *disk)
{
	uint32_t odds = roll_odds(disk);
	for (size_t i = 0; i < disk->change_count; i++) {
		if (roll(disk, 100) < odds)
			apply_change(&disk->stable_names, &disk->changes[i]);
	}
	settle_names(disk);
	odds = roll_odds(disk);
	for (int i = 0; i < disk->file_count; i++)
		crash_file(disk, disk->files[i], odds);
	disk->boots++;
	clear_process(disk);
}

void disk_reboot(struct disk *disk)
{
	for (int i = 0; i < disk->file_count; i++) {
		settle_dir(disk, i);
		settle_file(disk->files[i]);
	}
	disk->change_count = 0;
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

/* The file at a path, or its folder with `*last` set to the final name. */
static int walk(struct disk *disk, const char *path, const char **last)
{
	int at = ROOT;
	while (*path == '/') {
		const char *text = at == ROOT ? path : path + 1; /* IO_CWD names keep their slash */
		size_t len = strcspn(text + 1, "/") + 1;
		char name[NAME_MAX_];
		assert(len < sizeof name);
		memcpy(name, text, len);
		name[len] = '\0';
		path = text + len;
		if (last != NULL && *path == '\0') {
			*last = text;
			return at;
		}
		const struct name *found = find_name(&disk->names, at, name);
		if (found == NULL)
			return NO_FILE;
		at = found->file;
	}
	return at;
}

bool disk_exists(struct disk *disk, const char *path)
{
	return walk(disk, path, NULL) != NO_FILE;
}

uint8_t *disk_read(struct disk *disk, const char *path, size_t *len)
{
	int at = walk(disk, path, NULL);
	if (at == NO_FILE)
		return NULL;
	const struct file *file = disk->files[at];
	uint8_t *data = malloc(file->size + 1);
	assert(data != NULL);
	if (file->size > 0)
		memcpy(data, file->data, file->size);
	*len = file->size;
	return data;
}

void disk_write(struct disk *disk, const char *path, const void *data, size_t len)
{
	const char *last = NULL;
	int dir = walk(disk, path, &last);
	assert(dir != NO_FILE);
	int at = add_file(disk, false, dir);
	put(disk->files[at], data, len, 0);
	settle_file(disk->files[at]);
	struct name name = make_name(dir, last, at);
	apply_name(&disk->names, &name);
	apply_name(&disk->stable_names, &name);
}

void disk_remove(struct disk *disk, const char *path)
{
	const char *last = NULL;
	int dir = walk(disk, path, &last);
	assert(dir != NO_FILE);
	struct name name = make_name(dir, last, NO_FILE);
	apply_name(&disk->names, &name);
	apply_name(&disk->stable_names, &name);
}

void disk_damage(struct disk *disk, const char *path, uint64_t offset)
{
	int at = walk(disk, path, NULL);
	assert(at != NO_FILE && offset < disk->files[at]->size);
	disk->files[at]->data[offset] ^= 0x10;
	disk->files[at]->stable[offset] ^= 0x10;
}

void disk_list(
	struct disk *disk, const char *path, int (*each)(void *arg, const char *name), void *arg)
{
	int at = walk(disk, path, NULL);
	assert(at != NO_FILE);
	pthread_mutex_lock(&disk->lock);
	list_names(disk, at, each, arg);
	pthread_mutex_unlock(&disk->lock);
}

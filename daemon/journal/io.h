/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything the journal asks of the world, as one small table, so that tests can put a simulated
 * disk under it.  No other file of this room calls the system.
 *
 * Functions return 0 (or what is said below) or a negative errno; none is ever interrupted by a
 * signal.  `dir` is a directory opened through the same table, or IO_CWD.  A table is immutable
 * and used by any number of threads at once; so must its functions be.
 */
#ifndef ASSAY_JOURNAL_IO_H
#define ASSAY_JOURNAL_IO_H

#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define IO_CWD       AT_FDCWD
#define IO_IOV_MAX   1024
#define IO_BOOT_SIZE 16

struct io {
	void *ctx; /* handed to every function */

	/* As openat(2), close-on-exec; files get mode 0600.  Returns the descriptor. */
	int (*openat)(void *ctx, int dir, const char *name, int flags);
	void (*close)(void *ctx, int fd);
	/* Mode 0700.  -EEXIST when the name is taken. */
	int (*mkdirat)(void *ctx, int dir, const char *name);
	/* Calls `each` for every name but "." and "..", in any order; it may stop with non-zero. */
	int (*list)(void *ctx, int dir, int (*each)(void *arg, const char *name), void *arg);
	int (*renameat)(void *ctx, int from, const char *name, int to, const char *new_name);
	int (*unlinkat)(void *ctx, int dir, const char *name);
	/* Makes created, renamed and removed names of a directory durable. */
	int (*fsync_dir)(void *ctx, int dir);

	/* Bytes read, fewer only at the end of the file. */
	ssize_t (*pread)(void *ctx, int fd, void *data, size_t len, uint64_t offset);
	/* Bytes written, possibly fewer than asked; `count` <= IO_IOV_MAX. */
	ssize_t (*pwritev)(void *ctx, int fd, const struct iovec *iov, int count, uint64_t offset);
	/* Makes a file's bytes and length durable.  After a failure nothing is known of the file. */
	int (*fdatasync)(void *ctx, int fd);
	int (*ftruncate)(void *ctx, int fd, uint64_t size);
	int (*size)(void *ctx, int fd, uint64_t *size);
	/* Takes the file for this process alone until it is closed; -EBUSY when another has it. */
	int (*lock)(void *ctx, int fd);
	/* Bytes that an unprivileged process can still write to the file system of `fd`. */
	int (*free_bytes)(void *ctx, int fd, uint64_t *bytes);

	/* Tells one start of the machine from the next. */
	int (*boot_id)(void *ctx, uint8_t id[IO_BOOT_SIZE]);
	int (*random)(void *ctx, void *data, size_t len);
};

/* The real thing. */
extern const struct io io_posix;

/*
 * Writes all bytes of `iov` (used up) at `offset`, going on after short writes.  0 or a negative
 * errno, then with an unknown part of the bytes written.
 */
int io_write_all(const struct io *io, int fd, struct iovec *iov, int count, uint64_t offset);

/*
 * Writes `name` whole or not at all: to a temporary name, sync, rename, sync of the directory.
 * The old content stays in place on failure.
 */
int io_replace(const struct io *io, int dir, const char *name, const void *data, size_t len);

/* Opens a directory, creating it when it is not there, and makes its name in `dir` durable. */
int io_open_dir(const struct io *io, int dir, const char *name);

#endif

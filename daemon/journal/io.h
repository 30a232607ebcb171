/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All system calls of the journal, as one small table, so that tests can run it on a simulated disk.
 * No other file of this room calls the system.
 *
 * Functions return 0 (or the value given below) or a negative errno; none returns -EINTR.  `dir` is
 * a directory opened through the same table, or IO_CWD.  A table is immutable; its functions may be
 * called by any number of threads at once.
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

/* Where a folder is.  0: not known, or not lasting on this kind of file system. */
struct io_identity {
	uint8_t machine[16];
	uint64_t file_system, folder;
};

struct io {
	void *ctx; /* handed to every function */

	/*
	 * As openat(2), close-on-exec; files get mode 0600.  Returns the descriptor.  -EBADMSG: it is no
	 * regular file (a link, a pipe), unless a folder is opened.
	 */
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
	/* Bytes written, possibly fewer than requested; `count` <= IO_IOV_MAX. */
	ssize_t (*pwritev)(void *ctx, int fd, const struct iovec *iov, int count, uint64_t offset);
	/* Makes a file's bytes and length durable.  After a failure its state is unknown. */
	int (*fdatasync)(void *ctx, int fd);
	int (*ftruncate)(void *ctx, int fd, uint64_t size);
	int (*size)(void *ctx, int fd, uint64_t *size);
	/* Takes the file for this process alone until it is closed; -EBUSY when another has it. */
	int (*lock)(void *ctx, int fd);
	/* Bytes that an unprivileged process can still write to the file system of `fd`. */
	int (*free_bytes)(void *ctx, int fd, uint64_t *bytes);

	/* Names the place of an open folder. */
	int (*identify)(void *ctx, int dir, struct io_identity *identity);
	/* Different after each start of the machine. */
	int (*boot_id)(void *ctx, uint8_t id[IO_BOOT_SIZE]);
	int (*random)(void *ctx, void *data, size_t len);
};

/* The system's files. */
extern const struct io io_posix;

/*
 * Writes all bytes of `iov` (used up) at `offset`, continuing after short writes.  0, or a negative
 * errno: then an unknown part of the bytes is written.
 */
int io_write_all(const struct io *io, int fd, struct iovec *iov, int count, uint64_t offset);

/*
 * Writes `name` whole or not at all: to a temporary name, sync, rename, sync of the directory.
 * The old content stays in place on failure.
 */
int io_replace(const struct io *io, int dir, const char *name, const void *data, size_t len);

/* Opens a directory, creating it if it is missing, and makes its name in `dir` durable. */
int io_open_dir(const struct io *io, int dir, const char *name);

#endif

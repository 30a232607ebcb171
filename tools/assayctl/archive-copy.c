/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "base/clock.h"
#include "file.h"
#include "record/digest.h"

#define PIECE_BYTES (256u << 10)
#define PART_SUFFIX ".part"

/* --- progress -------------------------------------------------------------------------------- */

void progress_start(struct progress *progress, const char *title, uint64_t all)
{
	*progress = (struct progress){
		.title = title, .all = all, .is_shown = isatty(STDERR_FILENO) == 1};
}

void progress_add(struct progress *progress, uint64_t bytes)
{
	uint64_t now = clock_boot();
	progress->done += bytes;
	if (!progress->is_shown || now - progress->shown_at < NS_PER_S / 5)
		return;
	progress->shown_at = now;
	fprintf(stderr, "\r%s %.1f of %.1f MiB \033[K", progress->title,
		(double)progress->done / 0x1p20, (double)progress->all / 0x1p20);
}

void progress_stop(struct progress *progress)
{
	if (progress->is_shown && progress->shown_at != 0)
		fputs("\r\033[K", stderr);
}

/* --- pieces ---------------------------------------------------------------------------------- */

/* Hashes `from` up to its end, and copies it to `to` unless that is negative. */
static int pass_through(int from, int to, struct digest *digest, struct progress *progress)
{
	uint8_t *data = malloc(PIECE_BYTES);
	if (data == NULL)
		return -ENOMEM;
	int r = 0;
	for (ssize_t n = 1; r == 0 && n != 0;) {
		n = read(from, data, PIECE_BYTES);
		if (n < 0) {
			r = errno == EINTR ? 0 : -errno;
			continue;
		}
		digest_update(digest, data, (size_t)n);
		if (to >= 0)
			r = file_write(to, data, (size_t)n);
		if (progress != NULL)
			progress_add(progress, (uint64_t)n);
	}
	free(data);
	return r;
}

static int hash_through(
	int from, int to, uint8_t sha256[ASSAY_SHA256_SIZE], struct progress *progress)
{
	struct digest digest = {0};
	int r = digest_init(&digest);
	if (r == 0)
		r = pass_through(from, to, &digest, progress);
	if (r == 0)
		digest_final(&digest, sha256);
	digest_finish(&digest);
	return r;
}

int copy_hash(int dir, const char *path, uint8_t sha256[ASSAY_SHA256_SIZE])
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = hash_through(fd, -1, sha256, NULL);
	close(fd);
	return r;
}

/* --- a file ---------------------------------------------------------------------------------- */

/* Copies, syncs, and reads back from the disk: DONTNEED drops the pages in memory. */
static int write_part(int from, int part, uint8_t *sha256, struct progress *progress)
{
	uint8_t again[ASSAY_SHA256_SIZE];
	int r = hash_through(from, part, sha256, progress);
	if (r == 0 && fsync(part) < 0)
		r = -errno;
	if (r < 0)
		return r;
	posix_fadvise(part, 0, 0, POSIX_FADV_DONTNEED);
	if (lseek(part, 0, SEEK_SET) < 0)
		return -errno;
	r = hash_through(part, -1, again, NULL);
	if (r == 0 && memcmp(again, sha256, sizeof again) != 0)
		r = -EIO;
	return r;
}

static int make_copy(int from, int to, const char *path, uint8_t *sha256, struct progress *progress)
{
	char part[JOURNAL_SEGMENT_PATH + sizeof PART_SUFFIX];
	snprintf(part, sizeof part, "%s" PART_SUFFIX, path);
	int fd = openat(to, part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	int r = write_part(from, fd, sha256, progress);
	close(fd);
	/* Never replace another file; some file systems do not know RENAME_NOREPLACE. */
	if (r == 0 && renameat2(to, part, to, path, RENAME_NOREPLACE) < 0)
		r = -errno;
	if (r == -EINVAL || r == -ENOSYS)
		r = faccessat(to, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? -EEXIST
		    : renameat(to, part, to, path) < 0                  ? -errno
									: 0;
	if (r == 0)
		r = file_sync_folder(to, path);
	if (r < 0)
		unlinkat(to, part, 0);
	return r < 0 ? r : COPY_MADE;
}

static int compare(
	int from, int there, uint8_t sha256[ASSAY_SHA256_SIZE], struct progress *progress)
{
	uint8_t other[ASSAY_SHA256_SIZE];
	struct stat a, b;
	if (fstat(from, &a) < 0 || fstat(there, &b) < 0)
		return -errno;
	if (a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return -EXDEV;
	int r = hash_through(from, -1, sha256, progress);
	if (r == 0)
		r = hash_through(there, -1, other, NULL);
	if (r == 0 && memcmp(sha256, other, sizeof other) != 0)
		r = -EEXIST;
	return r < 0 ? r : COPY_WAS_THERE;
}

int copy_file(int from, int to, const char *path, uint8_t sha256[ASSAY_SHA256_SIZE],
	struct progress *progress)
{
	int source = openat(from, path, O_RDONLY | O_CLOEXEC);
	if (source < 0)
		return -errno;
	int there = openat(to, path, O_RDONLY | O_CLOEXEC);
	int r = there < 0 && errno != ENOENT ? -errno : 0;
	if (there >= 0)
		r = compare(source, there, sha256, progress);
	else if (r == 0)
		r = make_copy(source, to, path, sha256, progress);
	if (there >= 0)
		close(there);
	close(source);
	return r;
}

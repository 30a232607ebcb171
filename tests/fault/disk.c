/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the core, a disk that tests steer with files in the folder named by DISK:
 *
 *	free	holds the number of bytes that are free
 *	full	while it exists, writes at an offset fail with ENOSPC: the journal's
 *	hold	while it exists, removing a name that ends in .seg waits
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static FILE *open_note(const char *name)
{
	char path[4096];
	const char *folder = getenv("DISK");
	if (folder == NULL || snprintf(path, sizeof path, "%s/%s", folder, name) >= 4096)
		return NULL;
	return fopen(path, "re");
}

static int is_there(const char *name)
{
	FILE *note = open_note(name);
	if (note != NULL)
		fclose(note);
	return note != NULL;
}

/* These headers use the names fstatvfs64 and pwritev64 of glibc for them. */
EXPORT int fstatvfs(int fd, struct statvfs *st)
{
	int (*real)(int, struct statvfs *);
	void *symbol = dlsym(RTLD_NEXT, "fstatvfs64");
	memcpy(&real, &symbol, sizeof real); /* ISO C has no cast for this */
	int r = real(fd, st);
	FILE *note = open_note("free");
	unsigned long long bytes;
	if (note == NULL)
		return r;
	if (fscanf(note, "%llu", &bytes) == 1)
		st->f_bavail = bytes / st->f_frsize;
	fclose(note);
	return r;
}

EXPORT ssize_t pwritev(int fd, const struct iovec *iov, int count, off_t offset)
{
	ssize_t (*real)(int, const struct iovec *, int, off_t);
	void *symbol = dlsym(RTLD_NEXT, "pwritev64");
	memcpy(&real, &symbol, sizeof real);
	if (is_there("full")) {
		errno = ENOSPC;
		return -1;
	}
	return real(fd, iov, count, offset);
}

EXPORT int unlinkat(int dir, const char *name, int flags)
{
	int (*real)(int, const char *, int);
	void *symbol = dlsym(RTLD_NEXT, "unlinkat");
	memcpy(&real, &symbol, sizeof real);
	size_t len = strlen(name);
	while (len > 4 && strcmp(name + len - 4, ".seg") == 0 && is_there("hold"))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return real(dir, name, flags);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into the core, threads that hang while a file is in the folder named by HANG:
 *
 *	main	the main loop, between two turns
 *	commit	the commit thread, between two groups
 *	disk	fdatasync, in every thread
 *	read	pread takes 0.3 s
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* The first thread but the main one that syncs a file and then waits with a limit. */
static _Thread_local int has_synced;

static int is_there(const char *name)
{
	char path[4096];
	const char *folder = getenv("HANG");
	return folder != NULL && strcmp(program_invocation_short_name, "assayd") == 0 &&
	       snprintf(path, sizeof path, "%s/%s", folder, name) < 4096 && access(path, F_OK) == 0;
}

static void rest(long ns)
{
	nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static void hang(const char *name)
{
	while (is_there(name))
		rest(10000000);
}

EXPORT int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
	int (*real)(int, struct epoll_event *, int, int);
	void *symbol = dlsym(RTLD_NEXT, "epoll_wait");
	memcpy(&real, &symbol, sizeof real); /* ISO C has no cast for this */
	if (gettid() == getpid())
		hang("main");
	return real(fd, events, max, timeout);
}

EXPORT int epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *timeout,
	const sigset_t *mask)
{
	int (*real)(int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
	void *symbol = dlsym(RTLD_NEXT, "epoll_pwait2");
	memcpy(&real, &symbol, sizeof real);
	if (gettid() == getpid())
		hang("main");
	return real(fd, events, max, timeout, mask);
}

EXPORT int pthread_cond_timedwait(
	pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
	int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
	void *symbol = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
	memcpy(&real, &symbol, sizeof real);
	if (has_synced && is_there("commit")) {
		pthread_mutex_unlock(lock);
		hang("commit");
		pthread_mutex_lock(lock);
	}
	return real(cond, lock, until);
}

EXPORT int fdatasync(int fd)
{
	int (*real)(int);
	void *symbol = dlsym(RTLD_NEXT, "fdatasync");
	memcpy(&real, &symbol, sizeof real);
	has_synced = gettid() != getpid();
	hang("disk");
	return real(fd);
}

/* The header names it pread64. */
EXPORT ssize_t pread(int fd, void *data, size_t len, off_t offset)
{
	ssize_t (*real)(int, void *, size_t, off_t);
	void *symbol = dlsym(RTLD_NEXT, "pread64");
	memcpy(&real, &symbol, sizeof real);
	if (is_there("read"))
		rest(300000000);
	return real(fd, data, len, offset);
}

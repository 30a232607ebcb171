/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "worker/confine.h"

/* The sanitizers use the file system and other calls, at any time and at exit; counters of lines do at exit. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(COVERAGE)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define FILES_MAX  64
#define MEMORY_MAX (UINT64_C(512) << 20) /* of data: the largest frame needs some 100 MiB */

static void add_lacking(char lacking[CONFINE_LACKING], const char *name)
{
	size_t len = strlen(lacking);
	snprintf(lacking + len, CONFINE_LACKING - len, "%s%s", len > 0 ? ", " : "", name);
}

/* --- Landlock: no file may be reached, except those that are named before -------------------- */

static int make_ruleset(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 1)
		return -1;
	/* The rights of ABI 1, and those of later ones that this kernel knows. */
	struct landlock_ruleset_attr attr = {.handled_access_fs = (UINT64_C(1) << 13) - 1};
	if (abi >= 2)
		attr.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		attr.handled_access_fs |= UINT64_C(1) << 14; /* truncate */
	if (abi >= 5)
		attr.handled_access_fs |= UINT64_C(1)
					  << 15; /* ioctl of devices opened from here on */
	return (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
}

/* Where the dynamic linker looks for the libraries of a module. */
static const char *const libraries[] = {
	"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"};

void confine_may_read(struct confine *confine, const char *path)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE};
	if (confine->ruleset < 0)
		return;
	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	syscall(SYS_landlock_add_rule, confine->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
}

/* --- seccomp: only the calls that a worker needs after opening ------------------------------- */

static const int allowed[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(close), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg),
	SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(select),
	SCMP_SYS(pselect6), SCMP_SYS(_newselect), SCMP_SYS(fcntl), SCMP_SYS(fcntl64),
	SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_settime64), SCMP_SYS(futex),
	SCMP_SYS(futex_time64), SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(madvise), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(set_tid_address),
	SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getrandom),
	SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getrusage),
	SCMP_SYS(membarrier), SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(newfstatat),
	SCMP_SYS(lseek), SCMP_SYS(_llseek)};

/* For the dynamic linker, and for the second step.  Landlock decides about the files. */
static const int allowed_loading[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(stat), SCMP_SYS(stat64),
	SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(pread64), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect),
	SCMP_SYS(prctl), SCMP_SYS(seccomp), SCMP_SYS(landlock_restrict_self), SCMP_SYS(prlimit64)};

/* For descriptors that are open.  Not TIOCSTI: standard error may be an operator's terminal. */
static const unsigned long allowed_ioctls[] = {
	TCGETS, TCFLSH, TIOCMGET, TIOCNXCL, TIOCOUTQ, FIONREAD};

static int allow_masked(
	scmp_filter_ctx filter, int call, unsigned arg, uint64_t mask, uint64_t value)
{
	return seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, call, 1, SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask, value));
}

/* A call that this architecture does not have needs no rule. */
static int check(int r)
{
	return r == -EDOM || r == -EINVAL ? 0 : r;
}

static int allow_calls(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int r = 0;
	for (size_t i = 0; i < count && r == 0; i++)
		r = check(seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0));
	return r;
}

static int allow(scmp_filter_ctx filter)
{
	int r = allow_calls(filter, allowed, sizeof allowed / sizeof allowed[0]);
	if (r == 0)
		r = allow_masked(filter, SCMP_SYS(ioctl), 1, 0xff00, 'U' << 8); /* usbfs */
	for (size_t i = 0; i < sizeof allowed_ioctls / sizeof allowed_ioctls[0] && r == 0; i++)
		r = allow_masked(filter, SCMP_SYS(ioctl), 1, UINT32_MAX, allowed_ioctls[i]);
	/* Threads, not processes.  A filter cannot read the flags of clone3: glibc falls back. */
	if (r == 0)
		r = allow_masked(filter, SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* A pair has no address, so it connects to nothing else; libmodbus works on one. */
	if (r == 0)
		r = allow_masked(filter, SCMP_SYS(socketpair), 0, UINT64_MAX, AF_UNIX);
	/* Only this process: abort() and raise() of its own threads. */
	if (r == 0)
		r = allow_masked(filter, SCMP_SYS(tgkill), 0, UINT64_MAX, (uint64_t)getpid());
	return r;
}

/* Memory that is never code. */
static int allow_data(scmp_filter_ctx filter)
{
	int r = allow_masked(filter, SCMP_SYS(mmap), 2, PROT_EXEC, 0);
	if (r == 0)
		r = check(allow_masked(filter, SCMP_SYS(mmap2), 2, PROT_EXEC, 0));
	return r == 0 ? allow_masked(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, 0) : r;
}

/* A call that is not allowed returns an error: a library that tries one continues. */
static scmp_filter_ctx make_filter(bool loads)
{
	scmp_filter_ctx filter = NULL;
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0)
		filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL)
		return NULL;
	int r = allow(filter);
	if (r == 0)
		r = loads ? allow_calls(filter, allowed_loading,
				    sizeof allowed_loading / sizeof allowed_loading[0])
			  : allow_data(filter);
	if (r == 0)
		return filter;
	seccomp_release(filter);
	return NULL;
}

/* ---------------------------------------------------------------------------------------------- */

void confine_prepare_loading(struct confine *confine)
{
	*confine = (struct confine){.ruleset = -1};
	if (SANITIZED)
		return;
	confine->ruleset = make_ruleset();
	confine->filter = make_filter(true);
	for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
		confine_may_read(confine, libraries[i]);
}

void confine_prepare(struct confine *confine, char lacking[CONFINE_LACKING])
{
	*confine = (struct confine){.ruleset = -1};
	lacking[0] = '\0';
	if (SANITIZED) {
		add_lacking(lacking, "landlock, seccomp (a sanitizer needs its freedom)");
		return;
	}
	confine->ruleset = make_ruleset();
	if (confine->ruleset < 0)
		add_lacking(lacking, "landlock");
	confine->filter = make_filter(false);
	if (confine->filter == NULL)
		add_lacking(lacking, "seccomp");
}

/* Lowering a limit always succeeds; one that is lower already stays. */
static void limit(__rlimit_resource_t resource, rlim_t most)
{
	struct rlimit now;
	if (getrlimit(resource, &now) < 0)
		return;
	now.rlim_max = now.rlim_max < most ? now.rlim_max : most;
	now.rlim_cur = now.rlim_cur < now.rlim_max ? now.rlim_cur : now.rlim_max;
	setrlimit(resource, &now);
}

int confine_enforce(struct confine *confine)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	limit(RLIMIT_CORE, 0); /* a core file would hold an operator's data */
	limit(RLIMIT_NOFILE, FILES_MAX);
	limit(RLIMIT_MEMLOCK, 0);
	limit(RLIMIT_MSGQUEUE, 0);
	if (!SANITIZED)
		limit(RLIMIT_DATA, MEMORY_MAX);
	if (confine->ruleset >= 0 && syscall(SYS_landlock_restrict_self, confine->ruleset, 0) < 0)
		return -errno;
	if (confine->filter != NULL) {
		int r = seccomp_load(confine->filter);
		if (r < 0)
			return r;
	}
	return 0;
}

void confine_finish(struct confine *confine)
{
	if (confine->ruleset >= 0)
		close(confine->ruleset);
	if (confine->filter != NULL)
		seccomp_release(confine->filter);
	*confine = (struct confine){.ruleset = -1};
}

bool confine_is_possible(void)
{
	return !SANITIZED && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

int confine_now(void)
{
	struct confine confine;
	char lacking[CONFINE_LACKING];
	confine_prepare(&confine, lacking);
	int r = confine_enforce(&confine);
	confine_finish(&confine);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <linux/usbdevice_fs.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>

#include "wire/port.h"
#include "worker/confine-plan.h"

#define LOADING (1u << CONFINE_LOADING)
#define RUNNING (1u << CONFINE_RUNNING)
#define ALWAYS  (LOADING | RUNNING)

#define ALLOW(name, in)                               \
	{                                             \
		.call = SCMP_SYS(name), .steps = (in) \
	}
#define ALLOW_IF(name, in, ...)                                                \
	{                                                                      \
		.call = SCMP_SYS(name), .steps = (in), .only = { __VA_ARGS__ } \
	}
#define ALLOW_IOCTL(mask, request) ALLOW_IF(ioctl, ALWAYS, {1, mask, request})
#define ALLOW_IOCTL_OF(kinds, request)                                                \
	{                                                                             \
		.call = SCMP_SYS(ioctl), .steps = ALWAYS, .links = (kinds), .only = { \
			{1, INT, request}                                             \
		}                                                                     \
	}

/* <asm/termbits.h>, which has their struct, cannot be included beside <termios.h>. */
#define TCGETS2_ _IOR('T', 0x2A, uint8_t[44])
#define TCSETS2_ _IOW('T', 0x2B, uint8_t[44])

#define INT       UINT32_MAX /* the upper half of an int in a register means nothing */
#define READ_ONLY (O_ACCMODE | O_CREAT | O_TRUNC | __O_TMPFILE)

/* Private memory that does not grow by itself, because RLIMIT_DATA counts no other. */
#define MAP_OPTIONS ((uint64_t)(MAP_FIXED | MAP_NORESERVE | MAP_STACK))
#define PRIVATE_DATA                                         \
	{                                                    \
		3, ~MAP_OPTIONS, MAP_PRIVATE | MAP_ANONYMOUS \
	}
#define PRIVATE_FILE                                                           \
	{                                                                      \
		3, ~(MAP_OPTIONS | MAP_ANONYMOUS | MAP_DENYWRITE), MAP_PRIVATE \
	}
#define NEVER_CODE              \
	{                       \
		2, PROT_EXEC, 0 \
	}

/*
 * No call that makes a thread: the driver's thread is older than the filters.  No fcntl: it can
 * send signals to other processes.  No socketpair: one end of a pair of datagrams reaches every socket that
 * has a name.  No sendmsg: a filter does not see the address.
 */
static const struct confine_call calls[] = {
	ALLOW(read, ALWAYS),
	ALLOW(write, ALWAYS),
	ALLOW(readv, ALWAYS),
	ALLOW(writev, ALWAYS),
	ALLOW(close, ALWAYS),
	ALLOW(recvfrom, ALWAYS),
	ALLOW(recvmsg, ALWAYS), /* the connector passes sockets */
	/* To the peer of the socket: with an address, a datagram and MSG_FASTOPEN reach others. */
	ALLOW_IF(sendto, ALWAYS, {4, UINT64_MAX, 0}),
	ALLOW(shutdown, ALWAYS),
	ALLOW(getsockopt, ALWAYS),
	ALLOW(poll, ALWAYS),
	ALLOW(ppoll, ALWAYS),
	ALLOW(select, ALWAYS),
	ALLOW(pselect6, ALWAYS),
	ALLOW(_newselect, ALWAYS),
	ALLOW(timerfd_settime, ALWAYS),
	ALLOW(timerfd_settime64, ALWAYS),
	ALLOW(futex, ALWAYS),
	ALLOW(futex_time64, ALWAYS),
	ALLOW(clock_gettime, ALWAYS),
	ALLOW(clock_gettime64, ALWAYS),
	ALLOW(clock_nanosleep, ALWAYS),
	ALLOW(clock_nanosleep_time64, ALWAYS),
	ALLOW(nanosleep, ALWAYS),
	ALLOW(gettimeofday, ALWAYS),
	ALLOW(time, ALWAYS),
	ALLOW(brk, ALWAYS),
	ALLOW(munmap, ALWAYS),
	ALLOW(mremap, ALWAYS),
	ALLOW(madvise, ALWAYS),
	ALLOW(exit, ALWAYS),
	ALLOW(exit_group, ALWAYS),
	ALLOW(rt_sigaction, ALWAYS),
	ALLOW(rt_sigprocmask, ALWAYS),
	ALLOW(rt_sigreturn, ALWAYS),
	ALLOW(sigreturn, ALWAYS),
	ALLOW(sigaltstack, ALWAYS),
	ALLOW(restart_syscall, ALWAYS),
	ALLOW(getpid, ALWAYS),
	ALLOW(gettid, ALWAYS),
	ALLOW(getrandom, ALWAYS),
	ALLOW(sysinfo, ALWAYS), /* qsort() */
	ALLOW(sched_yield, ALWAYS),
	ALLOW(getrusage, ALWAYS),
	ALLOW(membarrier, ALWAYS),
	ALLOW(fstat, ALWAYS),
	ALLOW(fstat64, ALWAYS),
	ALLOW(lseek, ALWAYS),
	ALLOW(_llseek, ALWAYS),
	/* The driver's thread may still start when the first filter is there. */
	ALLOW(set_robust_list, ALWAYS),
	ALLOW(rseq, ALWAYS),
	/* Only this process: abort() and raise() of its own threads. */
	ALLOW_IF(tgkill, ALWAYS, {0, INT, CONFINE_SELF}),
	/* For descriptors that are open.  Not TIOCSTI: standard error may be an operator's terminal. */
	/* Of worker/link/serial-line.c. */
	ALLOW_IOCTL_OF(PORT_SERIAL, TCGETS2_),
	ALLOW_IOCTL_OF(PORT_SERIAL, TCSETS2_),
	ALLOW_IOCTL_OF(PORT_SERIAL, TIOCMBIS),
	ALLOW_IOCTL_OF(PORT_SERIAL, TIOCMBIC),
	ALLOW_IOCTL_OF(PORT_SERIAL, TIOCSBRK),
	ALLOW_IOCTL_OF(PORT_SERIAL, TIOCCBRK),
	ALLOW_IOCTL_OF(PORT_SERIAL, TIOCGICOUNT),
	ALLOW_IOCTL_OF(PORT_SERIAL, TIOCSERGETLSR),
	ALLOW_IOCTL(INT, TCGETS),
	ALLOW_IOCTL(INT, TCFLSH),
	ALLOW_IOCTL(INT, TIOCMGET),
	ALLOW_IOCTL(INT, TIOCNXCL),
	ALLOW_IOCTL(INT, TIOCOUTQ),
	ALLOW_IOCTL(INT, FIONREAD),
	/*
	 * usbfs: libusb's transfers by the interface that was claimed before, and its end.  The kernel's
	 * driver was detached and halts were cleared when the port was opened.
	 */
	ALLOW_IOCTL_OF(PORT_USB, USBDEVFS_SUBMITURB),
	ALLOW_IOCTL_OF(PORT_USB, USBDEVFS_DISCARDURB),
	ALLOW_IOCTL_OF(PORT_USB, USBDEVFS_REAPURBNDELAY),
	ALLOW_IOCTL_OF(PORT_USB, USBDEVFS_RELEASEINTERFACE),

	ALLOW_IF(mmap, RUNNING, NEVER_CODE, PRIVATE_DATA),
	ALLOW_IF(mmap2, RUNNING, NEVER_CODE, PRIVATE_DATA),
	ALLOW_IF(mprotect, RUNNING, NEVER_CODE),

	/* For the dynamic linker.  Landlock decides about the files. */
	ALLOW_IF(openat, LOADING, {2, READ_ONLY, O_RDONLY}),
	ALLOW(access, LOADING),
	ALLOW(faccessat, LOADING),
	ALLOW(newfstatat, LOADING),
	ALLOW(fstatat64, LOADING),
	ALLOW(statx, LOADING),
	ALLOW(pread64, LOADING),
	ALLOW(getcwd, LOADING),
	ALLOW_IF(mmap, LOADING, PRIVATE_FILE),
	ALLOW_IF(mmap2, LOADING, PRIVATE_FILE),
	ALLOW(mprotect, LOADING),
	/* The next filter: without a listener, which could answer calls. */
	ALLOW_IF(seccomp, LOADING, {0, INT, SECCOMP_SET_MODE_FILTER},
		{1, ~(uint64_t)SECCOMP_FILTER_FLAG_TSYNC_ESRCH, SECCOMP_FILTER_FLAG_TSYNC}),
};

#define MIB (UINT64_C(1) << 20)

static const struct confine_limit limits[] = {
	{RLIMIT_CORE, 0}, /* a core file would hold an operator's data */
	{RLIMIT_NOFILE, 64}, {RLIMIT_MEMLOCK, 0}, {RLIMIT_MSGQUEUE, 0},
	{RLIMIT_DATA, 512 * MIB}, /* the largest frame needs some 100 MiB */
	{RLIMIT_AS, 1024 * MIB},  /* also page tables of memory that is only read */
};

#define RIGHT(bit) (UINT64_C(1) << (bit))

static const struct confine_rights rights[] = {
	{1, .files = RIGHT(13) - 1},        /* moving to another folder is never allowed */
	{3, .files = RIGHT(14)},            /* truncate */
	{4, .net = RIGHT(0) | RIGHT(1)},    /* bind, connect of TCP */
	{5, .files = RIGHT(15)},            /* ioctl of devices opened from here on */
	{6, .scopes = RIGHT(0) | RIGHT(1)}, /* abstract sockets, signals */
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

const struct confine_plan confine_plan = {
	calls, limits, rights, COUNT(calls), COUNT(limits), COUNT(rights), 0};

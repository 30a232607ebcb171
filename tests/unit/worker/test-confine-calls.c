/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filters of system calls alone, without limits and Landlock.  Each deed makes one call that must
 * not reach the kernel.  Then every condition of the table is taken out, one at a time: a deed must
 * get through, or nothing tests the condition.
 */
#include <assay/driver.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <linux/usbdevice_fs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "confined.h"
#include "worker/refused.h"

#define LOADING (1u << CONFINE_LOADING)
#define RUNNING (1u << CONFINE_RUNNING)
#define ALWAYS  (LOADING | RUNNING)
#define SERIAL  (ASSAY_LINK_SERIAL | ASSAY_LINK_MODBUS_RTU)

/* On all kinds of link except these, which need the call. */
#define EXCEPT(links) (ALWAYS | (links) << CONFINE_STEPS)

/* Made before the filter; the deeds name them. */
static const struct sockaddr_in other = {
	.sin_family = AF_INET, .sin_port = 0x0900, .sin_addr.s_addr = 0x0100007f};
static const char path[] = "/etc/passwd", program[] = "/bin/true", text[] = "x";
static struct iovec piece = {(void *)text, 1};
static struct msghdr message = {.msg_name = (void *)&other,
	.msg_namelen = sizeof other,
	.msg_iov = &piece,
	.msg_iovlen = 1};
static char *const no_words[] = {NULL};
static int two[2];
static int self_or_other = 1;
static uint32_t action = SECCOMP_RET_ALLOW;
static struct rlimit rlimit;
static siginfo_t sent;
static uint8_t block[512];

#define ADDRESS(x) ((long)(uintptr_t)(x))
#define PAIR(type)                             \
	{                                      \
		AF_UNIX, type, 0, ADDRESS(two) \
	}
#define MAP(protection, flags)                    \
	{                                         \
		0, 4096, protection, flags, -1, 0 \
	}

/* The number and the arguments of a call; the steps in which it is refused. */
static const struct deed {
	const char *name;
	unsigned steps;
	long number, args[6];
} deeds[] = {
	{"read a file", RUNNING, SYS_openat, {AT_FDCWD, ADDRESS(path), O_RDONLY}},
	{"write a file", ALWAYS, SYS_openat, {AT_FDCWD, ADDRESS(path), O_WRONLY}},
	{"make a file", ALWAYS, SYS_openat, {AT_FDCWD, ADDRESS("/dev/null"), O_CREAT, 0600}},
	{"empty a file", ALWAYS, SYS_openat, {AT_FDCWD, ADDRESS("/dev/null"), O_TRUNC}},
	{"name a file", RUNNING, SYS_openat, {AT_FDCWD, ADDRESS(path), O_PATH}},
	{"openat2", ALWAYS, SYS_openat2, {AT_FDCWD, ADDRESS(path), ADDRESS(block), 24}},
	{"look for a file", RUNNING, SYS_newfstatat, {AT_FDCWD, ADDRESS(path), ADDRESS(block)}},
	{"statx", RUNNING, SYS_statx, {AT_FDCWD, ADDRESS(path), 0, 0, ADDRESS(block)}},
	{"faccessat", RUNNING, SYS_faccessat, {AT_FDCWD, ADDRESS(path), R_OK}},
	{"readlinkat", ALWAYS, SYS_readlinkat,
		{AT_FDCWD, ADDRESS("/proc/self/exe"), ADDRESS(block), 9}},
	{"getdents64", ALWAYS, SYS_getdents64, {-1, ADDRESS(block), sizeof block}},
	{"unlinkat", ALWAYS, SYS_unlinkat, {AT_FDCWD, ADDRESS("/tmp/assay-none")}},
	{"mkdirat", ALWAYS, SYS_mkdirat, {AT_FDCWD, ADDRESS("/proc/none"), 0}},
	{"mknodat", ALWAYS, SYS_mknodat, {AT_FDCWD, ADDRESS("/proc/none"), 0, 0}},
	{"renameat2", ALWAYS, SYS_renameat2,
		{AT_FDCWD, ADDRESS("/proc/none"), AT_FDCWD, ADDRESS("/proc/other")}},
	{"symlinkat", ALWAYS, SYS_symlinkat, {ADDRESS(path), AT_FDCWD, ADDRESS("/proc/none")}},
	{"linkat", ALWAYS, SYS_linkat,
		{AT_FDCWD, ADDRESS("/proc/none"), AT_FDCWD, ADDRESS("/proc/other")}},
	{"fchmodat", ALWAYS, SYS_fchmodat, {AT_FDCWD, ADDRESS("/proc/none"), 0}},
	{"fchownat", ALWAYS, SYS_fchownat, {AT_FDCWD, ADDRESS("/proc/none"), 0, 0}},
	{"truncate", ALWAYS, SYS_truncate, {ADDRESS("/proc/none"), 0}},
	{"chdir", ALWAYS, SYS_chdir, {ADDRESS("/")}},
	{"chroot", ALWAYS, SYS_chroot, {ADDRESS("/")}},
	{"mount", ALWAYS, SYS_mount, {ADDRESS("none"), ADDRESS("/proc/none")}},
	{"umount2", ALWAYS, SYS_umount2, {ADDRESS("/proc/none")}},
	{"inotify_init1", ALWAYS, SYS_inotify_init1, {0}},
	{"open_by_handle_at", ALWAYS, SYS_open_by_handle_at, {-1, ADDRESS(block), 0}},
	{"memfd_create", ALWAYS, SYS_memfd_create, {ADDRESS("x"), 0}},
	{"io_uring_setup", ALWAYS, SYS_io_uring_setup, {1, ADDRESS(block)}},

	{"a TCP socket", ALWAYS, SYS_socket, {AF_INET, SOCK_STREAM}},
	{"a UDP socket", ALWAYS, SYS_socket, {AF_INET, SOCK_DGRAM}},
	{"a local socket", ALWAYS, SYS_socket, {AF_UNIX, SOCK_STREAM}},
	{"a netlink socket", ALWAYS, SYS_socket, {AF_NETLINK, SOCK_RAW}},
	{"connect", ALWAYS, SYS_connect, {-1, ADDRESS(&other), sizeof other}},
	{"bind", ALWAYS, SYS_bind, {-1, ADDRESS(&other), sizeof other}},
	{"listen", ALWAYS, SYS_listen, {-1, 1}},
	{"accept4", ALWAYS, SYS_accept4, {-1}},
	{"a pair of datagrams", ALWAYS, SYS_socketpair, PAIR(SOCK_DGRAM)},
	{"a pair of streams", ALWAYS, SYS_socketpair, PAIR(SOCK_STREAM)},
	{"sendto with an address", ALWAYS, SYS_sendto,
		{-1, ADDRESS(text), 1, 0, ADDRESS(&other), sizeof other}},
	{"connect by MSG_FASTOPEN", ALWAYS, SYS_sendto,
		{-1, ADDRESS(text), 1, MSG_FASTOPEN, ADDRESS(&other), sizeof other}},
	{"sendmsg", ALWAYS, SYS_sendmsg, {-1, ADDRESS(&message)}},
	{"sendmmsg", ALWAYS, SYS_sendmmsg, {-1, ADDRESS(&message), 1}},
	{"setsockopt", ALWAYS, SYS_setsockopt, {-1, SOL_SOCKET, SO_BROADCAST}},
	{"dup", ALWAYS, SYS_dup, {2}},
	{"dup3", ALWAYS, SYS_dup3, {2, 9, 0}},
	{"fcntl F_DUPFD", ALWAYS, SYS_fcntl, {2, F_DUPFD, 9}},
	{"fcntl F_SETOWN", ALWAYS, SYS_fcntl, {-1, F_SETOWN, 1}},
	{"fcntl F_SETSIG", ALWAYS, SYS_fcntl, {-1, F_SETSIG, SIGKILL}},
	{"fcntl O_ASYNC", ALWAYS, SYS_fcntl, {-1, F_SETFL, O_ASYNC}},
	{"fcntl F_NOTIFY", ALWAYS, SYS_fcntl, {-1, F_NOTIFY, DN_ACCESS}},
	{"pipe2", ALWAYS, SYS_pipe2, {ADDRESS(two), 0}},
	{"eventfd2", ALWAYS, SYS_eventfd2, {0, 0}},
	{"signalfd4", ALWAYS, SYS_signalfd4, {-1, ADDRESS(block), 8, 0}},
	{"timer_create", ALWAYS, SYS_timer_create, {CLOCK_MONOTONIC, 0, ADDRESS(block)}},

	{"ioctl TIOCSTI", ALWAYS, SYS_ioctl, {-1, TIOCSTI, ADDRESS(text)}},
	{"ioctl TIOCLINUX", ALWAYS, SYS_ioctl, {-1, TIOCLINUX, ADDRESS(text)}},
	{"ioctl TCSETS", ALWAYS, SYS_ioctl, {-1, TCSETS, ADDRESS(block)}},
	{"ioctl USBDEVFS_SUBMITURB", EXCEPT(ASSAY_LINK_USB), SYS_ioctl,
		{-1, USBDEVFS_SUBMITURB, ADDRESS(block)}},
	{"ioctl TCSETS2", EXCEPT(SERIAL), SYS_ioctl, {-1, 0x402c542b, ADDRESS(block)}},
	{"ioctl TIOCMBIC", EXCEPT(SERIAL), SYS_ioctl, {-1, TIOCMBIC, ADDRESS(block)}},
	{"ioctl TIOCSBRK", EXCEPT(SERIAL), SYS_ioctl, {-1, TIOCSBRK}},
	{"ioctl TIOCGICOUNT", EXCEPT(SERIAL), SYS_ioctl, {-1, TIOCGICOUNT, ADDRESS(block)}},
	{"ioctl TIOCCONS", ALWAYS, SYS_ioctl, {-1, TIOCCONS}},
	{"ioctl TIOCSSERIAL", ALWAYS, SYS_ioctl, {-1, TIOCSSERIAL, ADDRESS(block)}},
	{"ioctl TIOCSETD", ALWAYS, SYS_ioctl, {-1, TIOCSETD, ADDRESS(block)}},
	{"ioctl FIOASYNC", ALWAYS, SYS_ioctl, {-1, FIOASYNC, ADDRESS(&self_or_other)}},
	{"ioctl FIOSETOWN", ALWAYS, SYS_ioctl, {-1, FIOSETOWN, ADDRESS(&self_or_other)}},

	{"usbfs RESET", ALWAYS, SYS_ioctl, {-1, USBDEVFS_RESET}},
	{"usbfs SETCONFIGURATION", ALWAYS, SYS_ioctl, {-1, USBDEVFS_SETCONFIGURATION}},
	{"usbfs SETINTERFACE", ALWAYS, SYS_ioctl, {-1, USBDEVFS_SETINTERFACE}},
	{"usbfs CLAIMINTERFACE", ALWAYS, SYS_ioctl, {-1, USBDEVFS_CLAIMINTERFACE}},
	{"usbfs DISCONNECT_CLAIM", ALWAYS, SYS_ioctl, {-1, USBDEVFS_DISCONNECT_CLAIM}},
	{"usbfs CONTROL", ALWAYS, SYS_ioctl, {-1, USBDEVFS_CONTROL, ADDRESS(block)}},
	{"usbfs BULK", ALWAYS, SYS_ioctl, {-1, USBDEVFS_BULK, ADDRESS(block)}},
	{"usbfs REAPURB", ALWAYS, SYS_ioctl, {-1, USBDEVFS_REAPURB, ADDRESS(block)}},
	{"usbfs DISCSIGNAL", ALWAYS, SYS_ioctl, {-1, USBDEVFS_DISCSIGNAL, ADDRESS(block)}},
	{"usbfs CLAIM_PORT", ALWAYS, SYS_ioctl, {-1, USBDEVFS_CLAIM_PORT, ADDRESS(block)}},
	{"usbfs ALLOC_STREAMS", ALWAYS, SYS_ioctl, {-1, USBDEVFS_ALLOC_STREAMS, ADDRESS(block)}},
	{"usbfs IOCTL", ALWAYS, SYS_ioctl, {-1, USBDEVFS_IOCTL, ADDRESS(block)}},
	{"usbfs CLEAR_HALT", ALWAYS, SYS_ioctl, {-1, USBDEVFS_CLEAR_HALT, ADDRESS(block)}},
	{"usbfs FORBID_SUSPEND", ALWAYS, SYS_ioctl, {-1, USBDEVFS_FORBID_SUSPEND}},

	{"execve", ALWAYS, SYS_execve, {ADDRESS(program), ADDRESS(no_words), ADDRESS(no_words)}},
	{"execveat", ALWAYS, SYS_execveat,
		{AT_FDCWD, ADDRESS(program), ADDRESS(no_words), ADDRESS(no_words)}},
	{"a process", ALWAYS, SYS_clone, {SIGCHLD}},
	{"a thread", ALWAYS, SYS_clone,
		{CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD}},
	{"clone3", ALWAYS, SYS_clone3, {ADDRESS(block), 64}},
	{"unshare", ALWAYS, SYS_unshare, {CLONE_NEWUSER}},
	{"setns", ALWAYS, SYS_setns, {-1, 0}},
	{"kill", ALWAYS, SYS_kill, {1, 0}},
	{"tkill", ALWAYS, SYS_tkill, {1, 0}},
	{"tgkill of another", ALWAYS, SYS_tgkill, {1, 1, 0}},
	{"rt_sigqueueinfo", ALWAYS, SYS_rt_sigqueueinfo, {1, 0, ADDRESS(&sent)}},
	{"rt_tgsigqueueinfo", ALWAYS, SYS_rt_tgsigqueueinfo, {1, 1, 0, ADDRESS(&sent)}},
	{"pidfd_open", ALWAYS, SYS_pidfd_open, {1, 0}},
	{"pidfd_send_signal", ALWAYS, SYS_pidfd_send_signal, {-1, 0, 0, 0}},
	{"pidfd_getfd", ALWAYS, SYS_pidfd_getfd, {-1, 0, 0}},
	{"ptrace", ALWAYS, SYS_ptrace, {PTRACE_ATTACH, 1}},
	{"process_vm_readv", ALWAYS, SYS_process_vm_readv,
		{1, ADDRESS(&piece), 1, ADDRESS(&piece), 1}},
	{"process_vm_writev", ALWAYS, SYS_process_vm_writev,
		{1, ADDRESS(&piece), 1, ADDRESS(&piece), 1}},
	{"kcmp", ALWAYS, SYS_kcmp, {1, 1}},

	{"memory that is code", RUNNING, SYS_mmap,
		MAP(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS)},
	{"memory that becomes code", RUNNING, SYS_mprotect, {0, 0, PROT_READ | PROT_EXEC}},
	{"pkey_mprotect", ALWAYS, SYS_pkey_mprotect, {0, 0, PROT_READ | PROT_EXEC, -1}},
	{"a file as memory", RUNNING, SYS_mmap, {0, 4096, PROT_READ, MAP_PRIVATE, -1, 0}},
	{"shared memory", ALWAYS, SYS_mmap, MAP(PROT_READ, MAP_SHARED | MAP_ANONYMOUS)},
	{"memory that grows", ALWAYS, SYS_mmap,
		MAP(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN)},
	{"locked memory", ALWAYS, SYS_mmap,
		MAP(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED)},
	{"mlock", ALWAYS, SYS_mlock, {0, 0}},
	{"mlockall", ALWAYS, SYS_mlockall, {0}},
	{"remap_file_pages", ALWAYS, SYS_remap_file_pages, {0, 0, 0, 0, 0}},
	{"shmget", ALWAYS, SYS_shmget, {0, 4096, 0}},
	{"msgget", ALWAYS, SYS_msgget, {0, 0}},
	{"semget", ALWAYS, SYS_semget, {0, 1, 0}},
	{"mq_open", ALWAYS, SYS_mq_open, {ADDRESS("assay-none"), O_RDONLY}},
	{"userfaultfd", ALWAYS, SYS_userfaultfd, {0}},
	{"bpf", ALWAYS, SYS_bpf, {0, ADDRESS(block), 0}},
	{"perf_event_open", ALWAYS, SYS_perf_event_open, {ADDRESS(block), 0, -1, -1, 0}},
	{"add_key", ALWAYS, SYS_add_key, {ADDRESS("user"), ADDRESS("x"), ADDRESS(text), 1, -3}},
	{"keyctl", ALWAYS, SYS_keyctl, {0, -3, 0}},

	{"personality", ALWAYS, SYS_personality, {0xffffffff}},
	{"prctl", ALWAYS, SYS_prctl, {PR_SET_PDEATHSIG, 0}},
	{"setrlimit", ALWAYS, SYS_setrlimit, {RLIMIT_CORE, ADDRESS(&rlimit)}},
	{"prlimit64", ALWAYS, SYS_prlimit64, {1, RLIMIT_CORE, 0, ADDRESS(block)}},
	{"setpriority", ALWAYS, SYS_setpriority, {PRIO_PROCESS, 0, 19}},
	{"sched_setaffinity", ALWAYS, SYS_sched_setaffinity, {1, 8, ADDRESS(block)}},
	{"sched_setscheduler", ALWAYS, SYS_sched_setscheduler, {1, 0, ADDRESS(block)}},
	{"ioprio_set", ALWAYS, SYS_ioprio_set, {1, 1, 0}},
	{"setresuid", ALWAYS, SYS_setresuid, {-1, -1, -1}},
	{"capset", ALWAYS, SYS_capset, {ADDRESS(block), ADDRESS(block)}},
	{"clock_settime", ALWAYS, SYS_clock_settime, {CLOCK_REALTIME, 0}},
	{"reboot", ALWAYS, SYS_reboot, {0, 0, 0}},
	{"init_module", ALWAYS, SYS_init_module, {0, 0, 0}},
	{"landlock", ALWAYS, SYS_landlock_create_ruleset, {0, 0, 1}},
	{"a filter", RUNNING, SYS_seccomp, {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC}},
	{"another use of seccomp", ALWAYS, SYS_seccomp,
		{SECCOMP_GET_ACTION_AVAIL, 1, ADDRESS(&action)}},
	{"a filter that others answer", ALWAYS, SYS_seccomp,
		{SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER}},
};

/* Whether the plan refuses the deed in this step. */
static bool is_forbidden(
	const struct deed *d, const struct confine_plan *plan, enum confine_step step)
{
	return (d->steps & 1u << step) != 0 && (d->steps >> CONFINE_STEPS & plan->links) == 0;
}

#define DEEDS (sizeof deeds / sizeof *deeds)

/* Shared with the children. */
static struct report {
	bool is_refused[DEEDS];
	bool is_complete;
} * report;

struct trial {
	const struct confine_plan *plan;
	enum confine_step step;
};

static volatile sig_atomic_t caught;
static struct sigaction catcher;

static void on_refused(int number, siginfo_t *info, void *context)
{
	caught = 1;
	catcher.sa_sigaction(number, info, context);
}

static void confine(const struct trial *trial)
{
	struct confine confine;
	char lacking[CONFINE_LACKING];
	become_nobody();
	confine_prepare(&confine, trial->plan, lacking);
	if (confine_files(&confine) < 0 || confine_calls(&confine, trial->step) < 0)
		_exit(1);
	confine_finish(&confine);
}

/* Only the filter raises SIGSYS, so a call that fails in the kernel counts as one that got through. */
static int do_all(void *arg)
{
	const struct trial *trial = arg;
	confine(trial);
	struct sigaction act = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};
	sigaction(SIGSYS, &act, &catcher);
	for (size_t i = 0; i < DEEDS; i++) {
		const struct deed *d = &deeds[i];
		if (!is_forbidden(d, trial->plan, trial->step))
			continue;
		caught = 0;
		long r = syscall(d->number, d->args[0], d->args[1], d->args[2], d->args[3],
			d->args[4], d->args[5]);
		report->is_refused[i] = caught && r == -1 && errno == EPERM;
	}
	report->is_complete = true;
	return 0;
}

/* The name of the first deed that was not refused, NULL: all were. */
static const char *first_through(const struct confine_plan *plan, enum confine_step step)
{
	struct trial trial = {plan, step};
	memset(report, 0, sizeof *report);
	assert_int_equal(in_child(do_all, &trial), 0);
	assert_true(report->is_complete);
	for (size_t i = 0; i < DEEDS; i++) {
		if (is_forbidden(&deeds[i], plan, step) && !report->is_refused[i])
			return deeds[i].name;
	}
	return NULL;
}

static void every_deed_is_refused(void **state)
{
	static const unsigned links[] = {
		0, ASSAY_LINK_SERIAL, ASSAY_LINK_MODBUS_RTU, ASSAY_LINK_USB, ASSAY_LINK_TCP};
	struct changed_plan changed;
	plan_copy(&changed, PART_CALLS);
	for (unsigned i = 0; i < 5 * CONFINE_STEPS; i++) {
		changed.plan.links = links[i / CONFINE_STEPS];
		const char *through = first_through(&changed.plan, i % CONFINE_STEPS);
		if (through != NULL)
			fail_msg("link %u, step %u: %s: is not refused", changed.plan.links,
				i % CONFINE_STEPS, through);
	}
}

/* What libusb needs: EBADF comes from the kernel. */
static int command_usb(void *arg)
{
	static const unsigned long requests[] = {USBDEVFS_SUBMITURB, USBDEVFS_DISCARDURB,
		USBDEVFS_REAPURBNDELAY, USBDEVFS_RELEASEINTERFACE};
	confine(arg);
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		if (syscall(SYS_ioctl, -1, requests[i], block) != -1 || errno != EBADF)
			return (int)i + 1;
	}
	return 0;
}

static void transfers_of_usb_reach_the_kernel(void **state)
{
	struct changed_plan changed;
	struct trial trial = {&changed.plan, CONFINE_RUNNING};
	plan_copy(&changed, PART_CALLS);
	changed.plan.links = ASSAY_LINK_USB;
	assert_int_equal(in_child(command_usb, &trial), 0);
}

static void every_condition_is_needed(void **state)
{
	for (size_t i = 0; i < confine_plan.call_count; i++) {
		for (size_t k = 0; k < CONFINE_CONDITIONS; k++) {
			struct changed_plan changed;
			const struct confine_call *call = &confine_plan.calls[i];
			bool is_found = call->only[k].mask == 0 || call->call < 0;
			plan_copy(&changed, PART_CALLS);
			changed.plan.links = call->links;
			changed.calls[i].only[k].mask = 0;
			for (enum confine_step step = 0; step < CONFINE_STEPS; step++)
				is_found = is_found || first_through(&changed.plan, step) != NULL;
			if (!is_found)
				fail_msg("no deed needs condition %zu of call %d", k, call->call);
		}
	}
}

/* --- the log -------------------------------------------------------------------------------- */

static int log_end;

static int call_often(void *arg)
{
	struct trial trial = {arg, CONFINE_RUNNING};
	dup2(log_end, STDERR_FILENO);
	confine(&trial);
	for (int i = 0; i < 1000; i++)
		syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	for (int i = 0; i < 100; i++) /* numbers that are never given out */
		syscall(400 + i, 0, 0, 0);
	return 0;
}

static void each_refused_call_is_logged_once(void **state)
{
	struct changed_plan changed;
	static char log[1 << 16];
	int ends[2], lines = 0;
	size_t len = 0;
	plan_copy(&changed, PART_CALLS);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	log_end = ends[1];
	assert_int_equal(in_child(call_often, &changed.plan), 0);
	close(ends[1]);
	for (ssize_t n; (n = read(ends[0], log + len, sizeof log - 1 - len)) > 0;)
		len += (size_t)n;
	close(ends[0]);
	for (const char *p = log; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	char first[100];
	snprintf(first, sizeof first, "assay-worker: the system call socket (%d) was refused\n",
		SYS_socket);
	assert_memory_equal(log, first, strlen(first));
	assert_int_equal(lines, 20);
	assert_non_null(strstr(log, "more are not logged\n"));
}

/* --- threads, other architectures ------------------------------------------------------------- */

static atomic_int gate;

static void *open_when_told(void *arg)
{
	while (atomic_load(&gate) == 0)
		sched_yield();
	*(int *)arg = open(path, O_RDONLY) < 0 ? errno : 0;
	return NULL;
}

static int confine_beside_a_thread(void *arg)
{
	struct trial trial = {arg, CONFINE_RUNNING};
	int error = 0;
	pthread_t thread;
	if (pthread_create(&thread, NULL, open_when_told, &error) != 0)
		return 1;
	confine(&trial);
	atomic_store(&gate, 1);
	pthread_join(thread, NULL);
	return error == EPERM ? 0 : 2;
}

static void threads_that_exist_are_confined_too(void **state)
{
	struct changed_plan changed;
	plan_copy(&changed, PART_CALLS);
	assert_int_equal(in_child(confine_beside_a_thread, &changed.plan), 0);
}

#ifdef __x86_64__
static void *call_as_x32(void *arg)
{
	while (atomic_load(&gate) == 0)
		sched_yield();
	syscall(0x40000000 | SYS_getpid);
	return NULL;
}

static int end_all_by_one_thread(void *arg)
{
	struct trial trial = {arg, CONFINE_RUNNING};
	pthread_t thread;
	if (pthread_create(&thread, NULL, call_as_x32, NULL) != 0)
		return 1;
	confine(&trial);
	atomic_store(&gate, 1);
	pthread_join(thread, NULL);
	return 2;
}

static void calls_of_another_architecture_end_the_process(void **state)
{
	struct changed_plan changed;
	plan_copy(&changed, PART_CALLS);
	assert_int_equal(in_child(end_all_by_one_thread, &changed.plan), 256 + SIGSYS);
}
#endif

static int set_up(void **state)
{
	report = mmap(
		NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return report == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_deed_is_refused),
		cmocka_unit_test(transfers_of_usb_reach_the_kernel),
		cmocka_unit_test(every_condition_is_needed),
		cmocka_unit_test(each_refused_call_is_logged_once),
		cmocka_unit_test(threads_that_exist_are_confined_too),
#ifdef __x86_64__
		cmocka_unit_test(calls_of_another_architecture_end_the_process),
#endif
	};
	if (!confine_is_possible() || !refused_can_be_caught()) {
		print_message("this kernel lacks seccomp, or a refused call raises no signal\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, set_up, NULL);
}

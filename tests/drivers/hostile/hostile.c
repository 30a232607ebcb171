/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostile: a driver that an instrument has taken over.  It tries to leave its worker, once in its
 * constructor and once in acquire().  The raw block of its frame has a line for each deed: the step, the
 * deed, and the errno that refused it, 0 if nothing did.
 */
#include <assay/driver.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <linux/usbdevice_fs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define FDS_MAX   64
#define LINES_MAX 8192

/* Of the victims; a datagram that arrives there has left the worker. */
static struct sockaddr_in port = {.sin_family = AF_INET};
static struct sockaddr_un place = {.sun_family = AF_UNIX};

/* The process that the deeds aim at: the worker itself while the module is loaded, then another. */
static pid_t victim;
static int deadly;

static char lines[LINES_MAX];
static size_t len;

static int result(long r)
{
	return r < 0 ? errno : 0;
}

/* By the kernel itself: a library that plays the bus in tests has functions of these names. */
static int command(int fd, unsigned long request, const void *argument)
{
	return result(syscall(SYS_ioctl, fd, request, argument));
}

static int open_file(const char *path, int flags)
{
	return result(syscall(SYS_openat, AT_FDCWD, path, flags, 0600));
}

/* Tries a deed on all descriptors that may be open: 0 if it worked on one, else the last refusal. */
static int on_any(int (*act)(int fd))
{
	int error = EBADF;
	for (int fd = 2; fd < FDS_MAX; fd++) {
		int e = act(fd);
		if (e == 0)
			return 0;
		error = e != EBADF ? e : error;
	}
	return error;
}

/* --- signals ----------------------------------------------------------------------------------- */

/* The kernel then sends SIGKILL to the victim at the next byte on the descriptor. */
static int own_by_fcntl(int fd)
{
	if (fcntl(fd, F_SETOWN, victim) < 0)
		return errno;
	fcntl(fd, F_SETSIG, deadly);
	return result(fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK));
}

static int own_by_ioctl(int fd)
{
	int on = 1;
	int error = command(fd, FIOSETOWN, &victim);
	return error != 0 ? error : command(fd, FIOASYNC, &on);
}

static int signal_by_fcntl(void)
{
	return on_any(own_by_fcntl);
}

static int signal_by_ioctl(void)
{
	return on_any(own_by_ioctl);
}

static int kill_other(void)
{
	return result(kill(victim, deadly));
}

static int tgkill_other(void)
{
	return result(syscall(SYS_tgkill, victim, victim, deadly));
}

static int queue_signal(void)
{
	union sigval value = {0};
	return result(sigqueue(victim, deadly, value));
}

static int open_process(void)
{
	return result(syscall(SYS_pidfd_open, victim, 0));
}

/* --- sockets ------------------------------------------------------------------------------------ */

static int pair_of_datagrams(void)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) < 0)
		return errno;
	return result(sendto(pair[0], "out", 3, 0, (struct sockaddr *)&place, sizeof place));
}

static int pair_of_streams(void)
{
	int pair[2];
	return result(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

static int send_from(int fd)
{
	return result(sendto(
		fd, "out", 3, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&port, sizeof port));
}

static int send_elsewhere(void)
{
	return on_any(send_from);
}

static int fast_open(int fd)
{
	return result(sendto(
		fd, "out", 3, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&port, sizeof port));
}

static int connect_by_fast_open(void)
{
	return on_any(fast_open);
}

static int send_message(int fd)
{
	struct iovec piece = {(void *)"out", 3};
	struct msghdr message = {
		.msg_name = &port, .msg_namelen = sizeof port, .msg_iov = &piece, .msg_iovlen = 1};
	return result(sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static int send_message_elsewhere(void)
{
	return on_any(send_message);
}

static int connect_from(int fd)
{
	return result(connect(fd, (struct sockaddr *)&port, sizeof port));
}

static int connect_elsewhere(void)
{
	return on_any(connect_from);
}

static int set_option(int fd)
{
	int on = 1;
	return result(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on));
}

static int set_options(void)
{
	return on_any(set_option);
}

static int make_socket(void)
{
	return result(socket(AF_INET, SOCK_DGRAM, 0));
}

static int make_local_socket(void)
{
	return result(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int make_netlink_socket(void)
{
	return result(socket(AF_NETLINK, SOCK_RAW, 0));
}

/* --- the USB device ---------------------------------------------------------------------------- */

#define USB_DEED(name, request, type, ...)              \
	static int name##_on(int fd)                    \
	{                                               \
		static type argument = __VA_ARGS__;     \
		return command(fd, request, &argument); \
	}                                               \
	static int name(void)                           \
	{                                               \
		return on_any(name##_on);               \
	}

USB_DEED(reset_device, USBDEVFS_RESET, int, 0)
USB_DEED(configure_device, USBDEVFS_SETCONFIGURATION, unsigned, 2)
USB_DEED(claim_other_interface, USBDEVFS_CLAIMINTERFACE, unsigned, 1)
USB_DEED(change_interface, USBDEVFS_SETINTERFACE, struct usbdevfs_setinterface, {0, 1})
USB_DEED(take_interface, USBDEVFS_DISCONNECT_CLAIM, struct usbdevfs_disconnect_claim, {1, 0, ""})
USB_DEED(wait_for_transfer, USBDEVFS_BULK, struct usbdevfs_bulktransfer, {.ep = 0x81})
USB_DEED(control_device, USBDEVFS_CONTROL, struct usbdevfs_ctrltransfer, {.bRequest = 9})
USB_DEED(signal_by_unplugging, USBDEVFS_DISCSIGNAL, struct usbdevfs_disconnectsignal, {9, lines})
USB_DEED(claim_port_of_hub, USBDEVFS_CLAIM_PORT, unsigned, 1)

static int map_from(int fd)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return memory == MAP_FAILED ? errno : 0;
}

static int map_device(void)
{
	return on_any(map_from);
}

/* --- files -------------------------------------------------------------------------------------- */

static int read_file(void)
{
	return open_file("/etc/passwd", O_RDONLY);
}

static int write_file(void)
{
	return open_file("/tmp/assay-hostile", O_WRONLY | O_CREAT);
}

static int remove_file(void)
{
	return result(unlink("/tmp/assay-hostile"));
}

static int look_for_file(void)
{
	struct stat st;
	return result(syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &st, 0));
}

static int make_memory_file(void)
{
	return result(memfd_create("x", 0));
}

static int copy_descriptor(void)
{
	return result(dup(2));
}

static int copy_descriptor_by_fcntl(void)
{
	return result(fcntl(2, F_DUPFD, 9));
}

static int ring(void)
{
	static uint8_t params[256];
	return result(syscall(SYS_io_uring_setup, 1, params));
}

/* --- processes ---------------------------------------------------------------------------------- */

static int run_program(void)
{
	return result(execl("/bin/true", "true", (char *)NULL));
}

static int make_process(void)
{
	pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (child == 0)
		_exit(0);
	return result(child);
}

static int unshare_user(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int trace_other(void)
{
	return result(ptrace(PTRACE_ATTACH, victim, NULL, NULL));
}

static int read_other(void)
{
	char byte;
	struct iovec to = {&byte, 1}, from = {(void *)lines, 1};
	return result(process_vm_readv(victim, &to, 1, &from, 1, 0));
}

static int outlive_core(void)
{
	return result(prctl(PR_SET_PDEATHSIG, 0));
}

static int change_personality(void)
{
	return result(personality(ADDR_NO_RANDOMIZE));
}

static int raise_limit(void)
{
	struct rlimit most = {1 << 20, 1 << 20};
	return result(setrlimit(RLIMIT_CORE, &most));
}

static int type_into_terminal(void)
{
	return command(2, TIOCSTI, "x");
}

static int answer_own_calls(void)
{
	return result(syscall(
		SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, NULL));
}

/* --- memory ------------------------------------------------------------------------------------- */

static int map(size_t mib, int protection, int flags)
{
	void *memory = mmap(NULL, mib << 20, protection, MAP_ANONYMOUS | flags, -1, 0);
	return memory == MAP_FAILED ? errno : 0;
}

static int take_data(void)
{
	return map(600, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

static int take_addresses(void)
{
	return map(2048, PROT_READ, MAP_PRIVATE);
}

static int share_memory(void)
{
	return map(1, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static int growing_memory(void)
{
	return map(1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN);
}

static int segment(void)
{
	return result(syscall(SYS_shmget, 0, 4096, 0600));
}

static int code_memory(void)
{
	return map(1, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
}

static int data_becomes_code(void)
{
	static _Alignas(4096) uint8_t page[4096];
	return result(mprotect(page, sizeof page, PROT_READ | PROT_EXEC));
}

/* ---------------------------------------------------------------------------------------------- */

#define DEED(name)          \
	{                   \
#name, name \
	}

static const struct {
	const char *name;
	int (*act)(void);
} deeds[] = {DEED(signal_by_fcntl), DEED(signal_by_ioctl), DEED(kill_other), DEED(tgkill_other),
	DEED(queue_signal), DEED(open_process), DEED(pair_of_datagrams), DEED(pair_of_streams),
	DEED(send_elsewhere), DEED(connect_by_fast_open), DEED(send_message_elsewhere),
	DEED(connect_elsewhere), DEED(set_options), DEED(make_socket), DEED(make_local_socket),
	DEED(make_netlink_socket), DEED(reset_device), DEED(configure_device),
	DEED(claim_other_interface), DEED(change_interface), DEED(take_interface),
	DEED(wait_for_transfer), DEED(control_device), DEED(signal_by_unplugging),
	DEED(claim_port_of_hub), DEED(map_device), DEED(read_file), DEED(write_file),
	DEED(remove_file), DEED(look_for_file), DEED(make_memory_file), DEED(copy_descriptor),
	DEED(copy_descriptor_by_fcntl), DEED(ring), DEED(run_program), DEED(make_process),
	DEED(unshare_user), DEED(trace_other), DEED(read_other), DEED(outlive_core),
	DEED(change_personality), DEED(raise_limit), DEED(type_into_terminal),
	DEED(answer_own_calls), DEED(take_data), DEED(take_addresses), DEED(share_memory),
	DEED(growing_memory), DEED(segment), DEED(code_memory), DEED(data_becomes_code)};

static void do_all(const char *step)
{
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
		int error = deeds[i].act();
		len += (size_t)snprintf(
			lines + len, sizeof lines - len, "%s %s %d\n", step, deeds[i].name, error);
	}
}

__attribute__((constructor)) static void load(void)
{
	victim = getpid();
	do_all("loading");
}

/* --- deeds that end the worker, or that it survives for long --------------------------------------- */

static const char *const ways[] = {"deeds", "thread", "foreign", "flood", NULL};

static const struct assay_setting settings[] = {
	{.name = "way",
		.type = ASSAY_CHOICE,
		.choices = ways,
		.fallback = "deeds",
		.help = "how it attacks"},
	{.name = "victim",
		.type = ASSAY_INT,
		.min = 2,
		.max = 1e9,
		.flags = ASSAY_REQUIRED,
		.help = "process id of another process"},
	{.name = "port",
		.type = ASSAY_INT,
		.min = 1,
		.max = 65535,
		.fallback = "9",
		.help = "a UDP and TCP port on 127.0.0.1"},
	{.name = "socket",
		.type = ASSAY_TEXT,
		.fallback = "/nonexistent",
		.help = "a datagram socket"},
	{.name = NULL},
};

static void *nothing(void *arg)
{
	return arg;
}

static int make_thread(void)
{
	pthread_t thread;
	return -pthread_create(&thread, NULL, nothing, NULL);
}

/* A call of x32, which a filter for x86-64 would take for another one. */
static int call_as_foreign(void)
{
#ifdef __x86_64__
	return result(syscall(0x40000000 | SYS_getpid));
#else
	raise(SIGSYS);
	return 0;
#endif
}

static int flood(void)
{
	static const char line[] = "\x1b[2J\xc2\x9bH gas-9: a forged line\r\n";
	for (int i = 0; i < 20000; i++)
		(void)!write(STDERR_FILENO, line, sizeof line - 1);
	return 0;
}

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	memcpy(id->make, "assayd", sizeof("assayd"));
	memcpy(id->model, "hostile", sizeof("hostile"));
	memcpy(id->serial, "H-1", sizeof("H-1"));
	return 0;
}

static int attack(struct assay_instrument *ins)
{
	const struct assay_settings *s = ins->settings;
	const char *way = assay_text(s, "way");
	port.sin_port = htons((uint16_t)assay_int(s, "port"));
	port.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	snprintf(place.sun_path, sizeof place.sun_path, "%s", assay_text(s, "socket"));
	if (strcmp(way, "thread") == 0)
		return make_thread();
	if (strcmp(way, "foreign") == 0)
		return call_as_foreign();
	if (strcmp(way, "flood") == 0)
		return flood();
	victim = (pid_t)assay_int(s, "victim");
	deadly = SIGKILL;
	do_all("running");
	return 0;
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	if (assay_stopping(ins))
		return ASSAY_DONE;
	int r = attack(ins);
	if (r == 0)
		r = assay_raw_add(raw, "text/x-hostile", NULL, lines, len);
	len = 0;
	return r < 0 ? r : ASSAY_FRAME;
}

/* Both are called without a port, too: the errno of one deed. */
static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	assay_frame_kind(out, ASSAY_SCALARS);
	assay_add_int(out, "refused", ASSAY_DATA, look_for_file(), "1");
	return 0;
}

static void check(const struct assay_settings *s, struct assay_check *out)
{
	assay_check_warn(out, "way", "refused: %d", look_for_file());
}

static const struct assay_driver driver = {
	ASSAY_DRIVER_HEAD,
	.name = "hostile",
	.version = "1",
	.summary = "a driver that attacks the daemon",
	.technique = "xrf",
	.links = ASSAY_LINK_NONE | ASSAY_LINK_SERIAL | ASSAY_LINK_TCP | ASSAY_LINK_UDP |
		 ASSAY_LINK_USB,
	.settings = settings,
	.raw_max = LINES_MAX,
	.identify = identify,
	.acquire = acquire,
	.decode = decode,
	.check = check,
};
ASSAY_DRIVER_EXPORT(driver);

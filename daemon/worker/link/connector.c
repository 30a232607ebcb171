/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/confine.h"
#include "worker/link/connector.h"

#define PAGE_BYTES      4096
#define KEEP_IDLE_S     10 /* a peer that lost power is noticed after about 25 s of silence */
#define KEEP_INTERVAL_S 5
#define KEEP_COUNT      3
#define SOCKET_TYPE     (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

/* In the process; the address is in read-only memory. */
struct peer {
	const struct sockaddr *address;
	socklen_t len;
	unsigned limit_ms;
};

static void set_option(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof value); /* the link works without */
}

void connector_set_options(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT);
	set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
		(KEEP_IDLE_S + KEEP_COUNT * KEEP_INTERVAL_S) * 1000);
}

/* --- the process: confinement ----------------------------------------------------------------- */

static const struct sockaddr *pin_address(const struct sockaddr *address, socklen_t len)
{
	void *page = mmap(
		NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return NULL;
	memcpy(page, address, len);
	return mprotect(page, PAGE_BYTES, PROT_READ) < 0 ? NULL : page;
}

static int allow(scmp_filter_ctx filter, const struct sockaddr *address, socklen_t len)
{
	static const int always[] = {SCMP_SYS(recvfrom), SCMP_SYS(poll), SCMP_SYS(ppoll),
		SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(close),
		SCMP_SYS(clock_gettime), SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
		SCMP_SYS(restart_syscall)};
	int r = 0;
	for (size_t i = 0; i < sizeof always / sizeof always[0] && r == 0; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, always[i], 0);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
			SCMP_A0(SCMP_CMP_EQ, address->sa_family),
			SCMP_A1(SCMP_CMP_EQ, SOCKET_TYPE));
	/* Nothing that the process may call changes the memory at that place. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(connect), 2,
			SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)(uintptr_t)address),
			SCMP_A2(SCMP_CMP_EQ, len));
	/* Without MSG_FASTOPEN, which connects. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1,
			SCMP_A2(SCMP_CMP_EQ, MSG_NOSIGNAL));
	return r;
}

const struct sockaddr *connector_confine(const struct sockaddr *address, socklen_t len)
{
	static const struct rlimit none = {0, 0};
	const struct sockaddr *pinned = pin_address(address, len);
	setrlimit(RLIMIT_CORE, &none);
	if (pinned == NULL || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return NULL;
	if (!confine_is_possible())
		return pinned; /* the worker has reported it */
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool is_confined = filter != NULL && allow(filter, pinned, len) == 0 &&
			   seccomp_load(filter) == 0;
	seccomp_release(filter);
	return is_confined ? pinned : NULL;
}

/* --- the process: connecting ------------------------------------------------------------------ */

/* A socket, or a negative errno. */
static int connect_once(const struct peer *peer)
{
	uint64_t deadline = clock_boot() + peer->limit_ms * NS_PER_MS;
	int fd = socket(peer->address->sa_family, SOCKET_TYPE, 0);
	if (fd < 0)
		return -errno;
	connector_set_options(fd);
	int error = connect(fd, peer->address, peer->len) < 0 ? errno : 0;
	if (error == EINPROGRESS) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		socklen_t size = sizeof error;
		int n;
		do {
			n = poll(&p, 1, clock_ms_until(deadline));
		} while (n < 0 && errno == EINTR);
		if (n == 0)
			error = ETIMEDOUT;
		else if (n < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
			error = errno;
	}
	if (error == 0)
		return fd;
	close(fd);
	return -error;
}

/* Passes the descriptor, or why there is none. */
static bool pass(int to, int made)
{
	int error = made < 0 ? -made : 0;
	struct iovec iov = {&error, sizeof error};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};
	if (made >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof made);
		memcpy(CMSG_DATA(head), &made, sizeof made);
	}
	return sendmsg(to, &message, MSG_NOSIGNAL) >= 0;
}

static _Noreturn void serve(int fd, const struct peer *peer)
{
	for (;;) {
		char request;
		ssize_t n = recv(fd, &request, 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(EXIT_SUCCESS);
		int made = connect_once(peer);
		if (!pass(fd, made))
			_exit(EXIT_FAILURE);
		if (made >= 0)
			close(made);
	}
}

static _Noreturn void run(int fd, pid_t worker, struct peer peer)
{
	signal(SIGTERM, SIG_IGN); /* it ends after the worker's stop path */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != worker)
		_exit(EXIT_FAILURE);
	if (fd > 0)
		close_range(0, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0u, 0);
	peer.address = connector_confine(peer.address, peer.len);
	if (peer.address == NULL)
		_exit(EXIT_FAILURE);
	serve(fd, &peer);
}

/* --- the worker ------------------------------------------------------------------------------- */

int connector_start(struct connector *connector, const struct sockaddr *peer, socklen_t peer_len,
	unsigned limit_ms)
{
	int pair[2];
	pid_t worker = getpid();
	*connector = (struct connector){.fd = -1};
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	connector->pid = fork();
	if (connector->pid == 0)
		run(pair[1], worker, (struct peer){peer, peer_len, limit_ms});
	int error = errno;
	close(pair[1]);
	if (connector->pid > 0) {
		connector->fd = pair[0];
		return 0;
	}
	close(pair[0]);
	return -error;
}

void connector_stop(struct connector *connector)
{
	if (connector->fd >= 0)
		close(connector->fd);
	connector->fd = -1;
}

int connector_request(struct connector *connector)
{
	return send(connector->fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 : -EPIPE;
}

int connector_take(struct connector *connector)
{
	int error, fd = -1;
	struct iovec iov = {&error, sizeof error};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes};
	ssize_t n = recvmsg(connector->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n != sizeof error)
		return -EPIPE;
	if (error != 0)
		return -error;
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	if (head == NULL || head->cmsg_type != SCM_RIGHTS || head->cmsg_len != CMSG_LEN(sizeof fd))
		return -EPIPE;
	memcpy(&fd, CMSG_DATA(head), sizeof fd);
	return fd;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The process that connects for a confined worker: to its peer, and to nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "worker/confine.h"
#include "worker/link/connector.h"

#define WAIT_MS 5000

/* A listener on a port of its own. */
static int listen_at(struct sockaddr_in *at)
{
	socklen_t size = sizeof *at;
	*at = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)at, size), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &size), 0);
	return fd;
}

static int take(struct connector *connector)
{
	struct pollfd p = {.fd = connector->fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	return connector_take(connector);
}

static void start(struct connector *connector, const struct sockaddr_in *peer)
{
	assert_int_equal(
		connector_start(connector, (const struct sockaddr *)peer, sizeof *peer, 1000), 0);
}

static void each_request_makes_one_connection(void **state)
{
	struct sockaddr_in peer;
	struct connector connector;
	int listener = listen_at(&peer);
	start(&connector, &peer);
	assert_int_equal(connector_take(&connector), -EAGAIN);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(connector_request(&connector), 0);
		int fd = take(&connector), accepted = accept(listener, NULL, NULL);
		char byte;
		assert_true(fd >= 0 && accepted >= 0);
		assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
		assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
		assert_int_equal(write(accepted, "x", 1), 1);
		struct pollfd p = {.fd = fd, .events = POLLIN};
		assert_int_equal(poll(&p, 1, WAIT_MS), 1);
		assert_int_equal(read(fd, &byte, 1), 1);
		close(fd); /* no other process holds it */
		assert_int_equal(read(accepted, &byte, 1), 0);
		close(accepted);
	}
	close(listener);
	assert_int_equal(connector_request(&connector), 0);
	assert_int_equal(take(&connector), -ECONNREFUSED);
	connector_stop(&connector);
	assert_int_equal(waitpid(connector.pid, NULL, 0), connector.pid);
}

/* Requests that carry an address, and a descriptor. */
static void the_content_of_a_request_does_not_matter(void **state)
{
	struct sockaddr_in peer, other;
	struct connector connector;
	int listener = listen_at(&peer), elsewhere = listen_at(&other);
	int plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	start(&connector, &peer);
	struct iovec iov = {&other, sizeof other};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.head = {CMSG_LEN(sizeof plain), SOL_SOCKET, SCM_RIGHTS}};
	memcpy(CMSG_DATA(&control.head), &plain, sizeof plain);
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes};
	assert_int_equal(sendmsg(connector.fd, &message, 0), sizeof other);
	int fd = take(&connector);
	assert_true(fd >= 0);
	assert_true(accept(listener, NULL, NULL) >= 0);
	assert_int_equal(accept(elsewhere, NULL, NULL), -1);
	connector_stop(&connector);
	waitpid(connector.pid, NULL, 0);
}

#define REFUSED(call) ((call) < 0 && errno == EPERM)

/* In the process: allowed and refused calls.  0, or the number of the failure. */
static int reach_others(const struct sockaddr_in *peer, struct sockaddr_in *other)
{
	const struct sockaddr *pinned = connector_confine(
		(const struct sockaddr *)peer, sizeof *peer);
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
	if (pinned == NULL)
		return 1;
	int fd = socket(AF_INET, type, 0);
	if (fd < 0)
		return 2;
	if (!REFUSED(connect(fd, (struct sockaddr *)other, sizeof *other)))
		return 3;
	if (!REFUSED(connect(fd, (const struct sockaddr *)peer, sizeof *peer)))
		return 4; /* the same, at a place that could be changed */
	if (!REFUSED(connect(fd, pinned, sizeof *peer + 1)))
		return 11; /* another length */
	if (!REFUSED(sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)other, sizeof *other)))
		return 5;
	struct iovec iov = {(char *)"x", 1};
	struct msghdr message = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_name = other, .msg_namelen = sizeof *other};
	if (!REFUSED(sendmsg(fd, &message, MSG_FASTOPEN | MSG_NOSIGNAL)))
		return 6;
	if (!REFUSED(mprotect((void *)pinned, 4096, PROT_READ | PROT_WRITE)) ||
		!REFUSED(munmap((void *)pinned, 4096)))
		return 7;
	if (!REFUSED(socket(AF_UNIX, type, 0)) || !REFUSED(socket(AF_INET, SOCK_DGRAM, 0)))
		return 8;
	if (!REFUSED(open("/etc/passwd", O_RDONLY)) || !REFUSED(kill(1, 0)))
		return 9;
	return connect(fd, pinned, sizeof *peer) == 0 || errno == EINPROGRESS ? 0 : 10;
}

static void it_can_connect_to_nothing_else(void **state)
{
	struct sockaddr_in peer, other;
	int status, listener = listen_at(&peer), elsewhere = listen_at(&other);
	if (!confine_is_possible())
		skip();
	pid_t child = fork();
	if (child == 0)
		_exit(reach_others(&peer, &other));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(accept(listener, NULL, NULL) >= 0);
	assert_int_equal(accept(elsewhere, NULL, NULL), -1);
}

/* A confined worker cannot connect a socket that it holds. */
static void a_confined_worker_connects_only_by_it(void **state)
{
	struct sockaddr_in peer, other;
	struct connector connector;
	int status, listener = listen_at(&peer), elsewhere = listen_at(&other);
	if (!confine_is_possible())
		skip();
	pid_t child = fork();
	if (child == 0) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);
		start(&connector, &peer);
		struct confine confine;
		char lacking[CONFINE_LACKING];
		confine_prepare(&confine, &confine_plan, lacking);
		if (confine_files(&confine) < 0 || confine_calls(&confine, CONFINE_RUNNING) < 0)
			_exit(1);
		if (!REFUSED(connect(fd, (struct sockaddr *)&other, sizeof other)))
			_exit(2);
		if (connector_request(&connector) < 0 || take(&connector) < 0)
			_exit(3);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(accept(listener, NULL, NULL) >= 0);
	assert_int_equal(accept(elsewhere, NULL, NULL), -1);
}

/* A worker is killed; a stopped connector would not notice the end of its socket. */
static void it_ends_with_the_worker(void **state)
{
	struct sockaddr_in peer;
	struct connector connector;
	int pipe_fd[2];
	listen_at(&peer);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(pipe(pipe_fd), 0);
	pid_t worker = fork();
	if (worker == 0) {
		start(&connector, &peer);
		/* It serves, so its preparations are over. */
		if (connector_request(&connector) < 0 || take(&connector) < 0 ||
			write(pipe_fd[1], &connector.pid, sizeof connector.pid) < 0)
			_exit(1);
		pause();
	}
	assert_int_equal(
		read(pipe_fd[0], &connector.pid, sizeof connector.pid), sizeof connector.pid);
	kill(connector.pid, SIGSTOP);
	kill(worker, SIGKILL);
	assert_int_equal(waitpid(worker, NULL, 0), worker);
	int status;
	assert_int_equal(waitpid(connector.pid, &status, 0), connector.pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_makes_one_connection),
		cmocka_unit_test(the_content_of_a_request_does_not_matter),
		cmocka_unit_test(it_can_connect_to_nothing_else),
		cmocka_unit_test(a_confined_worker_connects_only_by_it),
		cmocka_unit_test(it_ends_with_the_worker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

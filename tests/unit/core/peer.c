/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "peer.h"
#include "virtual-loop.h"

#define PEERS_MAX 64
#define FIRST_PID 0x70000000 /* above the largest process id of the kernel */

static struct peer peers[PEERS_MAX];
static size_t peer_count;

/* In place of the C library's, which the supervisor calls. */
int kill(pid_t pid, int signal)
{
	if (pid < FIRST_PID)
		return (int)syscall(SYS_kill, pid, signal);
	peer_of(pid)->signal = signal;
	return 0;
}

int peer_start(const char *worker, int fd, int error, pid_t *pid)
{
	assert_true(peer_count < PEERS_MAX);
	struct peer *peer = &peers[peer_count];
	*peer = (struct peer){.pid = FIRST_PID + (pid_t)peer_count++};
	peer->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	assert_true(peer->fd >= 0);
	*pid = peer->pid;
	return 0;
}

struct peer *peer_of(pid_t pid)
{
	assert_in_range(pid, FIRST_PID, FIRST_PID + peer_count - 1);
	return &peers[pid - FIRST_PID];
}

void peer_send(struct peer *peer, struct buffer *message)
{
	assert_false(message->failed);
	for (size_t at = 0; at < message->len;) {
		ssize_t n = send(peer->fd, message->data + at, message->len - at,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		assert_true(
			n >
			0); /* a test that sends more than the socket holds runs the loop between */
		at += (size_t)n;
	}
	buffer_finish(message);
}

bool peer_next(struct peer *peer, struct wire_message *message)
{
	buffer_consume(&peer->in, peer->in_at);
	peer->in_at = 0;
	for (;;) {
		ssize_t n = recv(peer->fd, buffer_reserve(&peer->in, 65536), 65536, MSG_DONTWAIT);
		if (n <= 0)
			break;
		peer->in.len += (size_t)n;
	}
	int r = wire_next(peer->in.data, peer->in.len, message);
	assert_true(r >= 0);
	peer->in_at = r > 0 ? message->size : 0;
	return r > 0;
}

struct wire_message peer_expect(struct peer *peer, enum wire_type type)
{
	struct wire_message message;
	assert_true(peer_next(peer, &message));
	assert_int_equal(message.type, type);
	return message;
}

void peer_exit(struct peer *peer, struct loop *loop, bool is_killed, int status)
{
	siginfo_t info = {.si_pid = peer->pid,
		.si_code = is_killed ? CLD_KILLED : CLD_EXITED,
		.si_status = status};
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
	virtual_loop_exit(loop, peer->pid, &info);
}

void peers_forget(void)
{
	for (size_t i = 0; i < peer_count; i++) {
		if (peers[i].fd >= 0)
			close(peers[i].fd);
		buffer_finish(&peers[i].in);
	}
	peer_count = 0;
}

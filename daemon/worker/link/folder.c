/* SPDX-License-Identifier: Apache-2.0 */
/* The link folder: messages to and from the process that reads the folder. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "worker/link/folder-keeper.h"
#include "worker/link/folder-message.h"
#include "worker/link/link.h"

static const char *remedy(int error)
{
	switch (error) {
	case EACCES:
	case EPERM: return "user assayd may not read it: sudo assayctl doctor";
	case ESTALE: return "another folder is at this path now, such as a mounted share";
	case E2BIG: return "it has more than 200000 data sets: move old ones away";
	default: return "is its share mounted, and the other computer on? It goes on by itself";
	}
}

static int fail(struct link *link, const char *path, int error)
{
	snprintf(link->why, sizeof link->why, "cannot read the folder %.140s: %s: %s", path,
		strerror(error), remedy(error));
	return -error;
}

static int lost(struct link *link, const uint8_t *reply)
{
	fail(link, link->own, -(int)get_le32(reply + 5));
	return -ENODEV;
}

static bool is_open_reply(const uint8_t *reply, ssize_t n)
{
	return n == FOLDER_REPLY && reply[0] == FOLDER_OPEN;
}

/* The keeper's first message. */
static int await_open(struct link *link, const struct port *port)
{
	uint8_t reply[FOLDER_REPLY];
	uint64_t deadline = clock_boot() + port->open_ms * NS_PER_MS;
	struct pollfd p = {.fd = link->fd, .events = POLLIN};
	int n;
	do {
		n = poll(&p, 1, clock_ms_until(deadline));
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return fail(link, port->folder, ETIMEDOUT);
	ssize_t len = recv(link->fd, reply, sizeof reply, 0);
	if (!is_open_reply(reply, len))
		return link_fail(link, EPIPE, "the process that reads the folder has ended");
	int error = (int)get_le32(reply + 5);
	return error == 0 ? 0 : fail(link, port->folder, -error);
}

static _Noreturn void keep(int fd, pid_t worker, const struct folder_plan *plan)
{
	signal(SIGTERM, SIG_IGN); /* it ends after the worker's stop path */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != worker)
		_exit(EXIT_FAILURE);
	folder_keeper_run(fd, plan);
}

static int folder_open(struct link *link, const struct port *port)
{
	const struct folder_plan plan = {
		.path = port->folder,
		.rules = {.pattern = port->pattern != NULL ? port->pattern : "*",
			.takes_folders = port->data_sets == PORT_DATA_SETS_FOLDERS,
			.is_deep = port->is_deep != 0,
			.settle = port->settle_ms * NS_PER_MS},
		.poll = port->poll_ms * NS_PER_MS,
		.taken = port->taken,
	};
	int pair[2];
	pid_t worker = getpid();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return link_fail(link, errno, "no socket");
	pid_t pid = fork();
	if (pid == 0)
		keep(pair[1], worker, &plan);
	close(pair[1]);
	link->fd = pair[0];
	link->own = (void *)port->folder;
	int r = pid < 0 ? link_fail(link, errno, "no process to read the folder")
			: await_open(link, port);
	if (r < 0) {
		close(link->fd);
		link->fd = -1;
	}
	return r;
}

static ssize_t folder_receive(struct link *link, uint8_t *to, size_t size)
{
	ssize_t n = recv(link->fd, to, size, MSG_DONTWAIT);
	if (is_open_reply(to, n))
		return lost(link, to);
	n = link_fd_result(link, n);
	if (n == -ENODEV)
		snprintf(
			link->why, sizeof link->why, "the process that reads the folder has ended");
	return n;
}

static ssize_t folder_send(struct link *link, const uint8_t *data, size_t len)
{
	return link_fd_result(link, send(link->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL));
}

const struct link_ops link_folder = {
	.open = folder_open,
	.receive = folder_receive,
	.send = folder_send,
	.receive_max = FOLDER_REPLY_MAX,
};

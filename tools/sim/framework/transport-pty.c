/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slave end is held open until the first client sends.  From then on a read from the master
 * fails with EIO while no client has the slave open, and is repeated every 10 ms.
 */
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"

#define LOOK_AGAIN_NS (10 * NS_PER_MS)

static int slave_open(int master)
{
	char name[64];
	if (ptsname_r(master, name, sizeof(name)) != 0)
		return -errno;
	int fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void slave_close(struct transport *t)
{
	if (t->slave_fd >= 0)
		close(t->slave_fd);
	t->slave_fd = -1;
}

/* Replaces a symlink of an earlier run, and nothing else. */
static int link_slave(int master, const char *path)
{
	char name[64];
	struct stat st;
	if (ptsname_r(master, name, sizeof(name)) != 0)
		return -errno;
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		unlink(path);
	return symlink(name, path) < 0 ? -errno : 0;
}

static int pair_open(struct transport *t)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = grantpt(fd) < 0 || unlockpt(fd) < 0 ? -errno : slave_open(fd);
	int slave = r;
	struct termios attributes;
	if (r >= 0)
		r = tcgetattr(slave, &attributes) < 0 ? -errno : 0;
	if (r == 0) {
		cfmakeraw(&attributes);
		r = tcsetattr(slave, TCSANOW, &attributes) < 0 ? -errno : 0;
	}
	if (r == 0)
		r = link_slave(fd, t->path);
	if (r < 0) {
		if (slave >= 0)
			close(slave);
		close(fd);
		return r;
	}
	t->fd = fd;
	t->slave_fd = slave;
	t->is_open_seen = false;
	t->poll_at = SIM_NEVER;
	return 0;
}

static void pair_close(struct transport *t)
{
	struct stat st;
	if (t->fd < 0)
		return;
	if (lstat(t->path, &st) == 0 && S_ISLNK(st.st_mode))
		unlink(t->path);
	slave_close(t);
	close(t->fd);
	t->fd = -1;
	t->poll_at = SIM_NEVER;
}

static int pty_open(struct transport *t, const struct sim_endpoint *endpoint)
{
	t->path = endpoint->path;
	int r = pair_open(t);
	if (r < 0)
		fprintf(stderr, "assay-sim: --pty %s: %s\n", t->path, strerror(-r));
	snprintf(t->ready, sizeof(t->ready), "pty %s", t->path);
	return r;
}

static int pty_set_down(struct transport *t, bool down)
{
	if (down)
		pair_close(t);
	return down ? 0 : pair_open(t);
}

/* The client has closed the slave: drops the bytes that it did not read. */
static ssize_t take_hangup(struct transport *t)
{
	int slave = slave_open(t->fd);
	if (slave >= 0) {
		tcflush(slave, TCIFLUSH);
		close(slave);
	}
	bool was_open = t->is_open_seen;
	t->is_open_seen = false;
	t->poll_at = clock_boot() + LOOK_AGAIN_NS;
	return was_open ? -ECONNRESET : 0;
}

static ssize_t pty_receive(struct transport *t, uint8_t *data, size_t size)
{
	ssize_t n = read(t->fd, data, size);
	if (n > 0) {
		slave_close(t);
		t->is_open_seen = true;
		t->poll_at = SIM_NEVER;
		return n;
	}
	if (n == 0 || errno == EIO)
		return take_hangup(t);
	t->poll_at = SIM_NEVER;
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static ssize_t pty_send(
	struct transport *t, const struct peer *peer, const uint8_t *data, size_t len)
{
	ssize_t n = write(t->fd, data, len);
	return n >= 0 ? n : -errno;
}

const struct transport_ops transport_pty = {
	.open = pty_open,
	.close = pair_close,
	.set_down = pty_set_down,
	.receive = pty_receive,
	.send = pty_send,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <zmq.h>

#define LOG_TOPIC "sockets"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/gate.h"
#include "base/log.h"

#define LOOK_NS     NS_PER_S
#define BACKLOG     128
#define SOCKET_MODE 0770
#define FOLDER_MODE 0750

/* Old listeners stay, with the connections that they accepted; after so many they are given up. */
#define LISTENERS_MAX 16

struct endpoint_file {
	void *socket;
	struct sockaddr_un name; /* sun_path: the file; empty: libzmq's alone */
	char *address;
	int lock;
	dev_t dev;
	ino_t ino;
	uint64_t due; /* CLOCK_BOOTTIME of the next look */
	int error;    /* of the last try */
	unsigned listeners;
};

const char *endpoint_error(int error)
{
	if (error == -EADDRINUSE)
		return "another program has it: does a second assayd use the same sockets?";
	if (error == -EEXIST)
		return "a file is there that is no socket: remove it, or choose another path";
	return strerror(-error);
}

/* --- the file -------------------------------------------------------------------------------- */

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static int make_folder(const char *path)
{
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	snprintf(folder, sizeof folder, "%s", path);
	char *end = strrchr(folder, '/');
	if (end == NULL || end == folder)
		return 0;
	*end = '\0';
	if (mkdir(folder, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	return chmod(folder, FOLDER_MODE) < 0 ? -errno : 0;
}

/* Locks <path>.lock, unless it is the file that is locked already. */
static int take_lock(struct endpoint_file *e)
{
	char path[PATH_MAX];
	struct stat here, held;
	snprintf(path, sizeof path, "%s.lock", e->name.sun_path);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return -errno;
	bool is_held = e->lock >= 0 && fstat(fd, &here) == 0 && fstat(e->lock, &held) == 0 &&
		       is_same(&here, &held);
	if (is_held || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int error = errno;
		close(fd);
		return is_held ? 0 : error == EWOULDBLOCK ? -EADDRINUSE : -error;
	}
	if (e->lock >= 0)
		close(e->lock);
	e->lock = fd;
	return 0;
}

/* Removes a socket on which no program listens. */
static int clear_place(const struct endpoint_file *e)
{
	struct stat st;
	if (lstat(e->name.sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int r = connect(fd, (const struct sockaddr *)&e->name, sizeof e->name) < 0 ? -errno : 0;
	close(fd);
	if (r != -ECONNREFUSED)
		return r == 0 || r == -EAGAIN ? -EADDRINUSE : r;
	return unlink(e->name.sun_path) < 0 ? -errno : 0;
}

static int listen_there(const struct endpoint_file *e)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&e->name, sizeof e->name) < 0 ||
		chmod(e->name.sun_path, SOCKET_MODE) < 0 || listen(fd, BACKLOG) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

static bool is_publisher(const struct endpoint_file *e)
{
	int type = 0;
	size_t size = sizeof type;
	return zmq_getsockopt(e->socket, ZMQ_TYPE, &type, &size) == 0 && type == ZMQ_PUB;
}

/* libzmq closes the descriptor with the listener. */
static int hand_over(struct endpoint_file *e, int fd)
{
	gate_watch(fd, e->name.sun_path, is_publisher(e) ? GATE_PUBLISHER : GATE_REQUESTS);
	if (e->listeners == LISTENERS_MAX) {
		zmq_unbind(e->socket, e->address);
		e->listeners = 0;
	}
	if (zmq_setsockopt(e->socket, ZMQ_USE_FD, &fd, sizeof fd) < 0 ||
		zmq_bind(e->socket, e->address) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	e->listeners++;
	return 0;
}

static int make(struct endpoint_file *e)
{
	struct stat st;
	int r = make_folder(e->name.sun_path);
	if (r == 0)
		r = take_lock(e);
	if (r == 0)
		r = clear_place(e);
	int fd = r < 0 ? r : listen_there(e);
	if (fd < 0)
		return fd;
	if (lstat(e->name.sun_path, &st) == 0) {
		e->dev = st.st_dev;
		e->ino = st.st_ino;
	}
	return hand_over(e, fd);
}

static bool is_ours(const struct endpoint_file *e)
{
	struct stat st, ours = {.st_dev = e->dev, .st_ino = e->ino};
	return lstat(e->name.sun_path, &st) == 0 && is_same(&st, &ours);
}

/* --- its life -------------------------------------------------------------------------------- */

void endpoint_look(struct endpoint_file *e)
{
	uint64_t now = clock_boot();
	if (e->name.sun_path[0] == '\0' || now < e->due)
		return;
	e->due = now + LOOK_NS;
	gate_look(e->name.sun_path);
	if (is_ours(e)) {
		e->error = 0;
		return;
	}
	int r = make(e);
	if (r == 0)
		log_warn("%s: the file was removed, and is made again", e->name.sun_path);
	else if (r != e->error)
		log_error("%s: the file was removed and cannot be made again: %s", e->name.sun_path,
			endpoint_error(r));
	e->error = r;
}

int endpoint_open(struct endpoint_file **out, void *socket, const char *address)
{
	struct endpoint_file *e = calloc(1, sizeof *e);
	char *copy = e != NULL ? strdup(address) : NULL;
	if (copy == NULL) {
		free(e);
		return -ENOMEM;
	}
	*e = (struct endpoint_file){.socket = socket,
		.address = copy,
		.name.sun_family = AF_UNIX,
		.lock = -1,
		.due = clock_boot() + LOOK_NS};
	int r = 0;
	if (strncmp(address, "ipc://", 6) != 0)
		r = zmq_bind(socket, address) < 0 ? -errno : 0;
	else if (strlen(address + 6) >= sizeof e->name.sun_path)
		r = -ENAMETOOLONG;
	else
		strcpy(e->name.sun_path, address + 6);
	if (r == 0 && e->name.sun_path[0] != '\0')
		r = make(e);
	if (r < 0) {
		endpoint_close(e);
		return r;
	}
	*out = e;
	return 0;
}

/* The lock is left: a file that is removed while it is locked locks nothing. */
void endpoint_close(struct endpoint_file *e)
{
	if (e == NULL)
		return;
	if (e->listeners > 0 && is_ours(e))
		unlink(e->name.sun_path);
	if (e->lock >= 0)
		close(e->lock);
	free(e->address);
	free(e);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#define LOG_TOPIC "sockets"
#include "base/clock.h"
#include "base/gate.h"
#include "base/log.h"
#include "base/remote.h"
#include "base/tcp-address.h"

#define LOOK_NS      NS_PER_S
#define BACKLOG      256
#define HANDSHAKE_MS 3000 /* a connection that has not proved its key by then is closed */
#define BEAT_MS      5000 /* a peer that lost its power is noticed */
#define SILENT_MS    15000
#define MESSAGE_MAX  (INT64_C(64) << 10) /* of peers, who send requests and subscriptions */

struct remote {
	void *socket;
	int fd; /* stays open while libzmq's copy is replaced: the port is never free */
	char name[16], secret_key[41];
	char address[80], bound[80]; /* as configured; libzmq's name of the listener */
	const atomic_uint *removals;
	unsigned seen; /* of them */
	int error;     /* of the last try */
	uint64_t due;  /* CLOCK_BOOTTIME of the next look at the gate */
};

static int set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof value) < 0 ? -errno : 0;
}

static int set_options(const struct remote *r)
{
	const struct {
		int option, value;
	} options[] = {{ZMQ_CURVE_SERVER, 1}, {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
		{ZMQ_HEARTBEAT_IVL, BEAT_MS}, {ZMQ_HEARTBEAT_TIMEOUT, SILENT_MS}};
	int64_t max = MESSAGE_MAX;
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
		int error = set_int(r->socket, options[i].option, options[i].value);
		if (error < 0)
			return error;
	}
	return zmq_setsockopt(r->socket, ZMQ_CURVE_SECRETKEY, r->secret_key, sizeof r->secret_key) <
				       0 ||
			       zmq_setsockopt(r->socket, ZMQ_ROUTING_ID, r->name, strlen(r->name)) <
				       0 ||
			       zmq_setsockopt(r->socket, ZMQ_MAXMSGSIZE, &max, sizeof max) < 0
		       ? -errno
		       : 0;
}

/* For the listeners that come later, which are local. */
static void take_options_back(const struct remote *r)
{
	set_int(r->socket, ZMQ_CURVE_SERVER, 0);
	set_int(r->socket, ZMQ_HEARTBEAT_IVL, 0);
	set_int(r->socket, ZMQ_USE_FD, -1);
}

/* libzmq closes the copy of the descriptor with the listener. */
static int bind_copy(struct remote *r)
{
	size_t len = sizeof r->bound;
	int fd = fcntl(r->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int error = set_options(r);
	if (error == 0)
		error = set_int(r->socket, ZMQ_USE_FD, fd);
	gate_watch(fd, r->address, GATE_CURVE);
	if (error == 0 && zmq_bind(r->socket, r->address) < 0)
		error = -errno;
	if (error < 0)
		close(fd);
	else if (zmq_getsockopt(r->socket, ZMQ_LAST_ENDPOINT, r->bound, &len) < 0)
		error = -errno;
	take_options_back(r);
	return error;
}

static int listen_at(const char *address)
{
	struct sockaddr_storage at;
	socklen_t len;
	int on = 1, error = tcp_address_read(address, &at, &len);
	if (error < 0)
		return error;
	int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
		setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on) < 0 ||
		bind(fd, (const struct sockaddr *)&at, len) < 0 || listen(fd, BACKLOG) < 0) {
		error = -errno;
		close(fd);
		return error;
	}
	return fd;
}

int remote_open(struct remote **out, void *socket, const struct remote_place *place)
{
	int fd = listen_at(place->address);
	if (fd < 0)
		return fd;
	struct remote *r = calloc(1, sizeof *r);
	if (r == NULL) {
		close(fd);
		return -ENOMEM;
	}
	*r = (struct remote){.socket = socket,
		.fd = fd,
		.removals = place->removals,
		.seen = atomic_load(place->removals)};
	snprintf(r->name, sizeof r->name, "%s", place->name);
	snprintf(r->secret_key, sizeof r->secret_key, "%s", place->secret_key);
	snprintf(r->address, sizeof r->address, "%s", place->address);
	int error = bind_copy(r);
	if (error < 0)
		remote_close(r);
	else
		*out = r;
	return error;
}

void remote_look(struct remote *r)
{
	unsigned removals = r != NULL ? atomic_load(r->removals) : 0;
	uint64_t now = clock_boot();
	if (r != NULL && now >= r->due) {
		gate_look(r->address);
		r->due = now + LOOK_NS;
	}
	if (r == NULL || removals == r->seen)
		return;
	zmq_unbind(r->socket, r->bound); /* with the connections that it accepted */
	int error = bind_copy(r);
	if (error < 0 && error != r->error)
		log_error("%s: cannot listen again for programs of other machines: %s", r->address,
			strerror(-error));
	r->error = error;
	if (error == 0) /* else the next look tries again */
		r->seen = removals;
}

void remote_close(struct remote *r)
{
	if (r == NULL)
		return;
	close(r->fd);
	explicit_bzero(r, sizeof *r);
	free(r);
}

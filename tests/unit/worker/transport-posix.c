/* SPDX-License-Identifier: Apache-2.0 */
/* Instruments on a pseudo-terminal, on TCP and on UDP. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "transport.h"

static int instrument = -1, listener = -1;

static void say_bytes(const void *data, size_t len)
{
	const char *at = data;
	while (len > 0) {
		struct pollfd p = {.fd = instrument, .events = POLLOUT};
		assert_int_equal(poll(&p, 1, 5000), 1);
		ssize_t n = write(instrument, at, len);
		if (n < 0 && errno == EAGAIN)
			continue;
		assert_true(n > 0);
		at += n;
		len -= (size_t)n;
	}
}

static size_t hear_bytes(void *to, size_t size)
{
	transport_await(instrument);
	ssize_t n = read(instrument, to, size);
	assert_true(n > 0);
	return (size_t)n;
}

static void leave(void)
{
	close(instrument);
	instrument = -1;
}

static void drop(void)
{
	if (instrument >= 0)
		close(instrument);
	if (listener >= 0)
		close(listener);
	instrument = listener = -1;
}

/* --- pty -------------------------------------------------------------------------------------- */

static void make_pty(struct port *port)
{
	static char path[64];
	instrument = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	assert_true(instrument >= 0);
	assert_int_equal(grantpt(instrument), 0);
	assert_int_equal(unlockpt(instrument), 0);
	assert_int_equal(ptsname_r(instrument, path, sizeof path), 0);
	port_init(port, NULL, port_kind_of(ASSAY_LINK_SERIAL));
	port->port = path;
	port->baud = 28800;
}

static void make_wrong_path(struct port *port)
{
	port_init(port, NULL, port_kind_of(ASSAY_LINK_SERIAL));
	port->port = "/dev/serial/by-id/usb-of_a_stick_in_a_drawer-if00";
}

const struct transport transport_pty = {
	.name = "pty",
	.notices_loss = true,
	.can_block = true,
	.large = 100000,
	.make = make_pty,
	.drop = drop,
	.make_wrong = make_wrong_path,
	.say = say_bytes,
	.hear = hear_bytes,
	.leave = leave,
};

/* --- TCP and UDP ------------------------------------------------------------------------------ */

static int bind_local(int type, struct sockaddr_in *at)
{
	socklen_t size = sizeof *at;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	*at = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)at, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &size), 0);
	return fd;
}

static void make_tcp(struct port *port)
{
	struct sockaddr_in at;
	listener = bind_local(SOCK_STREAM, &at);
	assert_int_equal(listen(listener, 1), 0);
	port_init(port, NULL, port_kind_of(ASSAY_LINK_TCP));
	port->host = "127.0.0.1";
	port->number = ntohs(at.sin_port);
}

/* The worker connects before anybody accepts: that is done when the instrument has to act. */
static void accept_one(void)
{
	if (instrument >= 0)
		return;
	transport_await(listener);
	instrument = accept(listener, NULL, NULL);
	assert_true(instrument >= 0);
}

static void say_tcp(const void *data, size_t len)
{
	accept_one();
	say_bytes(data, len);
}

static size_t hear_tcp(void *to, size_t size)
{
	accept_one();
	return hear_bytes(to, size);
}

static void leave_tcp(void)
{
	accept_one();
	leave();
}

/* Bound without listening: rejected at once. */
static void make_wrong_tcp(struct port *port)
{
	struct sockaddr_in at;
	close(bind_local(SOCK_STREAM, &at));
	port_init(port, NULL, port_kind_of(ASSAY_LINK_TCP));
	port->host = "127.0.0.1";
	port->number = ntohs(at.sin_port);
}

const struct transport transport_tcp = {
	.name = "tcp",
	.notices_loss = true,
	.connects_again = true,
	.can_block = true,
	.large = 1000000,
	.make = make_tcp,
	.drop = drop,
	.make_wrong = make_wrong_tcp,
	.say = say_tcp,
	.hear = hear_tcp,
	.leave = leave_tcp,
};

static struct sockaddr_in worker_at;

static void make_udp(struct port *port)
{
	struct sockaddr_in at;
	instrument = bind_local(SOCK_DGRAM, &at);
	worker_at = (struct sockaddr_in){0};
	port_init(port, NULL, port_kind_of(ASSAY_LINK_UDP));
	port->host = "127.0.0.1";
	port->number = ntohs(at.sin_port);
}

/* An instrument answers the sender of the last request. */
static size_t hear_udp(void *to, size_t size)
{
	socklen_t len = sizeof worker_at;
	transport_await(instrument);
	ssize_t n = recvfrom(instrument, to, size, 0, (struct sockaddr *)&worker_at, &len);
	assert_true(n > 0);
	return (size_t)n;
}

/* The port of the worker's connected socket, which is the only one that is connected to ours. */
static void find_worker(void)
{
	struct sockaddr_in mine, at;
	socklen_t size = sizeof mine;
	if (worker_at.sin_port != 0)
		return;
	assert_int_equal(getsockname(instrument, (struct sockaddr *)&mine, &size), 0);
	for (int fd = 3; fd < 64 && worker_at.sin_port == 0; fd++) {
		size = sizeof at;
		if (getpeername(fd, (struct sockaddr *)&at, &size) < 0 ||
			at.sin_port != mine.sin_port)
			continue;
		size = sizeof worker_at;
		getsockname(fd, (struct sockaddr *)&worker_at, &size);
	}
	assert_int_not_equal(worker_at.sin_port, 0);
}

static void say_udp(const void *data, size_t len)
{
	find_worker();
	assert_int_equal(
		sendto(instrument, data, len, 0, (struct sockaddr *)&worker_at, sizeof worker_at),
		len);
}

static void make_wrong_udp(struct port *port)
{
	port_init(port, NULL, port_kind_of(ASSAY_LINK_UDP));
	port->host = "not a name at all";
	port->number = 10001;
}

const struct transport transport_udp = {
	.name = "udp",
	.keeps_messages = true,
	.large = 60000,
	.make = make_udp,
	.drop = drop,
	.make_wrong = make_wrong_udp,
	.say = say_udp,
	.hear = hear_udp,
	.leave = leave,
};

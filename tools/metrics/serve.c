/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "serve.h"

#define CONNECTIONS_MAX 16
#define LIFE_NS         (5 * NS_PER_S)
#define FRESH_NS        NS_PER_S /* a page of this age is sent again */

struct peer {
	int fd; /* 0: free */
	uint64_t since;
};

struct server {
	struct MHD_Daemon *http;
	void (*make)(void *arg, struct buffer *to);
	void *arg;
	struct buffer page;
	uint64_t made;
	struct peer peers[CONNECTIONS_MAX];
};

static enum MHD_Result reply(struct MHD_Connection *connection, unsigned status, const char *type,
	const void *body, size_t len)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		len, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	enum MHD_Result r = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result fail(struct MHD_Connection *connection, unsigned status, const char *text)
{
	return reply(connection, status, "text/plain; charset=utf-8", text, strlen(text));
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *size, void **state)
{
	struct server *server = arg;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return fail(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET /metrics\n");
	if (strcmp(url, "/metrics") != 0)
		return fail(connection, MHD_HTTP_NOT_FOUND, "GET /metrics\n");
	if (server->page.len == 0 || clock_boot() >= server->made + FRESH_NS) {
		buffer_reset(&server->page);
		server->make(server->arg, &server->page);
		server->made = clock_boot();
	}
	if (server->page.failed)
		return fail(connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory\n");
	return reply(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
		server->page.data, server->page.len);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **state,
	enum MHD_ConnectionNotificationCode code)
{
	struct server *server = arg;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	for (int i = 0; info != NULL && i < CONNECTIONS_MAX; i++) {
		struct peer *peer = &server->peers[i];
		if (code == MHD_CONNECTION_NOTIFY_STARTED && peer->fd == 0) {
			*peer = (struct peer){info->connect_fd, clock_boot()};
			return;
		}
		if (code == MHD_CONNECTION_NOTIFY_CLOSED && peer->fd == info->connect_fd) {
			peer->fd = 0;
			return;
		}
	}
}

int server_open(
	struct server **out, uint16_t *port, void (*make)(void *arg, struct buffer *to), void *arg)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct server *server = calloc(1, sizeof *server);
	*out = NULL;
	if (server == NULL)
		return -ENOMEM;
	server->make = make;
	server->arg = arg;
	errno = 0;
	server->http = MHD_start_daemon(MHD_USE_EPOLL, *port, NULL, NULL, on_request, server,
		MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, 5u,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384,
		MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
		server, MHD_OPTION_END);
	if (server->http == NULL) {
		int r = errno != 0 ? -errno : -EADDRINUSE;
		free(server);
		return r;
	}
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(
		server->http, MHD_DAEMON_INFO_BIND_PORT);
	*port = info != NULL ? info->port : *port;
	*out = server;
	return 0;
}

/* The timeout of the library starts again with each byte; this one does not. */
static void end_old(struct server *server)
{
	for (int i = 0; i < CONNECTIONS_MAX; i++) {
		struct peer *peer = &server->peers[i];
		if (peer->fd != 0 && clock_boot() >= peer->since + LIFE_NS)
			shutdown(peer->fd, SHUT_RDWR);
	}
}

void server_run(struct server *server, int timeout_ms)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(
		server->http, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fd = {.fd = info->epoll_fd, .events = POLLIN};
	unsigned long long most;
	if (MHD_get_timeout(server->http, &most) == MHD_YES && most < (unsigned)timeout_ms)
		timeout_ms = (int)most;
	poll(&fd, 1, timeout_ms);
	end_old(server);
	MHD_run(server->http);
}

void server_close(struct server *server)
{
	if (server == NULL)
		return;
	MHD_stop_daemon(server->http);
	buffer_finish(&server->page);
	free(server);
}

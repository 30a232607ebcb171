/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "host.h"
#include "socket.h"

#define CONNECTIONS_MAX 16
#define IDLE_S          30

struct server {
	struct sim_model *model;
	struct sim_host *host;
	struct MHD_Daemon *daemon;
	bool keep_alive;
	char *last; /* the previous body, for the fault stale */
	size_t last_len;
};

/* One request and its reply. */
struct exchange {
	struct MHD_Connection *connection;
	uint8_t request[SIM_HTTP_BODY_MAX + 1];
	size_t request_len;
	struct sim_http_reply reply;
	char *body;
	size_t len;
};

static enum MHD_Result add_argument(
	void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
	struct sim_http_request *request = context;
	if (request->n_arguments == SIM_HTTP_ARGUMENTS_MAX)
		return MHD_NO;
	request->arguments[request->n_arguments++] = (struct sim_http_argument){key, value};
	return MHD_YES;
}

/* A stale reply has the body of the one before. */
static int take_reply(struct server *server, struct exchange *exchange)
{
	size_t len = exchange->len;
	char *whole = malloc(len + 1);
	if (whole == NULL)
		return -ENOMEM;
	memcpy(whole, exchange->body, len);
	if (sim_host_is_stale(server->host, len) && server->last != NULL) {
		free(exchange->body);
		exchange->body = server->last;
		exchange->len = server->last_len;
	} else {
		free(server->last);
	}
	server->last = whole;
	server->last_len = len;
	return 0;
}

static int answer(
	struct server *server, struct exchange *exchange, const char *method, const char *path)
{
	struct sim_http_request request = {.method = method,
		.path = path,
		.body = exchange->request,
		.body_len = exchange->request_len};
	MHD_get_connection_values(
		exchange->connection, MHD_GET_ARGUMENT_KIND, add_argument, &request);
	exchange->reply.body = open_memstream(&exchange->body, &exchange->len);
	if (exchange->reply.body == NULL)
		return -ENOMEM;
	sim_model_respond(server->model, &request, &exchange->reply, sim_host_now(server->host));
	if (fclose(exchange->reply.body) != 0)
		return -ENOMEM;
	return take_reply(server, exchange);
}

static enum MHD_Result send_reply(struct server *server, struct exchange *exchange)
{
	if (sim_host_is_down(server->host))
		return MHD_NO;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		exchange->len, exchange->body, MHD_RESPMEM_MUST_COPY);
	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, exchange->reply.type);
	if (!server->keep_alive)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	enum MHD_Result r = MHD_queue_response(
		exchange->connection, exchange->reply.status, response);
	MHD_destroy_response(response);
	return r;
}

/* Called with the head, with each part of the body, and at its end. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
	const char *path, const char *method, const char *version, const char *data, size_t *size,
	void **state)
{
	struct server *server = context;
	struct exchange *exchange = *state;
	if (exchange == NULL) {
		*state = exchange = calloc(1, sizeof *exchange);
		if (exchange == NULL)
			return MHD_NO;
		exchange->connection = connection;
		exchange->reply.status = MHD_HTTP_OK;
		exchange->reply.type = "text/html";
		return MHD_YES;
	}
	if (*size > 0) {
		if (*size > SIM_HTTP_BODY_MAX - exchange->request_len)
			return MHD_NO;
		memcpy(exchange->request + exchange->request_len, data, *size);
		exchange->request_len += *size;
		*size = 0;
		return MHD_YES;
	}
	if (answer(server, exchange, method, path) < 0)
		return MHD_NO;
	return send_reply(server, exchange);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *state;
	if (exchange == NULL)
		return;
	free(exchange->body);
	free(exchange);
	*state = NULL;
}

static enum MHD_Result admit(void *context, const struct sockaddr *address, socklen_t address_len)
{
	const struct server *server = context;
	return sim_host_is_down(server->host) ? MHD_NO : MHD_YES;
}

static int loop(struct server *server)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(
		server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct sim_model *m = server->model;
	for (;;) {
		MHD_UNSIGNED_LONG_LONG ms;
		if (MHD_run(server->daemon) != MHD_YES)
			return -EIO;
		uint64_t deadline = sim_host_real(
			server->host, sim_model_next_wakeup(m, sim_host_now(server->host)));
		if (MHD_get_timeout(server->daemon, &ms) == MHD_YES &&
			clock_boot() + ms * NS_PER_MS < deadline)
			deadline = clock_boot() + ms * NS_PER_MS;
		struct pollfd fd = {.fd = info->epoll_fd, .events = POLLIN};
		int r = sim_host_wait(server->host, &fd, 1, deadline);
		if (r < 0)
			return r == -ECANCELED ? 0 : r;
		sim_model_tick(m, sim_host_now(server->host));
	}
}

int sim_http_run(struct sim_model *m, const struct sim_options *o, struct sim_host *host)
{
	const struct sim_endpoint *endpoint = sim_host_endpoint(host);
	struct server server = {
		.model = m, .host = host, .keep_alive = options_flag(o, "keep-alive")};
	int fd = socket_bind(endpoint, endpoint->port, SOCK_STREAM);
	if (fd < 0) {
		fprintf(stderr, "assay-sim: cannot listen on %s port %u: %s\n", endpoint->host,
			endpoint->port, strerror(-fd));
		return fd;
	}
	server.daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, admit, &server, on_request, &server,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
	if (server.daemon == NULL) {
		close(fd);
		return -EIO;
	}
	int r = sim_host_ready(host, "tcp %s:%u", endpoint->host, socket_port(fd));
	if (r == 0)
		r = loop(&server);
	MHD_stop_daemon(server.daemon); /* closes fd */
	free(server.last);
	return r;
}

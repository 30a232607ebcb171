/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "client.h"
#include "framework/socket.h"
#include "server.h"

#define CLIENTS_MAX    512
#define EVENTS_MAX     64
#define ANY_PORT_TRIES 16

struct modbus_server {
	struct modbus_plant *plant;
	struct sim_model *model;
	struct sim_host *host;
	int epoll;
	int *listeners; /* plant->n_ports of them, -1: not open */
	struct list clients;
	size_t n_clients;
	uint64_t garbage_at;
};

static void close_listeners(struct modbus_server *server)
{
	for (size_t i = 0; i < server->plant->n_ports; i++) {
		if (server->listeners[i] >= 0)
			close(server->listeners[i]);
		server->listeners[i] = -1;
	}
}

/* Opens consecutive ports; the first may be any free one. */
static int open_row(struct modbus_server *server, const struct sim_endpoint *endpoint)
{
	uint16_t first = endpoint->port;
	for (size_t i = 0; i < server->plant->n_ports; i++) {
		if (first != 0 && first + i > UINT16_MAX)
			return -ERANGE;
		int fd = socket_bind(endpoint, first == 0 ? 0 : (uint16_t)(first + i), SOCK_STREAM);
		if (fd < 0)
			return fd;
		server->listeners[i] = fd;
		if (first == 0)
			first = socket_port(fd);
	}
	return 0;
}

/* Opens the ports and prints the ready line. */
static int open_listeners(struct modbus_server *server)
{
	const struct sim_endpoint *endpoint = sim_host_endpoint(server->host);
	int r = -EADDRINUSE;
	for (int i = 0; r < 0 && i < (endpoint->port == 0 ? ANY_PORT_TRIES : 1); i++) {
		close_listeners(server);
		r = open_row(server, endpoint);
	}
	if (r < 0) {
		fprintf(stderr, "assay-sim: cannot listen on %s port %u and %zu more: %s\n",
			endpoint->host, endpoint->port, server->plant->n_ports - 1, strerror(-r));
		return r;
	}
	for (size_t i = 0; i < server->plant->n_ports; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = &server->listeners[i]};
		if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, server->listeners[i], &event) < 0)
			return -errno;
	}
	uint16_t first = socket_port(server->listeners[0]);
	size_t n = server->plant->n_ports;
	if (n == 1)
		return sim_host_ready(server->host, "tcp %s:%u", endpoint->host, first);
	return sim_host_ready(server->host, "tcp %s:%u-%zu", endpoint->host, first, first + n - 1);
}

static void drop_client(struct modbus_server *server, struct modbus_client *client)
{
	client_destroy(client);
	server->n_clients--;
}

static void drop_all_clients(struct modbus_server *server)
{
	struct modbus_client *client;
	list_for_each(client, &server->clients, link) drop_client(server, client);
}

static void accept_client(struct modbus_server *server, size_t port)
{
	int fd = accept4(server->listeners[port], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	struct modbus_client *client = NULL;
	if (server->n_clients < CLIENTS_MAX && !sim_host_is_down(server->host))
		client = client_create(fd, port);
	if (client == NULL) {
		close(fd);
		return;
	}
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
	client->events = EPOLLIN;
	list_append(&server->clients, &client->link);
	server->n_clients++;
	if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		drop_client(server, client);
}

static void serve_client(
	struct modbus_server *server, struct modbus_client *client, uint32_t events)
{
	int r = 0;
	if ((events & EPOLLIN) != 0)
		r = client_read(client);
	else if ((events & (EPOLLHUP | EPOLLERR)) != 0)
		r = -ECONNRESET;
	if (r == 0)
		r = client_serve(client, server->plant, server->model, server->host);
	uint32_t wanted = (client_wants_input(client) ? (uint32_t)EPOLLIN : 0) |
			  (client->is_blocked ? (uint32_t)EPOLLOUT : 0);
	if (r == 0 && wanted != client->events) {
		struct epoll_event event = {.events = wanted, .data.ptr = client};
		client->events = wanted;
		r = epoll_ctl(server->epoll, EPOLL_CTL_MOD, client->fd, &event) < 0 ? -errno : 0;
	}
	if (r < 0)
		drop_client(server, client);
}

/* Bursts come at random times at the fault's rate; returns when the next one is due. */
static uint64_t serve_garbage(struct modbus_server *server)
{
	const struct sim_faults *faults = server->model->env.faults;
	struct sim_random *random = sim_random_of(server->model);
	double rate = faults != NULL ? faults->strength[FAULT_GARBAGE] : 0;
	if (rate <= 0)
		return server->garbage_at = SIM_NEVER;
	uint64_t now = clock_boot();
	if (server->garbage_at <= now) {
		struct modbus_client *client;
		list_for_each(
			client, &server->clients, link) if (client_send_garbage(client, random) < 0)
			drop_client(server, client);
	}
	if (server->garbage_at <= now || server->garbage_at == SIM_NEVER) {
		double wait = -log(1 - random_unit(random)) / rate;
		server->garbage_at = now + (uint64_t)(wait * NS_PER_S);
	}
	return server->garbage_at;
}

static void dispatch(struct modbus_server *server)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(server->epoll, events, EVENTS_MAX, 0);
	for (int i = 0; i < n; i++) {
		int *listener = events[i].data.ptr;
		if (listener >= server->listeners &&
			listener < server->listeners + server->plant->n_ports)
			accept_client(server, (size_t)(listener - server->listeners));
		else
			serve_client(server, events[i].data.ptr, events[i].events);
	}
}

static int loop(struct modbus_server *server)
{
	for (;;) {
		struct pollfd fd = {.fd = server->epoll, .events = POLLIN};
		int r = sim_host_wait(server->host, &fd, 1, serve_garbage(server));
		if (r < 0)
			return r == -ECANCELED ? 0 : r;
		server->model->now = sim_host_now(server->host);
		if (sim_host_is_down(server->host))
			drop_all_clients(server);
		dispatch(server);
	}
}

int server_run(struct modbus_plant *plant, struct sim_model *m, struct sim_host *host)
{
	struct modbus_server server = {
		.plant = plant, .model = m, .host = host, .garbage_at = SIM_NEVER};
	list_init(&server.clients);
	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (server.epoll < 0)
		return -errno;
	int r = -ENOMEM;
	server.listeners = malloc(plant->n_ports * sizeof *server.listeners);
	if (server.listeners == NULL)
		goto err_close;
	for (size_t i = 0; i < plant->n_ports; i++)
		server.listeners[i] = -1;
	r = open_listeners(&server);
	if (r == 0)
		r = loop(&server);
	drop_all_clients(&server);
	close_listeners(&server);
	free(server.listeners);
err_close:
	close(server.epoll);
	return r;
}

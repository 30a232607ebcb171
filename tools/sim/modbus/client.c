/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"

#define GARBAGE_MAX 32

struct modbus_client *client_create(int fd, size_t port)
{
	struct modbus_client *client = calloc(1, sizeof *client);
	if (client == NULL)
		return NULL;
	list_init(&client->link);
	client->fd = fd;
	client->port = port;
	return client;
}

void client_destroy(struct modbus_client *client)
{
	list_remove(&client->link);
	close(client->fd);
	free(client);
}

int client_read(struct modbus_client *client)
{
	size_t room = sizeof client->in - client->in_len;
	if (room == 0)
		return 0;
	ssize_t n = recv(client->fd, client->in + client->in_len, room, MSG_DONTWAIT);
	if (n == 0)
		return -ECONNRESET;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	client->in_len += (size_t)n;
	return 0;
}

static int flush(struct modbus_client *client)
{
	ssize_t n = send(client->fd, client->out, client->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	n = n < 0 ? 0 : n;
	client->out_len -= (size_t)n;
	client->is_blocked = client->out_len > 0;
	memmove(client->out, client->out + n, client->out_len);
	return 0;
}

static void queue(struct modbus_client *client, const uint8_t *data, size_t len)
{
	memcpy(client->out + client->out_len, data, len);
	client->out_len += len;
}

/* Queues a reply, behind the one before if that is stale; `out` is empty. */
static void queue_reply(
	struct modbus_client *client, struct sim_host *host, const uint8_t *reply, size_t len)
{
	if (sim_host_is_stale(host, len))
		queue(client, client->last, client->last_len);
	queue(client, reply, len);
	memcpy(client->last, reply, len);
	client->last_len = len;
}

static int answer_next(struct modbus_client *client, struct modbus_plant *plant,
	struct sim_model *m, struct sim_host *host)
{
	bool skip;
	ssize_t len = frame_find_tcp(client->in, client->in_len, &skip);
	if (len <= 0)
		return (int)len;
	uint8_t reply[FRAME_MAX];
	size_t n = skip ? 0
			: plant_answer(plant, m, client->port, FRAMING_TCP, client->in, (size_t)len,
				  reply);
	if (n > 0) {
		queue_reply(client, host, reply, n);
		m->emitted++;
	}
	client->in_len -= (size_t)len;
	memmove(client->in, client->in + len, client->in_len);
	return 1;
}

int client_serve(struct modbus_client *client, struct modbus_plant *plant, struct sim_model *m,
	struct sim_host *host)
{
	for (;;) {
		int r = client->out_len > 0 ? flush(client) : 0;
		if (r < 0 || client->out_len > 0)
			return r;
		r = answer_next(client, plant, m, host);
		if (r <= 0)
			return r;
	}
}

int client_send_garbage(struct modbus_client *client, struct sim_random *random)
{
	if (client->out_len > 0)
		return 0;
	size_t len = 1 + random_u64(random) % GARBAGE_MAX;
	for (size_t i = 0; i < len; i++)
		client->out[i] = (uint8_t)random_u64(random);
	client->out_len = len;
	return flush(client);
}

bool client_wants_input(const struct modbus_client *client)
{
	return client->in_len < sizeof client->in;
}

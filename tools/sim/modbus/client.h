/* SPDX-License-Identifier: Apache-2.0 */
/* One Modbus TCP connection.  A request is answered when the reply before it has been sent. */
#ifndef ASSAY_SIM_MODBUS_CLIENT_H
#define ASSAY_SIM_MODBUS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "framework/host.h"
#include "frame.h"
#include "plant.h"

struct modbus_client {
	struct list link; /* modbus_server.clients */
	int fd;
	size_t port;
	uint8_t in[4 * FRAME_MAX];
	size_t in_len;
	uint8_t out[3 * FRAME_MAX];
	size_t out_len;
	bool is_blocked; /* the socket takes no more */
	uint32_t events; /* of epoll, as last set by the server */
	uint8_t last[FRAME_MAX];
	size_t last_len;
};

/* Takes the connected, non-blocking socket; returns owned, or NULL (out of memory). */
struct modbus_client *client_create(int fd, size_t port);

/* Closes the socket. */
void client_destroy(struct modbus_client *client);

/* Reads once.  0, or a negative errno: the client has left. */
int client_read(struct modbus_client *client);

/*
 * Answers complete requests and sends the replies.  0, or a negative errno if the connection must be closed: the peer has left, or its bytes are not Modbus.
 */
int client_serve(struct modbus_client *client, struct modbus_plant *plant, struct sim_model *m,
	struct sim_host *host);

/* Sends unsolicited random bytes, unless a reply is waiting to be sent. */
int client_send_garbage(struct modbus_client *client, struct sim_random *random);

/* Whether there is room for more input. */
bool client_wants_input(const struct modbus_client *client);

#endif

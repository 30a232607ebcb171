/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include <zmq.h>

#include "socket.h"

#define RECONNECT_MS      100
#define RECONNECT_MAX_MS  2000
#define QUEUE_BYTES       ((size_t)64 << 20) /* of messages that wait, as large as the largest so far */
#define QUEUE_ENTRY       ((size_t)64 << 10) /* the size of one that is assumed at least */
/* A page of entries is one message of many parts; the largest part is one entry. */
#define MESSAGE_BYTES_MAX (INT64_C(32) << 20)

static int set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof value);
}

static int configure(void *socket)
{
	int64_t max = MESSAGE_BYTES_MAX;
	return set_int(socket, ZMQ_LINGER, 0) < 0 ||
			       set_int(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) < 0 ||
			       set_int(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS) < 0 ||
			       zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max, sizeof max) < 0
		       ? -errno
		       : 0;
}

static int subscribe(void *socket, const struct prefixes *prefixes)
{
	for (size_t i = 0; i < prefixes->count; i++) {
		const char *name = prefixes->names[i];
		if (zmq_setsockopt(socket, ZMQ_SUBSCRIBE, name, strlen(name)) < 0)
			return -errno;
	}
	if (zmq_setsockopt(socket, ZMQ_SUBSCRIBE, PREFIX_HEAD, strlen(PREFIX_HEAD)) < 0)
		return -errno;
	return 0;
}

static int open_socket(void **out, void *context, int type, const struct secure_keys *keys,
	struct secure_watch *watch)
{
	*out = zmq_socket(context, type);
	if (*out == NULL)
		return -errno;
	int r = configure(*out);
	if (r == 0)
		r = secure_socket(*out, keys);
	return r < 0 ? r : secure_watch_begin(watch, context, *out, keys);
}

static void give_up(void **socket, struct secure_watch *watch)
{
	socket_close(socket);
	secure_watch_end(watch);
}

int socket_listen(void **socket, void *context, const char *endpoint,
	const struct prefixes *prefixes, int receive_hwm, const struct secure_keys *keys,
	struct secure_watch *watch)
{
	int r = open_socket(socket, context, ZMQ_SUB, keys, watch);
	if (r == 0 && set_int(*socket, ZMQ_RCVHWM, receive_hwm) < 0)
		r = -errno;
	if (r == 0)
		r = subscribe(*socket, prefixes);
	if (r == 0 && zmq_connect(*socket, endpoint) < 0)
		r = -errno;
	if (r < 0)
		give_up(socket, watch);
	return r;
}

int socket_limit(int receive_hwm, size_t largest)
{
	size_t size = largest > QUEUE_ENTRY ? largest : QUEUE_ENTRY;
	size_t limit = size < QUEUE_BYTES ? QUEUE_BYTES / size : 1;
	return (size_t)receive_hwm < limit ? receive_hwm : (int)limit;
}

void socket_set_limit(void *socket, int receive_hwm)
{
	set_int(socket, ZMQ_RCVHWM, receive_hwm); /* also of a connection that is there */
}

int socket_request(void **socket, void *context, const char *endpoint,
	const struct secure_keys *keys, struct secure_watch *watch)
{
	int r = open_socket(socket, context, ZMQ_DEALER, keys, watch);
	if (r == 0 && zmq_connect(*socket, endpoint) < 0)
		r = -errno;
	if (r < 0)
		give_up(socket, watch);
	return r;
}

void socket_close(void **socket)
{
	if (*socket != NULL)
		zmq_close(*socket);
	*socket = NULL;
}

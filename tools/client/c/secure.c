/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "secure.h"

#define FAILURES_MAX 3 /* one may be the end of the daemon */
#define EVENTS                                                                  \
	(ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | \
		ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

int secure_load(struct secure_keys *keys, const char *server_file, const char *own_file,
	char why[KEY_FILE_ERRORS])
{
	struct key_pair server;
	*keys = (struct secure_keys){0};
	if (server_file == NULL && own_file == NULL)
		return 0;
	if (server_file == NULL || own_file == NULL) {
		snprintf(why, KEY_FILE_ERRORS,
			"expected both, the file of the daemon's public key and that of the own "
			"key");
		return -EINVAL;
	}
	int r = key_file_read(server_file, false, &server, why);
	if (r == 0)
		r = key_file_read(own_file, true, &keys->own, why);
	if (r == 0)
		memcpy(keys->server, server.public_key, sizeof keys->server);
	return r;
}

int secure_socket(void *socket, const struct secure_keys *keys)
{
	if (keys == NULL || keys->server[0] == '\0')
		return 0;
	return zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, keys->server, KEY_FILE_TEXT) < 0 ||
			       zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->own.public_key,
				       KEY_FILE_TEXT) < 0 ||
			       zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->own.secret_key,
				       KEY_FILE_TEXT) < 0
		       ? -errno
		       : 0;
}

int secure_watch_begin(
	struct secure_watch *watch, void *context, void *socket, const struct secure_keys *keys)
{
	static atomic_uint number;
	char address[40];
	int linger = 0;
	*watch = (struct secure_watch){0};
	if (keys == NULL || keys->server[0] == '\0')
		return 0;
	snprintf(address, sizeof address, "inproc://assay-watch-%u", atomic_fetch_add(&number, 1));
	if (zmq_socket_monitor(socket, address, EVENTS) < 0)
		return -errno;
	watch->monitor = zmq_socket(context, ZMQ_PAIR);
	if (watch->monitor == NULL)
		return -errno;
	return zmq_setsockopt(watch->monitor, ZMQ_LINGER, &linger, sizeof linger) < 0 ||
			       zmq_connect(watch->monitor, address) < 0
		       ? -errno
		       : 0;
}

void secure_watch_end(struct secure_watch *watch)
{
	if (watch->monitor != NULL)
		zmq_close(watch->monitor);
	*watch = (struct secure_watch){0};
}

/* An event has two parts: its number in 16 bits and a value, then the endpoint. */
int secure_watch_look(struct secure_watch *watch)
{
	uint8_t bytes[6];
	uint16_t event;
	int r = 0, more;
	size_t len = sizeof more;
	while (watch->monitor != NULL &&
		zmq_recv(watch->monitor, bytes, sizeof bytes, ZMQ_DONTWAIT) == sizeof bytes &&
		zmq_getsockopt(watch->monitor, ZMQ_RCVMORE, &more, &len) == 0) {
		char endpoint[1];
		if (more != 0)
			zmq_recv(watch->monitor, endpoint, sizeof endpoint, ZMQ_DONTWAIT);
		memcpy(&event, bytes, sizeof event);
		watch->failures = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED ? 0 : watch->failures + 1;
		if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
			r = SECURE_REFUSED;
	}
	return r == 0 && watch->failures >= FAILURES_MAX ? SECURE_FAILED : r;
}

const char *secure_error(int error)
{
	if (error == SECURE_REFUSED)
		return "the daemon refuses this key: it is not in its list of authorised keys, or "
		       "has not the role of this socket";
	if (error == SECURE_FAILED)
		return "the exchange of keys fails: is the given public key that of this daemon?";
	return NULL;
}

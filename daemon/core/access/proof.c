/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <zmq.h>

#define LOG_TOPIC "access"
#include "base/clock.h"
#include "base/log.h"
#include "core/access/proof.h"
#include "core/access/zap.h"

#define PROOF_NS (5 * NS_PER_S)
#define MONITOR  "inproc://assayd-proof"

struct proof {
	void *context, *server, *known, *unknown, *monitor;
	struct key_pair server_key;
	char address[80];
};

static int set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof value);
}

static int open_server(struct proof *p)
{
	size_t len = sizeof p->address;
	p->server = zmq_socket(p->context, ZMQ_ROUTER);
	return p->server == NULL || set_int(p->server, ZMQ_LINGER, 0) < 0 ||
			       set_int(p->server, ZMQ_CURVE_SERVER, 1) < 0 ||
			       zmq_setsockopt(p->server, ZMQ_CURVE_SECRETKEY,
				       p->server_key.secret_key, KEY_FILE_TEXT) < 0 ||
			       zmq_setsockopt(p->server, ZMQ_ROUTING_ID, ZAP_PROOF,
				       strlen(ZAP_PROOF)) < 0 ||
			       zmq_bind(p->server, "tcp://127.0.0.1:*") < 0 ||
			       zmq_getsockopt(p->server, ZMQ_LAST_ENDPOINT, p->address, &len) < 0
		       ? -errno
		       : 0;
}

static int open_client(struct proof *p, void **client, const struct key_pair *pair)
{
	*client = zmq_socket(p->context, ZMQ_DEALER);
	return *client == NULL || set_int(*client, ZMQ_LINGER, 0) < 0 ||
			       zmq_setsockopt(*client, ZMQ_CURVE_SERVERKEY,
				       p->server_key.public_key, KEY_FILE_TEXT) < 0 ||
			       zmq_setsockopt(*client, ZMQ_CURVE_PUBLICKEY, pair->public_key,
				       KEY_FILE_TEXT) < 0 ||
			       zmq_setsockopt(*client, ZMQ_CURVE_SECRETKEY, pair->secret_key,
				       KEY_FILE_TEXT) < 0
		       ? -errno
		       : 0;
}

/* The unknown key's connection is watched: its refusal is an event of its own socket. */
static int open_clients(struct proof *p, const struct key_pair *proof)
{
	struct key_pair other;
	if (zmq_curve_keypair(other.public_key, other.secret_key) < 0)
		return -errno;
	int r = open_client(p, &p->known, proof);
	if (r == 0)
		r = open_client(p, &p->unknown, &other);
	if (r < 0)
		return r;
	p->monitor = zmq_socket(p->context, ZMQ_PAIR);
	bool is_open = p->monitor != NULL && set_int(p->monitor, ZMQ_LINGER, 0) == 0 &&
		       zmq_socket_monitor(p->unknown, MONITOR, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) ==
			       0 &&
		       zmq_connect(p->monitor, MONITOR) == 0 &&
		       zmq_connect(p->known, p->address) == 0 &&
		       zmq_connect(p->unknown, p->address) == 0 &&
		       zmq_send(p->known, "known", 5, ZMQ_DONTWAIT) >= 0 &&
		       zmq_send(p->unknown, "unknown", 7, ZMQ_DONTWAIT) >= 0;
	return is_open ? 0 : -errno;
}

/* Drops the other parts of the message. */
static bool is_unknown(void *server)
{
	char text[64];
	int n, more;
	size_t len = sizeof more;
	do {
		n = zmq_recv(server, text, sizeof text, ZMQ_DONTWAIT);
	} while (n >= 0 && zmq_getsockopt(server, ZMQ_RCVMORE, &more, &len) == 0 && more != 0);
	return n != 5 || memcmp(text, "known", 5) != 0;
}

static int wait_for_both(struct proof *p)
{
	zmq_pollitem_t items[] = {{.socket = p->server, .events = ZMQ_POLLIN},
		{.socket = p->monitor, .events = ZMQ_POLLIN}};
	uint64_t deadline = clock_boot() + PROOF_NS;
	bool is_served = false, is_refused = false;
	while (!is_served || !is_refused) {
		if (zmq_poll(items, is_refused ? 1 : 2, clock_ms_until(deadline)) < 0 &&
			errno != EINTR)
			return -errno;
		if (items[0].revents != 0 && is_unknown(p->server)) {
			log_error("self-test: a key that is not in the list was let in");
			return -EACCES;
		}
		is_served = is_served || items[0].revents != 0;
		is_refused = is_refused || items[1].revents != 0;
		if (clock_boot() >= deadline) {
			log_error("self-test: %s", !is_served ? "the key of the test was not let in"
							      : "an unknown key was not refused");
			return -EACCES;
		}
	}
	return 0;
}

int proof_run(void *context, const struct key_pair *proof)
{
	struct proof p = {.context = context};
	int r = zmq_curve_keypair(p.server_key.public_key, p.server_key.secret_key) < 0 ? -errno
											: 0;
	if (r == 0)
		r = open_server(&p);
	if (r == 0)
		r = open_clients(&p, proof);
	if (r == 0)
		r = wait_for_both(&p);
	void *const sockets[] = {p.known, p.unknown, p.monitor, p.server};
	for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
		if (sockets[i] != NULL)
			zmq_close(sockets[i]);
	}
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#define LOG_TOPIC "access"
#include "base/log.h"
#include "core/access/zap.h"

#define PART_MAX 255

const char *const zap_sockets[CONFIG_ROLES] = {"live", "replay", "control"};

struct zap {
	void *context, *socket;
	pthread_t thread;
	struct key_table *table;
	uint8_t proof_key[KEY_FILE_SIZE];
};

enum part {
	PART_VERSION,
	PART_ID,
	PART_DOMAIN,
	PART_ADDRESS,
	PART_SOCKET,
	PART_MECHANISM,
	PART_KEY,
};

struct request {
	char parts[ZAP_PARTS][PART_MAX + 1]; /* with a NUL after them */
	size_t sizes[ZAP_PARTS];
	size_t count; /* of parts, those too many included */
	bool is_cut;
};

/* 0, or -ETERM at the end. */
static int receive(void *socket, struct request *request)
{
	*request = (struct request){0};
	int more = 1;
	size_t len = sizeof more;
	while (more != 0) {
		char spare[PART_MAX + 1];
		size_t i = request->count++;
		int n = zmq_recv(socket, i < ZAP_PARTS ? request->parts[i] : spare, PART_MAX, 0);
		if (n < 0 && errno == EINTR) {
			request->count--;
			continue;
		}
		if (n < 0 || zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &len) < 0)
			return -errno;
		request->is_cut = request->is_cut || n > PART_MAX;
		if (i < ZAP_PARTS)
			request->sizes[i] = n > PART_MAX ? PART_MAX : (size_t)n;
	}
	return 0;
}

static bool is(const struct request *request, enum part part, const char *text)
{
	return request->sizes[part] == strlen(text) &&
	       memcmp(request->parts[part], text, request->sizes[part]) == 0;
}

/* NULL: the peer may use the socket.  Everything that is not known is refused. */
static const char *refuses(
	const struct zap *zap, const struct request *request, struct key_refusal *refusal)
{
	char name[ACCESS_NAME];
	refusal->socket = CONFIG_ROLES;
	if (request->count != ZAP_PARTS || request->is_cut || !is(request, PART_VERSION, "1.0") ||
		request->sizes[PART_KEY] != KEY_FILE_SIZE)
		return "the request is not one of this version of ZAP, with a key";
	if (!is(request, PART_MECHANISM, "CURVE"))
		return "the connection does not use CURVE";
	const uint8_t *key = (const uint8_t *)request->parts[PART_KEY];
	zmq_z85_encode(refusal->key, key, KEY_FILE_SIZE);
	if (is(request, PART_SOCKET, ZAP_PROOF))
		return memcmp(key, zap->proof_key, KEY_FILE_SIZE) == 0
			       ? NULL
			       : "the key is not that of the self-test";
	while (refusal->socket > 0 && !is(request, PART_SOCKET, zap_sockets[refusal->socket - 1]))
		refusal->socket--;
	if (refusal->socket == 0) {
		refusal->socket = CONFIG_ROLES;
		return "the socket is not one of the daemon's";
	}
	refusal->socket--;
	return key_table_refuses(zap->table, key, refusal->socket, name);
}

/* The user id of a peer is its key: a later question about its rights then has no second meaning. */
static int reply(void *socket, const struct request *request, const char *why, const char *key)
{
	const struct {
		const char *data;
		size_t size;
	} parts[] = {{"1.0", 3}, {request->parts[PART_ID], request->sizes[PART_ID]},
		{why == NULL ? "200" : "400", 3},
		{why == NULL ? "OK" : "refused", why == NULL ? 2 : 7},
		{key, why == NULL ? strlen(key) : 0}, {"", 0}};
	size_t count = sizeof parts / sizeof parts[0];
	for (size_t i = 0; i < count; i++) {
		if (zmq_send(socket, parts[i].data, parts[i].size,
			    i + 1 < count ? ZMQ_SNDMORE : 0) < 0)
			return -errno;
	}
	return 0;
}

static void *run(void *arg)
{
	pthread_setname_np(pthread_self(), "access");
	struct zap *zap = arg;
	struct request request;
	int r;
	while ((r = receive(zap->socket, &request)) == 0) {
		struct key_refusal refusal = {0};
		refusal.why = refuses(zap, &request, &refusal);
		if (refusal.why != NULL && !is(&request, PART_SOCKET, ZAP_PROOF)) {
			snprintf(refusal.address, sizeof refusal.address, "%.63s",
				request.parts[PART_ADDRESS]);
			key_table_note(zap->table, &refusal, 1);
		}
		r = reply(zap->socket, &request, refusal.why, refusal.key);
		if (r < 0)
			break;
	}
	if (r != -ETERM) {
		log_error("the handler of keys failed: %s", zmq_strerror(-r));
		abort(); /* without it libzmq lets everyone in */
	}
	zmq_close(zap->socket);
	return NULL;
}

int zap_start(struct zap **out, void *context, struct key_table *table,
	const uint8_t proof_key[KEY_FILE_SIZE])
{
	struct zap *zap = calloc(1, sizeof *zap);
	if (zap == NULL)
		return -ENOMEM;
	zap->context = context;
	zap->table = table;
	memcpy(zap->proof_key, proof_key, KEY_FILE_SIZE);
	zap->socket = zmq_socket(context, ZMQ_REP);
	int linger = 0, r = 0;
	if (zap->socket == NULL ||
		zmq_setsockopt(zap->socket, ZMQ_LINGER, &linger, sizeof linger) < 0 ||
		zmq_bind(zap->socket, ZAP_ENDPOINT) < 0)
		r = -errno;
	if (r == 0)
		r = -pthread_create(&zap->thread, NULL, run, zap);
	if (r < 0) {
		if (zap->socket != NULL)
			zmq_close(zap->socket);
		free(zap);
		return r;
	}
	*out = zap;
	return 0;
}

void zap_stop(struct zap *zap)
{
	if (zap == NULL)
		return;
	zmq_ctx_shutdown(zap->context);
	pthread_join(zap->thread, NULL);
	free(zap);
}

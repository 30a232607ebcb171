/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of libzmq that the daemon uses: PUB and ROUTER sockets in this process.  The awkward
 * properties of the real ones are kept: a socket's descriptor reports edges only, any call on the
 * socket may consume one, bytes that were handed over are released later by another thread, and
 * properties of a message hang on its last part.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "base/endpoint.h"
#include "base/key-file.h"
#include "core/access/access.h"
#include "sys.h"

#define SOCKETS_MAX 8
#define PARTS_MAX   32768
#define EDGE_EVERY  3
#define HELD_MAX    (80 * MS)
#define REPLY_TIME  US

struct body {
	struct body *prev, *next; /* of those handed over by a send, or NULL */
	unsigned refs;
	uint8_t *data;
	size_t len;
	zmq_free_fn *release; /* NULL: `data` is ours */
	void *hint;
};

/* Lies in a zmq_msg_t. */
struct message {
	struct body *body; /* NULL: empty */
	bool more, is_last;
};

struct request {
	struct request *next;
	uint32_t peer;
	size_t len;
	uint8_t data[];
};

struct socket {
	int type; /* 0: free */
	int fd;   /* that reports edges, 0: not requested */
	char endpoint[128];
	bool is_mandatory;
	struct request *first, **end;
	int part;      /* of the first one that is read next */
	bool is_awake; /* no edge comes until it was empty once */
	bool has_edge;
	struct message *out; /* parts of the message being sent */
	size_t out_count;
};

/* On its way to the peer. */
struct reply {
	struct reply *next;
	uint32_t peer;
	struct system_part *parts; /* their bytes are copies */
	size_t count;
};

static struct reply *replies, **replies_end = &replies;
static uintptr_t life; /* replies that are on their way arrive in the one that sent them */
static struct socket sockets[SOCKETS_MAX];
static struct body flying = {.prev = &flying, .next = &flying};
static uint32_t gone[64]; /* peers, by the rest of their number */

/* --- messages -------------------------------------------------------------------------------- */

static struct message *of(zmq_msg_t *message)
{
	_Static_assert(sizeof(struct message) <= sizeof(zmq_msg_t), "a message must fit");
	return (struct message *)message;
}

static struct body *body_create(void *data, size_t len, zmq_free_fn *release, void *hint)
{
	struct body *body = calloc(1, sizeof *body);
	assert(body != NULL);
	*body = (struct body){
		.refs = 1, .data = data, .len = len, .release = release, .hint = hint};
	return body;
}

static struct body *body_copy(const void *data, size_t len)
{
	uint8_t *copy = malloc(len + 1);
	assert(copy != NULL);
	if (len > 0)
		memcpy(copy, data, len);
	return body_create(copy, len, NULL, NULL);
}

static void body_unref(struct body *body)
{
	if (body == NULL || --body->refs > 0)
		return;
	if (body->release != NULL)
		body->release(body->data, body->hint);
	else
		free(body->data);
	free(body);
}

static void land(struct body *body)
{
	body->prev->next = body->next;
	body->next->prev = body->prev;
	body->prev = body->next = NULL;
}

static void on_landed(void *arg)
{
	struct body *body = arg;
	if (body->next != NULL)
		land(body);
	body_unref(body);
}

/* The bytes are written out by another thread some time later. */
static void fly(struct body *body)
{
	if (body->release == NULL || body->next != NULL) {
		body_unref(body);
		return;
	}
	body->next = &flying;
	body->prev = flying.prev;
	body->prev->next = body->next->prev = body;
	event_in(dice_time(US, HELD_MAX), on_landed, body);
}

int sim_zmq_msg_init(zmq_msg_t *message)
{
	*of(message) = (struct message){0};
	return 0;
}

int sim_zmq_msg_init_data(
	zmq_msg_t *message, void *data, size_t len, zmq_free_fn *release, void *hint)
{
	*of(message) = (struct message){.body = body_create(data, len, release, hint)};
	return 0;
}

int sim_zmq_msg_init_size(zmq_msg_t *message, size_t len)
{
	*of(message) = (struct message){.body = body_create(calloc(1, len + 1), len, NULL, NULL)};
	return 0;
}

int sim_zmq_msg_close(zmq_msg_t *message)
{
	body_unref(of(message)->body);
	*of(message) = (struct message){0};
	return 0;
}

int sim_zmq_msg_copy(zmq_msg_t *to, zmq_msg_t *from)
{
	body_unref(of(to)->body);
	*of(to) = *of(from);
	if (of(to)->body != NULL)
		of(to)->body->refs++;
	return 0;
}

int sim_zmq_msg_move(zmq_msg_t *to, zmq_msg_t *from)
{
	body_unref(of(to)->body);
	*of(to) = *of(from);
	*of(from) = (struct message){0};
	return 0;
}

void *sim_zmq_msg_data(zmq_msg_t *message)
{
	return of(message)->body != NULL ? of(message)->body->data : (uint8_t *)message;
}

size_t sim_zmq_msg_size(const zmq_msg_t *message)
{
	const struct message *m = (const struct message *)message;
	return m->body != NULL ? m->body->len : 0;
}

int sim_zmq_msg_more(const zmq_msg_t *message)
{
	return ((const struct message *)message)->more;
}

const char *sim_zmq_msg_gets(const zmq_msg_t *message, const char *property)
{
	const struct message *m = (const struct message *)message;
	bool is_it = m->is_last && strcmp(property, "Peer-Address") == 0;
	return is_it ? "localhost:1000:1000:4242" : NULL;
}

/* --- receiving ------------------------------------------------------------------------------- */

bool system_request(const char *endpoint, uint32_t peer, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		struct socket *s = &sockets[i];
		if (s->type != ZMQ_ROUTER || strcmp(s->endpoint, endpoint) != 0)
			continue;
		struct request *request = malloc(sizeof *request + len);
		assert(request != NULL);
		*request = (struct request){.peer = peer, .len = len};
		memcpy(request->data, data, len);
		*s->end = request;
		s->end = &request->next;
		s->has_edge = s->has_edge || !s->is_awake;
		s->is_awake = true;
		fds_stir();
		return true;
	}
	return false;
}

/* 0: the peer's number; 1: REQ's empty part, which not every peer sends; 2: the request. */
static struct message make_part(struct socket *s)
{
	const struct request *request = s->first;
	uint8_t id[5] = {0};
	memcpy(id + 1, &request->peer, sizeof request->peer);
	if (s->part == 0)
		return (struct message){.body = body_copy(id, sizeof id), .more = true};
	if (s->part == 1 && request->peer % 2 == 0)
		return (struct message){.body = body_copy("", 0), .more = true};
	s->part = 2;
	return (struct message){.body = body_copy(request->data, request->len), .is_last = true};
}

int sim_zmq_msg_recv(zmq_msg_t *message, void *socket, int flags)
{
	struct socket *s = socket;
	if (s->first == NULL) {
		s->has_edge = s->is_awake = false;
		errno = EAGAIN;
		return -1;
	}
	if (dice_one_in(EDGE_EVERY))
		s->has_edge = false;
	body_unref(of(message)->body);
	*of(message) = make_part(s);
	if (s->part++ == 2) {
		struct request *request = s->first;
		s->first = request->next;
		if (s->first == NULL)
			s->end = &s->first;
		s->part = 0;
		free(request);
	}
	return (int)sim_zmq_msg_size(message);
}

short zmq_fd_events(void *socket)
{
	return ((const struct socket *)socket)->has_edge ? POLLIN : 0;
}

int sim_zmq_poll(zmq_pollitem_t *items, int count, long ms)
{
	uint64_t until = ms < 0 ? NEVER : now_boot() + (uint64_t)ms * MS;
	for (;;) {
		int ready = 0;
		for (int i = 0; i < count; i++) {
			struct pollfd polled = {.fd = items[i].fd, .events = POLLIN};
			const struct socket *s = items[i].socket;
			bool is_ready = s != NULL ? s->first != NULL
						  : poll_now(NULL, &polled, 1) > 0;
			items[i].revents = is_ready ? ZMQ_POLLIN : 0;
			ready += is_ready;
		}
		if (ready > 0 || until <= now_boot())
			return ready;
		fds_wait(NULL, until);
	}
}

/* --- sending --------------------------------------------------------------------------------- */

void system_forget_peer(uint32_t peer)
{
	gone[peer % 64] = peer;
}

static uint32_t peer_of(const struct message *id)
{
	uint32_t peer;
	assert(id->body != NULL && id->body->len == 5);
	memcpy(&peer, id->body->data + 1, sizeof peer);
	return peer;
}

static void arrive(bool is_lost)
{
	struct reply *reply = replies;
	replies = reply->next;
	if (replies == NULL)
		replies_end = &replies;
	if (!is_lost)
		sys.world->replied(reply->peer, reply->parts, reply->count);
	for (size_t i = 0; i < reply->count; i++)
		free((void *)reply->parts[i].data);
	free(reply->parts);
	free(reply);
}

static void on_arrived(void *arg)
{
	if ((uintptr_t)arg == life)
		arrive(false);
}

/*
 * Replies and entries of the live socket come by different threads: a peer has seen a reply only after
 * each of them ran.
 */
static void send_reply(uint32_t peer, const struct system_part *parts, size_t count)
{
	struct reply *reply = malloc(sizeof *reply);
	assert(reply != NULL);
	*reply = (struct reply){
		.peer = peer, .parts = calloc(count, sizeof *parts), .count = count};
	assert(reply->parts != NULL);
	for (size_t i = 0; i < count; i++) {
		uint8_t *copy = malloc(parts[i].len + 1);
		assert(copy != NULL);
		memcpy(copy, parts[i].data, parts[i].len);
		reply->parts[i] = (struct system_part){copy, parts[i].len};
	}
	*replies_end = reply;
	replies_end = &reply->next;
	event_in(REPLY_TIME, on_arrived, (void *)life);
}

static void deliver(struct socket *s)
{
	struct system_part *parts = calloc(s->out_count, sizeof *parts);
	assert(parts != NULL);
	for (size_t i = 0; i < s->out_count; i++) {
		const struct body *body = s->out[i].body;
		parts[i] = body != NULL ? (struct system_part){body->data, body->len}
					: (struct system_part){(const uint8_t *)"", 0};
	}
	if (s->type == ZMQ_PUB) {
		assert(s->out_count == 2);
		sys.world->published(
			(const char *)parts[0].data, parts[0].len, parts[1].data, parts[1].len);
	} else {
		uint32_t peer = peer_of(&s->out[0]);
		size_t skip = peer % 2 == 0 ? 2 : 1;
		assert(s->out_count > skip && (skip == 1 || parts[1].len == 0));
		if (gone[peer % 64] != peer)
			send_reply(peer, parts + skip, s->out_count - skip);
	}
	free(parts);
	for (size_t i = 0; i < s->out_count; i++) {
		if (s->out[i].body != NULL)
			fly(s->out[i].body);
	}
	s->out_count = 0;
}

static int send_part(struct socket *s, struct message message, int flags)
{
	if (dice_one_in(EDGE_EVERY))
		s->has_edge = false;
	if (s->type == ZMQ_ROUTER && s->out_count == 0 && s->is_mandatory) {
		uint32_t peer = peer_of(&message);
		if (gone[peer % 64] == peer) {
			errno = EHOSTUNREACH;
			return -1;
		}
	}
	assert(s->out_count < PARTS_MAX);
	s->out[s->out_count++] = message;
	if ((flags & ZMQ_SNDMORE) == 0)
		deliver(s);
	return 0;
}

int sim_zmq_msg_send(zmq_msg_t *message, void *socket, int flags)
{
	int len = (int)sim_zmq_msg_size(message);
	if (send_part(socket, *of(message), flags) < 0)
		return -1;
	*of(message) = (struct message){0};
	return len;
}

int sim_zmq_send(void *socket, const void *data, size_t len, int flags)
{
	struct message message = {.body = body_copy(data, len)};
	if (send_part(socket, message, flags) == 0)
		return (int)len;
	body_unref(message.body);
	return -1;
}

/* --- sockets --------------------------------------------------------------------------------- */

static void empty(struct socket *s)
{
	while (s->first != NULL) {
		struct request *request = s->first;
		s->first = request->next;
		free(request);
	}
	for (size_t i = 0; i < s->out_count; i++)
		body_unref(s->out[i].body);
	free(s->out);
	*s = (struct socket){0};
}

void *sim_zmq_ctx_new(void)
{
	return sockets;
}

int sim_zmq_ctx_term(void *context)
{
	life++;
	while (replies != NULL)
		arrive(false);
	while (flying.next != &flying) {
		struct body *body = flying.next;
		land(body);
		if (body->refs > 1)
			abort();
		if (body->release != NULL)
			body->release(body->data, body->hint);
		body->release = NULL;
		body->data = NULL; /* the event frees the rest */
	}
	return 0;
}

void *sim_zmq_socket(void *context, int type)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		struct socket *s = &sockets[i];
		if (s->type != 0)
			continue;
		*s = (struct socket){.type = type, .end = &s->first};
		s->out = calloc(PARTS_MAX, sizeof *s->out);
		assert(s->out != NULL);
		return s;
	}
	errno = EMFILE;
	return NULL;
}

int sim_zmq_setsockopt(void *socket, int option, const void *value, size_t len)
{
	struct socket *s = socket;
	if (option == ZMQ_ROUTER_MANDATORY)
		s->is_mandatory = *(const int *)value != 0;
	return 0;
}

int sim_zmq_getsockopt(void *socket, int option, void *value, size_t *len)
{
	struct sys_fd *f;
	const struct socket *s = socket;
	if (option == ZMQ_EVENTS) {
		((struct socket *)socket)->has_edge = false;
		*(int *)value = ZMQ_POLLOUT | (s->first != NULL ? ZMQ_POLLIN : 0);
		return 0;
	}
	assert(option == ZMQ_FD);
	int fd = ((struct socket *)socket)->fd = fd_create(FD_ZMQ, &f);
	assert(fd >= 0);
	f->socket = socket;
	*(int *)value = fd;
	return 0;
}

/* The file of the socket is not simulated. */
int sim_endpoint_open(struct endpoint_file **out, void *socket, const char *address)
{
	struct socket *s = socket;
	assert(strlen(address) < sizeof s->endpoint);
	strcpy(s->endpoint, address);
	*out = NULL;
	return 0;
}

void sim_endpoint_look(struct endpoint_file *endpoint)
{
}

void sim_endpoint_close(struct endpoint_file *endpoint)
{
}

const char *sim_endpoint_error(int error)
{
	return strerror(-error);
}

/* No program connects by TCP. */
int sim_key_file_read(const char *path, bool is_secret, struct key_pair *pair, char *why)
{
	return -ENOENT;
}

bool sim_key_file_decode(const char *text, uint8_t *key)
{
	return false;
}

int sim_access_open(
	struct access **out, void *zmq, const struct config *config, struct audit_trail *audit)
{
	*out = NULL;
	return 0;
}

void sim_access_close(struct access *access)
{
}

int sim_access_set_keys(struct access *access, const struct config *config)
{
	return 0;
}

struct remote_place sim_access_place(const struct access *access, enum config_role role)
{
	return (struct remote_place){0};
}

void sim_access_look(struct access *access)
{
}

uint64_t sim_access_refusals(const struct access *access)
{
	return 0;
}

bool sim_access_admits(
	struct access *access, zmq_msg_t *last, enum config_role role, struct access_peer *peer)
{
	const char *address = sim_zmq_msg_gets(last, "Peer-Address");
	*peer = (struct access_peer){0};
	peer->is_local = address != NULL &&
			 sscanf(address, "localhost:%u:%*u:%d", &peer->uid, &peer->pid) == 2;
	return true;
}

int sim_remote_open(struct remote **out, void *socket, const struct remote_place *place)
{
	return -ENOTSUP;
}

void sim_remote_look(struct remote *remote)
{
}

void sim_remote_close(struct remote *remote)
{
}

int sim_zmq_close(void *socket)
{
	struct socket *s = socket;
	if (s->fd != 0)
		fd_release(s->fd);
	empty(s);
	return 0;
}

int sim_zmq_errno(void)
{
	return errno;
}

/* Data that was handed over belongs to the dead daemon's memory. */
void zmq_drop(void)
{
	life++;
	while (replies != NULL)
		arrive(true);
	while (flying.next != &flying) {
		struct body *body = flying.next;
		land(body);
		body->release = NULL;
		body->data = NULL;
	}
	for (size_t i = 0; i < SOCKETS_MAX; i++) {
		for (size_t k = 0; k < sockets[i].out_count; k++) {
			if (sockets[i].out[k].body->release != NULL) {
				sockets[i].out[k].body->release = NULL;
				sockets[i].out[k].body->data = NULL;
			}
		}
		empty(&sockets[i]);
	}
}

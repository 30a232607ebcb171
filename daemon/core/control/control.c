/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "control"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "base/remote.h"
#include "core/access/access.h"
#include "core/control/actor.h"
#include "core/control/control.h"
#include "core/control/replies.h"
#include "core/router/envelope.h"

/* Before other sources of the loop get their turn. */
#define REQUESTS_TURN 32
#define TURN_NS       (5 * NS_PER_MS)

#define TICKETS_MAX 64

/* 1,000 requests a second, of all peers in turn: some of them write records, which stay. */
#define REQUESTS_SLICE 50
#define SLICE_NS       (50 * NS_PER_MS)

/* Messages of one peer that wait in libzmq, to be read and to be sent. */
#define PEER_HWM 16

struct control_ticket {
	struct control *control;
	void (*send)(void *arg, const struct buffer *reply);
	void *arg;
	struct buffer bytes;
	struct map reply;
};

struct control {
	struct core *core;
	const struct op *const *ops;
	void *socket; /* NULL: none */
	struct endpoint_file *endpoint;
	struct remote *remote; /* NULL: local peers only */
	struct loop_source *io, *pending, *slice;
	size_t requests;    /* left of this slice of time */
	uint64_t slice_end; /* CLOCK_BOOTTIME */
	struct replies *replies;
	bool is_dropping;
	size_t tickets;
	bool is_closed; /* freed with the last ticket */

	/* Of the request that is handled; NULL: the operation kept it. */
	void (*send)(void *arg, const struct buffer *reply);
	void *arg;
};

/* --- replies --------------------------------------------------------------------------------- */

static void open_reply(struct map *map, struct buffer *to)
{
	map_open(map, to);
	map_bool(map, "ok", true);
}

static void write_refusal(struct buffer *reply, const char *code, const char *text)
{
	struct map map, error;
	buffer_reset(reply);
	map_open(&map, reply);
	map_bool(&map, "ok", false);
	map_key(&map, "error");
	map_open(&error, reply);
	map_text(&error, "code", code);
	map_text(&error, "text", text);
	map_close(&error);
	map_close(&map);
}

void control_handle(struct control *control, const struct audit_actor *actor, const uint8_t *data,
	size_t len, void (*send)(void *arg, const struct buffer *reply), void *arg)
{
	struct buffer reply = {0};
	struct call call = {.ops = control->ops, .on = control->core, .actor = actor};
	control->send = send;
	control->arg = arg;
	open_reply(&call.reply, &reply);
	int r = call_read(&call, data, len);
	if (r == 0)
		r = call.op->run(&call);
	map_close(&call.reply);
	if (r < 0)
		write_refusal(&reply, call.code, call.text);
	assert(r == 0 || control->send != NULL);
	if (control->send != NULL)
		send(arg, &reply);
	buffer_finish(&reply);
}

struct control_ticket *control_keep(struct call *call)
{
	struct core *core = call->on;
	struct control *control = core->control;
	struct control_ticket *ticket = NULL;
	if (control->tickets < TICKETS_MAX)
		ticket = calloc(1, sizeof *ticket);
	if (ticket == NULL) {
		call_refuse(call, "busy", "too many requests are waiting");
		return NULL;
	}
	ticket->control = control;
	ticket->send = control->send;
	ticket->arg = control->arg;
	open_reply(&ticket->reply, &ticket->bytes);
	control->tickets++;
	control->send = NULL;
	return ticket;
}

struct map *control_reply(struct control_ticket *ticket)
{
	return &ticket->reply;
}

static void send_kept(struct control_ticket *ticket)
{
	struct control *control = ticket->control;
	ticket->send(ticket->arg, &ticket->bytes);
	buffer_finish(&ticket->bytes);
	free(ticket);
	if (--control->tickets == 0 && control->is_closed)
		free(control);
}

void control_answer(struct control_ticket *ticket)
{
	map_close(&ticket->reply);
	send_kept(ticket);
}

void control_answer_committed(void *ticket, const struct commit_item *item)
{
	control_answer(ticket);
}

void control_reject(struct control_ticket *ticket, const char *code, const char *text)
{
	write_refusal(&ticket->bytes, code, text);
	send_kept(ticket);
}

/* --- the socket ------------------------------------------------------------------------------ */

/* A request of the socket, until its reply is sent. */
struct control_request {
	struct control *control;
	struct envelope envelope;
};

static bool has_room(struct control *control, size_t len)
{
	bool has = replies_fit(control->replies, len);
	if (!has && !control->is_dropping)
		log_warn("peers do not read their replies: %zu MiB wait, more are dropped",
			REPLIES_MAX >> 20);
	control->is_dropping = !has;
	return has;
}

/*
 * If the peer is gone or does not read, the reply is dropped.  Sending may take the readiness of
 * the socket's descriptor away, so the loop looks for requests again.
 */
static void send_reply(void *arg, const struct buffer *reply)
{
	struct control_request *request = arg;
	struct control *control = request->control;
	if (control->socket != NULL && !reply->failed && has_room(control, reply->len) &&
		envelope_send(&request->envelope, control->socket) == 0)
		replies_send(control->replies, control->socket, reply);
	if (control->pending != NULL)
		loop_set_idle(control->pending, true);
	envelope_close(&request->envelope);
	free(request);
}

/* A request whose sender has no right to it is not read. */
static void handle_from(struct control *control, zmq_msg_t *body, struct control_request *request)
{
	struct audit_actor actor;
	struct access_peer peer;
	struct buffer reply = {0};
	if (!access_admits(control->core->access, body, CONFIG_CONTROL, &peer)) {
		write_refusal(&reply, "not-authorised", "this key has no right to control");
		send_reply(request, &reply);
		buffer_finish(&reply);
		return;
	}
	actor_find(&actor, &peer, ACTOR_USERS);
	control_handle(
		control, &actor, zmq_msg_data(body), zmq_msg_size(body), send_reply, request);
}

/* False: no request waits. */
static bool serve_one(struct control *control)
{
	zmq_msg_t body;
	struct envelope envelope;
	int r = envelope_receive(&envelope, control->socket, &body);
	if (r < 0)
		return r == -EBADMSG;
	struct control_request *request = malloc(sizeof *request);
	if (request != NULL) {
		request->control = control;
		envelope_move(&request->envelope, &envelope);
		handle_from(control, &body, request);
	}
	envelope_close(&envelope);
	zmq_msg_close(&body);
	return true;
}

/*
 * ZMQ_FD reports edges, and every call on the socket may take one.  So requests are served until
 * there are none.  After a full turn, and after a late reply, `pending` goes on when no other source has
 * anything to do, and `slice` in any case.
 */
static void serve(struct control *control)
{
	int turn = 0, events;
	size_t size = sizeof events;
	uint64_t now = clock_boot();
	if (now >= control->slice_end) {
		control->slice_end = now + SLICE_NS;
		control->requests = REQUESTS_SLICE;
	}
	bool is_done = false;
	while (!is_done && turn < REQUESTS_TURN && control->requests > 0 &&
		clock_boot() - now < TURN_NS) {
		is_done = !serve_one(control);
		turn++;
		control->requests--;
	}
	if (!is_done) {
		zmq_getsockopt(control->socket, ZMQ_EVENTS, &events, &size); /* takes the edge */
		loop_set_timer(control->slice, control->slice_end - now);
	}
	loop_set_idle(control->pending, !is_done && control->requests > 0);
}

static void on_io(void *arg, uint32_t events)
{
	serve(arg);
}

static void on_pending(void *arg)
{
	serve(arg);
}

static void on_slice(void *arg)
{
	serve(arg);
}

static int open_socket(struct control *control, const char *endpoint)
{
	int linger = 500, hwm = PEER_HWM, fd;
	int64_t limit = CALL_BYTES_MAX;
	size_t size = sizeof fd;
	control->socket = zmq_socket(control->core->zmq, ZMQ_ROUTER);
	if (control->socket == NULL ||
		zmq_setsockopt(control->socket, ZMQ_LINGER, &linger, sizeof linger) < 0 ||
		zmq_setsockopt(control->socket, ZMQ_RCVHWM, &hwm, sizeof hwm) < 0 ||
		zmq_setsockopt(control->socket, ZMQ_SNDHWM, &hwm, sizeof hwm) < 0 ||
		zmq_setsockopt(control->socket, ZMQ_MAXMSGSIZE, &limit, sizeof limit) < 0 ||
		zmq_getsockopt(control->socket, ZMQ_FD, &fd, &size) < 0)
		return -errno;
	struct loop *loop = control->core->loop;
	struct remote_place place = access_place(control->core->access, CONFIG_CONTROL);
	int r = endpoint_open(&control->endpoint, control->socket, endpoint);
	if (r == 0 && place.address != NULL)
		r = remote_open(&control->remote, control->socket, &place);
	if (r == 0)
		r = loop_add_fd(loop, &control->io, fd, EPOLLIN, on_io, control);
	if (r == 0)
		r = loop_add_timer(loop, &control->slice, on_slice, control);
	return r < 0 ? r : loop_add_idle(loop, &control->pending, on_pending, control);
}

int control_open(
	struct control **out, struct core *core, const struct op *const *ops, const char *endpoint)
{
	struct control *control = calloc(1, sizeof *control);
	if (control == NULL)
		return -ENOMEM;
	control->core = core;
	control->ops = ops;
	control->replies = replies_create();
	int r = control->replies == NULL ? -ENOMEM : 0;
	if (r == 0 && endpoint != NULL)
		r = open_socket(control, endpoint);
	if (r < 0) {
		control_close(control);
		return r;
	}
	*out = control;
	return 0;
}

void control_look(struct control *control)
{
	if (control->endpoint != NULL)
		endpoint_look(control->endpoint);
	remote_look(control->remote);
}

void control_close(struct control *control)
{
	if (control == NULL)
		return;
	control->io = loop_drop(control->io);
	control->pending = loop_drop(control->pending);
	control->slice = loop_drop(control->slice);
	endpoint_close(control->endpoint);
	control->endpoint = NULL;
	remote_close(control->remote);
	control->remote = NULL;
	if (control->socket != NULL)
		zmq_close(control->socket);
	control->socket = NULL;
	replies_destroy(control->replies);
	control->replies = NULL;
	control->is_closed = true;
	if (control->tickets == 0)
		free(control);
}

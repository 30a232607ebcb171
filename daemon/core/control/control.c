/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#define LOG_TOPIC "control"
#include "base/log.h"
#include "core/control/control.h"

/* ROUTER id, REQ's empty part, and what a chain of proxies may add. */
#define ENVELOPE_PARTS_MAX 8
#define REQUESTS_TURN      32
#define TICKETS_MAX        64

struct envelope {
	size_t count;
	zmq_msg_t parts[ENVELOPE_PARTS_MAX];
};

struct control_ticket {
	struct control *control;
	struct envelope envelope;
};

struct control {
	struct core *core;
	void *socket;
	struct loop_source *io, *pending;
	struct envelope envelope; /* of the request being handled */
	size_t tickets;
	/* while handling: */
	char refusal_code[32], refusal_text[600];
	bool kept;
};

/* --- arguments ------------------------------------------------------------------------------- */

const struct control_value *control_arg(const struct control_call *call, const char *name)
{
	for (size_t i = 0; call->op->args[i].name != NULL; i++) {
		if (strcmp(call->op->args[i].name, name) == 0)
			return &call->args[i];
	}
	assert(!"an argument that the op does not declare");
	return NULL;
}

int control_copy_text(const struct control_call *call, const char *name, char *to, size_t size)
{
	const struct control_value *value = control_arg(call, name);
	to[0] = '\0';
	if (!value->given)
		return 0;
	if (value->text.len >= size)
		return -EMSGSIZE;
	memcpy(to, value->text.data, value->text.len);
	to[value->text.len] = '\0';
	return 0;
}

int control_refuse(struct control_call *call, const char *code, const char *format, ...)
{
	struct control *control = call->core->control;
	va_list args;
	va_start(args, format);
	vsnprintf(control->refusal_text, sizeof control->refusal_text, format, args);
	va_end(args);
	snprintf(control->refusal_code, sizeof control->refusal_code, "%s", code);
	return -EINVAL;
}

/* Appends "a, b, c" to text. */
static void add_word(char *text, size_t size, const char *word)
{
	size_t len = strlen(text);
	snprintf(text + len, size - len, "%s%s", len > 0 ? ", " : "", word);
}

static int refuse_op(struct control_call *call, struct assay_string op)
{
	char known[400] = "";
	for (const struct control_op *at = control_ops; at->name != NULL; at++)
		add_word(known, sizeof known, at->name);
	return control_refuse(call, "unknown-op", "unknown op '%.*s'; accepted: %s",
		(int)(op.len < 64 ? op.len : 64), op.data, known);
}

static int refuse_arg(struct control_call *call, struct assay_string name)
{
	char known[400] = "";
	for (const struct control_arg *arg = call->op->args; arg->name != NULL; arg++)
		add_word(known, sizeof known, arg->name);
	return control_refuse(call, "unknown-argument", "%s has no argument '%.*s'; accepted: %s",
		call->op->name, (int)(name.len < 64 ? name.len : 64), name.data,
		known[0] != '\0' ? known : "none");
}

static int read_value(struct reader *r, enum control_type type, struct control_value *value)
{
	value->given = true;
	switch (type) {
	case CONTROL_TEXT: return read_text(r, &value->text);
	case CONTROL_UINT: return read_uint(r, &value->number);
	case CONTROL_BOOL: return read_bool(r, &value->flag);
	case CONTROL_ITEM: return read_raw(r, &value->item);
	}
	return -EBADMSG;
}

static int read_argument(struct control_call *call, struct reader *r, struct assay_string key)
{
	static const char *const types[] = {[CONTROL_TEXT] = "a text",
		[CONTROL_UINT] = "a whole number",
		[CONTROL_BOOL] = "true or false",
		[CONTROL_ITEM] = "a value"};
	for (size_t i = 0; call->op->args[i].name != NULL; i++) {
		const struct control_arg *arg = &call->op->args[i];
		if (!assay_string_is(key, arg->name))
			continue;
		if (read_value(r, arg->type, &call->args[i]) < 0)
			return control_refuse(call, "bad-argument", "%s of %s must be %s",
				arg->name, call->op->name, types[arg->type]);
		return 0;
	}
	return refuse_arg(call, key);
}

static int bad_request(struct control_call *call, const struct reader *r)
{
	return control_refuse(call, "bad-request",
		"a request is one CBOR map with the text `op` and its arguments: %s", r->text);
}

/* `op` may stand anywhere in the map, so the map is read twice. */
static int find_op(struct control_call *call, const uint8_t *data, size_t len)
{
	struct reader r;
	size_t pairs;
	struct assay_string key, op = {0};
	read_init(&r, data, len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (assay_string_is(key, "op"))
			read_text(&r, &op);
		else
			read_skip(&r);
	}
	if (read_finish(&r) < 0)
		return bad_request(call, &r);
	if (op.data == NULL)
		return control_refuse(call, "bad-request", "the request has no `op`");
	for (const struct control_op *at = control_ops; at->name != NULL; at++) {
		if (assay_string_is(op, at->name)) {
			call->op = at;
			return 0;
		}
	}
	return refuse_op(call, op);
}

static int read_arguments(struct control_call *call, const uint8_t *data, size_t len)
{
	struct reader r;
	size_t pairs;
	struct assay_string key;
	read_init(&r, data, len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (assay_string_is(key, "op")) {
			read_skip(&r);
			continue;
		}
		int e = read_argument(call, &r, key);
		if (e < 0)
			return e;
	}
	for (size_t i = 0; call->op->args[i].name != NULL; i++) {
		if (call->op->args[i].required && !call->args[i].given)
			return control_refuse(call, "missing-argument", "%s needs %s: %s",
				call->op->name, call->op->args[i].name, call->op->args[i].help);
	}
	return 0;
}

/* --- replies --------------------------------------------------------------------------------- */

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
	size_t len, struct buffer *reply, bool *kept)
{
	struct control_call call = {.core = control->core, .actor = *actor};
	control->kept = false;
	buffer_reset(reply);
	map_open(&call.reply, reply);
	map_bool(&call.reply, "ok", true);
	int r = find_op(&call, data, len);
	if (r == 0)
		r = read_arguments(&call, data, len);
	if (r == 0)
		r = call.op->run(&call);
	map_close(&call.reply);
	if (r < 0)
		write_refusal(reply, control->refusal_code, control->refusal_text);
	*kept = r == 0 && control->kept;
}

struct control_ticket *control_keep(struct control_call *call)
{
	struct control *control = call->core->control;
	struct control_ticket *ticket = control->tickets < TICKETS_MAX ? calloc(1, sizeof *ticket)
								       : NULL;
	if (ticket == NULL)
		return NULL;
	ticket->control = control;
	ticket->envelope.count = control->envelope.count;
	for (size_t i = 0; i < control->envelope.count; i++) {
		zmq_msg_init(&ticket->envelope.parts[i]);
		zmq_msg_copy(&ticket->envelope.parts[i], &control->envelope.parts[i]);
	}
	control->tickets++;
	control->kept = true;
	return ticket;
}

static void close_envelope(struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->count; i++)
		zmq_msg_close(&envelope->parts[i]);
	envelope->count = 0;
}

/* A peer that is gone, or does not read, loses its reply: that is its own affair. */
static void send_reply(
	struct control *control, struct envelope *envelope, const struct buffer *reply)
{
	bool sent = control->socket != NULL && !reply->failed;
	for (size_t i = 0; sent && i < envelope->count; i++)
		sent = zmq_msg_send(&envelope->parts[i], control->socket,
			       ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0;
	if (sent)
		zmq_send(control->socket, reply->data, reply->len, ZMQ_DONTWAIT);
	close_envelope(envelope);
}

void control_answer(struct control_ticket *ticket, const struct buffer *pairs, size_t count,
	const char *code, const char *text)
{
	struct buffer reply = {0};
	if (code != NULL) {
		write_refusal(&reply, code, text);
	} else {
		struct map map;
		map_open(&map, &reply);
		map_bool(&map, "ok", true);
		if (count > 0)
			map_pairs(&map, pairs->data, pairs->len, count);
		map_close(&map);
	}
	struct control *control = ticket->control;
	control->tickets--;
	send_reply(control, &ticket->envelope, &reply);
	if (control->pending != NULL)
		loop_set_idle(control->pending, true);
	buffer_finish(&reply);
	free(ticket);
}

/* --- the socket ------------------------------------------------------------------------------ */

/*
 * Who asks: of a local peer libzmq tells "localhost:uid:gid:pid" as Peer-Address.  It hangs on the
 * last part only, because the first one may have been read ahead without it.
 */
static void find_actor(zmq_msg_t *last, struct audit_actor *actor)
{
	*actor = (struct audit_actor){.id = "unknown", .auth = AUTH_NONE, .via = "control"};
	const char *address = zmq_msg_gets(last, "Peer-Address");
	unsigned uid;
	int pid;
	const char *ids = address != NULL ? strchr(address, ':') : NULL;
	if (ids == NULL || sscanf(ids, ":%u:%*u:%d", &uid, &pid) != 2)
		return;
	struct passwd *pw = getpwuid(uid);
	if (pw != NULL)
		snprintf(actor->id, sizeof actor->id, "%s", pw->pw_name);
	else
		snprintf(actor->id, sizeof actor->id, "uid-%u", uid);
	actor->auth = AUTH_OS;
	snprintf(actor->via, sizeof actor->via, "control pid %d", pid);
}

/* Reads one request: its envelope, and the last part into `body`.  False when there is none. */
static bool receive(struct control *control, zmq_msg_t *body)
{
	struct envelope *envelope = &control->envelope;
	for (;;) {
		zmq_msg_t part;
		zmq_msg_init(&part);
		if (zmq_msg_recv(&part, control->socket, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(&part);
			close_envelope(envelope);
			return false;
		}
		if (!zmq_msg_more(&part)) {
			*body = part;
			return true;
		}
		if (envelope->count == ENVELOPE_PARTS_MAX)
			zmq_msg_close(&part); /* too deep: the reply will find nobody */
		else
			envelope->parts[envelope->count++] = part;
	}
}

static bool serve_one(struct control *control)
{
	zmq_msg_t body;
	if (!receive(control, &body))
		return false;
	struct audit_actor actor;
	struct buffer reply = {0};
	bool kept = false;
	find_actor(&body, &actor);
	control_handle(control, &actor, zmq_msg_data(&body), zmq_msg_size(&body), &reply, &kept);
	if (kept)
		close_envelope(&control->envelope);
	else
		send_reply(control, &control->envelope, &reply);
	buffer_finish(&reply);
	zmq_msg_close(&body);
	return true;
}

/*
 * A ZeroMQ descriptor tells edges only, and any call on the socket may eat one.  So requests are
 * served until there are none.  `pending` has that done, behind the others, for the rest after a
 * full turn, and after a late answer.
 */
static void serve(struct control *control)
{
	int turn = 0;
	while (turn < REQUESTS_TURN && serve_one(control))
		turn++;
	loop_set_idle(control->pending, turn == REQUESTS_TURN);
}

static void on_io(void *arg, uint32_t events)
{
	serve(arg);
}

static void on_pending(void *arg)
{
	serve(arg);
}

static int open_socket(struct control *control, const char *endpoint)
{
	int linger = 500, hwm = 256;
	int64_t limit = CONTROL_BYTES_MAX;
	control->socket = zmq_socket(control->core->zmq, ZMQ_ROUTER);
	if (control->socket == NULL ||
		zmq_setsockopt(control->socket, ZMQ_LINGER, &linger, sizeof linger) < 0 ||
		zmq_setsockopt(control->socket, ZMQ_RCVHWM, &hwm, sizeof hwm) < 0 ||
		zmq_setsockopt(control->socket, ZMQ_MAXMSGSIZE, &limit, sizeof limit) < 0 ||
		zmq_bind(control->socket, endpoint) < 0)
		return -errno;
	return 0;
}

static int watch_socket(struct control *control)
{
	int fd;
	size_t size = sizeof fd;
	if (zmq_getsockopt(control->socket, ZMQ_FD, &fd, &size) < 0)
		return -errno;
	struct loop *loop = control->core->loop;
	int r = loop_add_fd(loop, &control->io, fd, EPOLLIN, on_io, control);
	return r < 0 ? r : loop_add_idle(loop, &control->pending, on_pending, control);
}

int control_open(struct control **out, struct core *core, const char *endpoint)
{
	struct control *control = calloc(1, sizeof *control);
	if (control == NULL)
		return -ENOMEM;
	control->core = core;
	int r = 0;
	if (endpoint != NULL)
		r = open_socket(control, endpoint);
	if (r >= 0 && endpoint != NULL)
		r = watch_socket(control);
	if (r < 0) {
		control_close(control);
		return r;
	}
	*out = control;
	return 0;
}

void control_close(struct control *control)
{
	if (control == NULL)
		return;
	loop_drop(control->io);
	loop_drop(control->pending);
	if (control->socket != NULL)
		zmq_close(control->socket);
	free(control);
}

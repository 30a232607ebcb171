/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "handle.h"
#include "record/text.h"
#include "record/topic.h"
#include "socket.h"

#define SOCKET_PATH_MAX 107
#define RUN_DIR         "/run/assayd"
#define HWM_DEFAULT     10000
#define CONNECTED_NS    (5 * NS_PER_S)

/* Sizes of the structures in the first version. */
#define OPTIONS_SIZE_1 (offsetof(struct assay_client_options, receive_hwm) + sizeof(int))
#define STATE_SIZE_1   sizeof(struct assay_client_state)

/* Of the last assay_client_open(), which has no client if it fails. */
static _Thread_local char open_error[sizeof((struct assay_client *)0)->error];

const char *assay_client_version(void)
{
	return ASSAY_VERSION;
}

int client_fail(struct assay_client *client, int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(client->error, sizeof client->error, format, args);
	va_end(args);
	text_make_printable(client->error);
	return code;
}

int client_refused(struct assay_client *client, const struct reply_view *message)
{
	int code = message->error == MESSAGE_NOT_AUTHORISED ? -EACCES
		   : message->error == MESSAGE_IN_USE       ? -EBUSY
							    : -EPROTO;
	return client_fail(client, code, "rejected: %.*s", (int)message->text.len,
		message->text.len > 0 ? message->text.data : "");
}

int client_result(struct assay_client *client, int error)
{
	const char *words = secure_error(error);
	return words == NULL ? error : client_fail(client, -EACCES, "%s", words);
}

const char *assay_client_error(const struct assay_client *client)
{
	return client != NULL ? client->error : open_error;
}

/* The caller may be compiled with an older or newer version of the options. */
static int take_options(struct assay_client_options *to, const struct assay_client_options *from)
{
	if (from->size < OPTIONS_SIZE_1) {
		snprintf(open_error, sizeof open_error,
			"size: found %zu, expected sizeof(struct assay_client_options)",
			from->size);
		return -EINVAL;
	}
	const uint8_t *bytes = (const uint8_t *)from;
	for (size_t i = sizeof *to; i < from->size; i++) {
		if (bytes[i] != 0) {
			snprintf(open_error, sizeof open_error,
				"an option that libassay %s does not know is set", ASSAY_VERSION);
			return -E2BIG;
		}
	}
	*to = (struct assay_client_options){0};
	memcpy(to, from, from->size < sizeof *to ? from->size : sizeof *to);
	return 0;
}

static int set_endpoint(struct assay_client *c, char *to, size_t size, const char *given,
	const char *dir, const char *name)
{
	int len = given != NULL ? snprintf(to, size, "%s", given)
				: snprintf(to, size, "ipc://%s/%s", dir, name);
	if (len < 0 || (size_t)len >= size)
		return client_fail(c, -EINVAL, "%s: found %d bytes, expected fewer than %zu",
			given != NULL ? name : "dir", len, size);
	if (strncmp(to, "ipc://", 6) == 0 && len - 6 > SOCKET_PATH_MAX)
		return client_fail(c, -EINVAL,
			"%s: the path of a socket has at most %d bytes, this one %d: %s",
			given != NULL ? name : "dir", SOCKET_PATH_MAX, len - 6, to + 6);
	return 0;
}

static int take_topics(struct assay_client *c, const struct assay_client_options *o)
{
	int r = prefixes_init(&c->prefixes, o->topics, o->topics_count, o->simulated);
	if (r == 0)
		return 0;
	const char *name = o->topics[c->prefixes.bad];
	if (name != NULL && strncmp(name, "a1/sim-", 7) == 0 && !o->simulated)
		return client_fail(
			c, r, "topics: '%s' is of simulated instruments: set `simulated`", name);
	return client_fail(c, r,
		"topics: found '%s', expected a prefix such as a1/data/xrf/, at most 64 of them",
		name != NULL ? name : "NULL");
}

static int take_names(struct assay_client *c, const struct assay_client_options *o)
{
	const char *dir = o->dir != NULL ? o->dir : RUN_DIR;
	int r = set_endpoint(c, c->live_endpoint, sizeof c->live_endpoint, o->live, dir, "live");
	if (r == 0)
		r = set_endpoint(
			c, c->replay_endpoint, sizeof c->replay_endpoint, o->replay, dir, "replay");
	if (r == 0)
		r = take_topics(c, o);
	if (r < 0)
		return r;
	if (o->receive_hwm < 0)
		return client_fail(
			c, -EINVAL, "receive_hwm: found %d, expected 0 or more", o->receive_hwm);
	if (o->start > ASSAY_START_SEQ)
		return client_fail(c, -EINVAL, "start: found %d, expected an assay_client_start",
			(int)o->start);
	if (o->cursor == NULL)
		return 0;
	if (o->cursors_count > 0)
		return client_fail(c, -EINVAL, "cursor and cursors: expected one of them");
	if (!token_is_valid(string_of(o->cursor)))
		return client_fail(c, -EINVAL,
			"cursor: found '%s', expected [a-z0-9-], 1 to 32 characters", o->cursor);
	snprintf(c->cursor, sizeof c->cursor, "%s", o->cursor);
	return 0;
}

static int take_marks(struct assay_client *c, const struct assay_client_options *o)
{
	for (size_t i = 0; i < o->cursors_count; i++) {
		if (memchr(o->cursors[i].topic, '\0', sizeof o->cursors[i].topic) == NULL)
			return client_fail(c, -EINVAL,
				"cursors: the topic of number %zu is not terminated", i);
		int r = delivery_put_mark(c->delivery, &o->cursors[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int take_keys(struct assay_client *c, const struct assay_client_options *o)
{
	char why[KEY_FILE_ERRORS];
	int r = secure_load(&c->keys, o->server_key, o->key, why);
	return r < 0 ? client_fail(c, r == -ENOMEM ? r : -EINVAL, "key, server_key: %s", why) : 0;
}

void client_disconnect(struct assay_client *c)
{
	socket_close(&c->live);
	socket_close(&c->replay);
	secure_watch_end(&c->live_watch);
	secure_watch_end(&c->replay_watch);
}

int client_connect(struct assay_client *c)
{
	client_disconnect(c);
	int r = socket_listen(&c->live, c->context, c->live_endpoint, &c->prefixes,
		socket_limit(c->receive_hwm, c->largest), &c->keys, &c->live_watch);
	return r < 0 ? r
		     : socket_request(&c->replay, c->context, c->replay_endpoint, &c->keys,
			       &c->replay_watch);
}

static int init(struct assay_client *c, const struct assay_client_options *o)
{
	int r = take_names(c, o);
	if (r == 0)
		r = take_keys(c, o);
	if (r < 0)
		return r;
	c->by_runs = o->runs;
	c->stop_at_head = o->stop_at_head;
	c->receive_hwm = o->receive_hwm > 0 ? o->receive_hwm : HWM_DEFAULT;
	c->has_cursor = c->cursor[0] == '\0';
	r = delivery_create(&c->delivery, &c->prefixes, o->start, o->start_at);
	if (r == 0)
		r = take_marks(c, o);
	if (r < 0)
		return r;
	c->context = zmq_ctx_new();
	if (c->context == NULL)
		return -errno;
	r = client_connect(c);
	if (r < 0)
		return client_fail(c, r, "cannot use %s or %s: %s", c->live_endpoint,
			c->replay_endpoint, zmq_strerror(-r));
	r = requester_create(&c->requester, c->context, c->replay_endpoint, &c->keys);
	c->beat_at = c->left_at = clock_boot();
	return r;
}

int assay_client_open(struct assay_client **client, const struct assay_client_options *options)
{
	struct assay_client_options o;
	open_error[0] = '\0';
	int r = take_options(&o, options);
	if (r < 0)
		return r;
	struct assay_client *c = calloc(1, sizeof *c);
	if (c == NULL)
		return -ENOMEM;
	r = init(c, &o);
	if (r < 0) {
		memcpy(open_error, c->error, sizeof open_error);
		assay_client_close(c);
		return r;
	}
	*client = c;
	return 0;
}

void assay_client_close(struct assay_client *c)
{
	if (c == NULL)
		return;
	parts_finish(&c->page);
	parts_finish(&c->live_message);
	parts_finish(&c->run_page);
	buffer_finish(&c->waiting);
	requester_destroy(c->requester);
	client_disconnect(c);
	explicit_bzero(&c->keys, sizeof c->keys);
	if (c->context != NULL)
		zmq_ctx_term(c->context);
	delivery_destroy(c->delivery);
	runs_finish(&c->runs);
	marks_finish(&c->given);
	marks_finish(&c->acked);
	free(c);
}

int assay_client_state(const struct assay_client *c, struct assay_client_state *state)
{
	if (state->size < STATE_SIZE_1)
		return -EINVAL;
	struct assay_client_state now = {.size = state->size,
		.is_live = delivery_is_live(c->delivery) && !c->is_paging && !c->has_note,
		.reconnects = c->reconnects,
		.refetched = delivery_refetched(c->delivery)};
	now.is_connected = c->received_at > 0 && clock_boot() - c->received_at < CONNECTED_NS;
	const uint8_t *journal = delivery_journal(c->delivery, &now.seq, &now.head);
	if (journal != NULL)
		memcpy(now.journal, journal, sizeof now.journal);
	memcpy(state, &now, sizeof now);
	return 0;
}

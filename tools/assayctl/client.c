/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <zmq.h>

#include "client.h"
#include "print.h"
#include "record/read.h"

void client_begin(struct request *request, const char *op)
{
	*request = (struct request){0};
	map_open(&request->map, &request->bytes);
	map_text(&request->map, "op", op);
}

static int exchange(void *socket, const struct options *options, const struct buffer *bytes,
	int seconds, struct buffer *reply)
{
	int linger = 0, ms = seconds * 1000;
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &ms, sizeof ms);
	zmq_setsockopt(socket, ZMQ_SNDTIMEO, &ms, sizeof ms);
	if (zmq_connect(socket, options->control) < 0 ||
		zmq_send(socket, bytes->data, bytes->len, 0) < 0)
		return -errno;
	zmq_msg_t msg;
	zmq_msg_init(&msg);
	int r = zmq_msg_recv(&msg, socket, 0) < 0 ? -errno : 0;
	if (r == 0)
		buffer_append(reply, zmq_msg_data(&msg), zmq_msg_size(&msg));
	zmq_msg_close(&msg);
	return r;
}

static int send_request(const struct options *options, const struct buffer *bytes, int seconds,
	struct buffer *reply)
{
	void *context = zmq_ctx_new();
	void *socket = context != NULL ? zmq_socket(context, ZMQ_REQ) : NULL;
	int r = socket != NULL ? exchange(socket, options, bytes, seconds, reply) : -ENOMEM;
	if (socket != NULL)
		zmq_close(socket);
	if (context != NULL)
		zmq_ctx_term(context);
	return r;
}

static int read_refusal(struct reader *r, struct assay_string *text)
{
	size_t pairs;
	struct assay_string key;
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "text"))
			read_text(r, text);
		else
			read_skip(r);
	}
	return r->error;
}

/* 0: ok; 1: refused, with the text; negative: not a reply. */
static int judge(const struct buffer *reply, struct assay_string *text)
{
	struct reader r;
	size_t pairs;
	struct assay_string key;
	bool ok = false;
	read_init(&r, reply->data, reply->len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (assay_string_is(key, "ok"))
			read_bool(&r, &ok);
		else if (assay_string_is(key, "error"))
			read_refusal(&r, text);
		else
			read_skip(&r);
	}
	if (read_finish(&r) < 0)
		return -EBADMSG;
	return ok ? 0 : 1;
}

int client_try(
	const struct options *options, struct request *request, int seconds, struct buffer *reply)
{
	struct assay_string text;
	map_close(&request->map);
	int r = send_request(options, &request->bytes, seconds, reply);
	buffer_finish(&request->bytes);
	return r < 0 ? r : judge(reply, &text) != 0;
}

int client_explain(const struct options *options, const struct buffer *reply)
{
	struct assay_string text = {"", 0};
	int r = judge(reply, &text);
	if (options->json)
		print_json(reply);
	else if (r > 0)
		fprintf(stderr, "assayctl: refused: %.*s\n", (int)text.len, text.data);
	else
		fprintf(stderr, "assayctl: what answers at %s is not assayd\n", options->control);
	return 1;
}

int client_ask(
	const struct options *options, struct request *request, int seconds, struct buffer *reply)
{
	int r = client_try(options, request, seconds, reply);
	if (r < 0)
		fprintf(stderr, "assayctl: no answer from %s: %s\n", options->control,
			r == -EAGAIN ? "is assayd running?" : zmq_strerror(-r));
	else if (r > 0)
		client_explain(options, reply);
	return r != 0;
}

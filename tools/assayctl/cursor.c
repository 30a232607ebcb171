/* SPDX-License-Identifier: Apache-2.0 */
/* cursor list | show | forget: how far the consumers are that the daemon keeps a place for. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "ask.h"
#include "client.h"
#include "print.h"
#include "record/uuid.h"

#define ASK_MS      5000
#define ASK_SECONDS 5

/* 0, or 1 after a message.  The caller finishes `reply`. */
static int ask(const struct options *options, struct buffer *request, struct parts *reply,
	struct message *message)
{
	struct ask *ask = NULL;
	void *context = zmq_ctx_new();
	int r = context != NULL ? ask_create(&ask, context, options->replay) : -ENOMEM;
	if (r == 0)
		r = ask_request(ask, request, ASK_MS, reply, message);
	ask_destroy(ask);
	if (context != NULL)
		zmq_ctx_term(context);
	buffer_finish(request);
	if (r < 0)
		fprintf(stderr, "assayctl: no answer from %s: %s\n", options->replay,
			r == -ETIMEDOUT ? "is assayd running?" : zmq_strerror(-r));
	else if (message->kind == MESSAGE_ERROR)
		fprintf(stderr, "assayctl: refused: %.*s\n", (int)message->text.len,
			message->text.len > 0 ? message->text.data : "");
	return r < 0 || message->kind == MESSAGE_ERROR;
}

static void print_reply(const struct parts *reply)
{
	struct assay_span first = parts_at(reply, 0);
	struct buffer bytes = {0};
	buffer_append(&bytes, first.data, first.len);
	print_json(&bytes);
	buffer_finish(&bytes);
}

static int print_mark(void *arg, const struct assay_client_cursor *mark)
{
	char journal[HEX_SIZE(ASSAY_UUID_SIZE)], topic[ASSAY_TOPIC_MAX + 1];
	hex_write(journal, mark->journal, ASSAY_UUID_SIZE);
	print_safe(topic, sizeof topic, (struct assay_string){mark->topic, strlen(mark->topic)});
	printf("%s  %10" PRIu64 "  %s\n", journal, mark->seq, topic);
	return 0;
}

int command_cursor_show(const struct options *options, const struct args *args)
{
	struct buffer request = {0};
	struct parts reply = {0};
	struct message message;
	message_cursor_get(&request, args->words[0]);
	int r = ask(options, &request, &reply, &message);
	if (r == 0 && options->json)
		print_reply(&reply);
	else if (r == 0 && message.kind == MESSAGE_CURSOR)
		message_marks(&message, print_mark, NULL);
	parts_finish(&reply);
	return r;
}

static int print_row(struct reader *r)
{
	struct assay_string key, name = {0};
	size_t pairs, marks = 0;
	bool is_damaged = false;
	char text[64];
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "name")) {
			read_text(r, &name);
		} else if (assay_string_is(key, "at")) {
			read_array(r, &marks);
			for (size_t i = 0; i < marks; i++)
				read_skip(r);
		} else if (assay_string_is(key, "damaged")) {
			read_bool(r, &is_damaged);
		} else {
			read_skip(r);
		}
	}
	if (r->error < 0)
		return r->error;
	print_safe(text, sizeof text, name);
	printf("%-32s %zu marks%s\n", text, marks,
		is_damaged ? ", DAMAGED: holds back everything until it is forgotten" : "");
	return 0;
}

int command_cursor_list(const struct options *options, const struct args *args)
{
	struct buffer request = {0};
	struct parts reply = {0};
	struct message message;
	struct reader reader;
	size_t rows = 0;
	message_cursors(&request);
	int r = ask(options, &request, &reply, &message);
	if (r == 0 && options->json) {
		print_reply(&reply);
	} else if (r == 0 && message.kind == MESSAGE_CURSORS) {
		read_init(&reader, message.at.data, message.at.len);
		reader.depth_max = READ_DEPTH_MAX;
		read_array(&reader, &rows);
		while (rows-- > 0 && print_row(&reader) == 0)
			;
	}
	parts_finish(&reply);
	return r;
}

int command_cursor_forget(const struct options *options, const struct args *args)
{
	struct request request;
	struct buffer reply = {0};
	client_begin(&request, "cursor-forget");
	map_text(&request.map, "name", args->words[0]);
	int r = client_ask(options, &request, ASK_SECONDS, &reply);
	if (r == 0 && options->json)
		print_json(&reply);
	else if (r == 0)
		printf("forgotten: what only %s had not read may be removed\n", args->words[0]);
	buffer_finish(&reply);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* cursor list, show, forget: the positions that the daemon keeps for consumers. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "client.h"
#include "print.h"
#include "record/uuid.h"

/* Sends the request, which it finishes, to the replay socket.  0, or 1 after a message. */
static int ask(const struct options *options, struct buffer *request, struct parts *reply,
	struct reply_view *message)
{
	struct requester *requester = NULL;
	if (client_reach(options->replay) != 0) {
		buffer_finish(request);
		return 1;
	}
	int r = requester_create(&requester, NULL, options->replay, &options->keys);
	if (r == 0)
		r = requester_message(requester, request, ASK_SECONDS * 1000, reply, message);
	requester_destroy(requester);
	buffer_finish(request);
	if (r < 0)
		return client_no_answer(options->replay, r);
	if (message->kind == MESSAGE_ERROR)
		print_rejected(message->text);
	else if (options->json)
		print_json(parts_at(reply, 0));
	return message->kind == MESSAGE_ERROR;
}

static int print_mark(void *arg, const struct assay_client_cursor *mark)
{
	char journal[HEX_SIZE(ASSAY_UUID_SIZE)], topic[ASSAY_TOPIC_MAX + 1];
	hex_write(journal, mark->journal, ASSAY_UUID_SIZE);
	print_safe(topic, sizeof topic, string_of(mark->topic));
	printf("%s  %10" PRIu64 "  %s\n", journal, mark->seq, topic);
	return 0;
}

int command_cursor_show(const struct options *options, const struct args *args)
{
	struct buffer request = {0};
	struct parts reply = {0};
	struct reply_view message;
	message_cursor_get(&request, args->words[0], false);
	int r = ask(options, &request, &reply, &message);
	if (r == 0 && !options->json && message.kind == MESSAGE_CURSOR)
		message_marks(&message, print_mark, NULL);
	parts_finish(&reply);
	return r;
}

struct cursor_row {
	char name[64];
	struct assay_span at;
	bool damaged;
};

static const struct keys row_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct cursor_row, name),
		ROW_RAW(struct cursor_row, at), ROW_BOOL(struct cursor_row, damaged), {0}},
	.open = true};

int command_cursor_list(const struct options *options, const struct args *args)
{
	struct buffer request = {0};
	struct parts reply = {0};
	struct reply_view message;
	message_cursors(&request);
	int r = ask(options, &request, &reply, &message);
	if (r == 0 && !options->json) {
		struct reader reader, marks;
		size_t left = print_open_list(parts_at(&reply, 0), "cursors", &reader), count = 0;
		for (struct cursor_row row = {0}; left > 0; left--, row = (struct cursor_row){0}) {
			if (keys_read(&reader, &row_keys, &row, NULL) < 0)
				break;
			read_init(&marks, row.at.data, row.at.len);
			read_array(&marks, &count);
			printf("%-32s %zu marks%s\n", row.name, count,
				row.damaged ? ", DAMAGED: keeps all entries until it is deleted"
					    : "");
		}
	}
	parts_finish(&reply);
	return r;
}

int command_cursor_forget(const struct options *options, const struct args *args)
{
	struct control_request request;
	char done[200];
	control_request_init(&request, "cursor-forget");
	map_text(&request.map, "name", args->words[0]);
	snprintf(done, sizeof done, "deleted: entries that only %s had not read may be removed",
		args->words[0]);
	return client_ask_and_print(options, &request, done);
}

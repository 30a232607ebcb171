/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"
#include "record/keys.h"

struct outcome {
	bool ok;
	struct control_error error;
};

static const struct keys error_keys = {
	.rows = (const struct key[]){{"code", KEY_TEXT, KEY_AT(struct control_error, code)},
		{"text", KEY_TEXT, KEY_AT(struct control_error, text)}, {0}},
	.open = true};

static const struct keys outcome_keys = {
	.rows = (const struct key[]){{"ok", KEY_BOOL, KEY_AT(struct outcome, ok), .required = true},
		{"error", KEY_MAP, KEY_AT(struct outcome, error), .keys = &error_keys}, {0}},
	.open = true};

void control_request_init(struct control_request *request, const char *op)
{
	*request = (struct control_request){0};
	map_open(&request->map, &request->bytes);
	map_text(&request->map, "op", op);
}

void control_request_finish(struct control_request *request)
{
	buffer_finish(&request->bytes);
}

int control_send(struct requester *requester, struct control_request *request, int timeout_ms,
	struct control_reply *reply)
{
	struct outcome outcome = {0};
	*reply = (struct control_reply){0};
	map_close(&request->map);
	int r = requester_exchange(requester, &request->bytes, timeout_ms, &reply->parts);
	control_request_finish(request);
	if (r < 0)
		return r;
	reply->body = parts_at(&reply->parts, reply->parts.count - 1);
	r = keys_decode(&outcome_keys, reply->body.data, reply->body.len, &outcome);
	reply->error = outcome.error;
	return r < 0 ? r : !outcome.ok;
}

void control_reply_finish(struct control_reply *reply)
{
	parts_finish(&reply->parts);
}

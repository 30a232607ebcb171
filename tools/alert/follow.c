/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOG_TOPIC "alert"
#include "base/log.h"
#include "control.h"
#include "follow.h"
#include "record/keys.h"
#include "record/text.h"
#include "record/uuid.h"

#define ITEMS_MAX 1000 /* of one step, so that other work goes on */
#define SEARCH    200  /* newest runs of an instrument, for the number */
#define ANSWER_MS 3000

struct row {
	const uint8_t *run;
	char number[128], sample[210];
};

static const struct keys row_keys = {
	.rows = (const struct key[]){{"run", KEY_FIXED, KEY_AT(struct row, run), .required = true,
					     .limit = ASSAY_UUID_SIZE},
		{"number", KEY_CHARS, KEY_AT(struct row, number)},
		{"sample", KEY_CHARS, KEY_AT(struct row, sample), .lenient = true}, {0}},
	.open = true};

int follow_start(
	struct follow *follow, const struct alert_options *options, struct requester *control)
{
	const struct assay_client_options how = {
		.size = sizeof how,
		.dir = options->sockets,
		.topics = (const char *const[]){"a1/data/"},
		.topics_count = 1,
		.simulated = options->simulated,
		.start = ASSAY_START_NOW,
		.cursors = follow->marks.items,
		.cursors_count = follow->marks.count,
	};
	follow->control = control;
	int r = assay_client_open(&follow->client, &how);
	if (r < 0)
		log_error("%s: %s", options->sockets, assay_client_error(NULL));
	return r < 0 ? 1 : 0;
}

void follow_finish(struct follow *follow)
{
	assay_client_close(follow->client);
	marks_finish(&follow->marks);
	follow->client = NULL;
}

/* The row of this run among the newest of the instrument; false: it cannot be had now. */
static bool find_run(
	struct requester *control, const struct assay_record_view *end, struct row *row)
{
	struct control_request request;
	struct control_reply reply;
	struct reader r;
	char key[40];
	size_t left = 0;
	bool found = false;
	text_copy(key, sizeof key, end->inst.key);
	control_request_init(&request, "runs");
	map_text(&request.map, "instrument", key);
	map_uint(&request.map, "limit", SEARCH);
	if (control_send(control, &request, ANSWER_MS, &reply) == 0) {
		struct assay_span list = keys_value(reply.body, string_of("runs"));
		read_init(&r, list.data, list.len);
		if (read_array(&r, &left) < 0)
			left = 0;
		for (; left > 0 && !found; left--) {
			*row = (struct row){0};
			if (keys_read(&r, &row_keys, row, NULL) < 0)
				break;
			found = memcmp(row->run, end->run, ASSAY_UUID_SIZE) == 0;
		}
	}
	control_reply_finish(&reply);
	return found;
}

static bool is_lost(struct assay_string status)
{
	return assay_string_is(status, "lost-device") || assay_string_is(status, "interrupted") ||
	       assay_string_is(status, "failed");
}

static void put_lost(struct follow *follow, const struct assay_record_view *end, uint64_t tc,
	struct outbox *outbox)
{
	struct row row;
	char id[HEX_SIZE(ASSAY_UUID_SIZE)], status[20], why[160];
	struct note note = {.event = NOTE_LOST, .utc = tc, .about = "run"};
	bool known = find_run(follow->control, end, &row);
	text_copy(note.subject, sizeof note.subject, end->inst.key);
	text_copy(status, sizeof status, end->status);
	text_copy(why, sizeof why, end->why);
	snprintf(note.text, sizeof note.text, "run %.100s ended %s%s%s%s%.60s",
		known ? row.number : hex_write(id, end->run, ASSAY_UUID_SIZE), status,
		why[0] != '\0' ? ": " : "", why, known && row.sample[0] != '\0' ? "; sample " : "",
		known ? row.sample : "");
	snprintf(note.remedy, sizeof note.remedy,
		"its frames are kept: assayctl run show; repeat the run: assayctl run repeat");
	outbox_put(outbox, &note);
}

static void put_gap(const struct assay_client_item *item, struct outbox *outbox)
{
	struct note note = {.event = NOTE_LOST, .about = "records"};
	snprintf(note.text, sizeof note.text,
		"entries %" PRIu64 " to %" PRIu64 " on %.160s %s; a lost run among them is not "
		"reported",
		item->first, item->cursor.seq, item->cursor.topic,
		item->why == ASSAY_GAP_PRUNED ? "were removed before they were read"
					      : "are damaged or missing");
	if (item->why != ASSAY_GAP_PRUNED)
		snprintf(note.remedy, sizeof note.remedy, "assayctl journal check");
	outbox_put(outbox, &note);
}

static void take(struct follow *follow, const struct assay_client_item *item, struct outbox *outbox)
{
	struct assay_record_view record;
	struct assay_span body = item->entry.body;
	if (item->kind == ASSAY_ITEM_GAP)
		put_gap(item, outbox);
	else if (item->kind == ASSAY_ITEM_ENTRY &&
		 assay_record_read(body.data, body.len, &record) == 0 &&
		 record.type == ASSAY_RECORD_RUN_END && record.run != NULL &&
		 is_lost(record.status))
		put_lost(follow, &record, item->entry.tc, outbox);
}

int follow_step(struct follow *follow, int timeout_ms, struct outbox *outbox)
{
	for (int i = 0; i < ITEMS_MAX && outbox_has_room(outbox); i++) {
		const struct assay_client_item *item;
		int r = assay_client_next(follow->client, i == 0 ? timeout_ms : 0, &item);
		if (r <= 0)
			return r == -EINTR ? 0 : r;
		take(follow, item, outbox);
		if (marks_put(&follow->marks, &item->cursor) < 0)
			return -ENOMEM;
		follow->has_read = true;
	}
	return 0;
}

bool follow_is_connected(const struct follow *follow)
{
	struct assay_client_state state = {.size = sizeof state};
	return assay_client_state(follow->client, &state) == 0 && state.is_connected;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* run start, stop, abort, repeat, amend, list, show */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "client.h"
#include "print.h"

#define START_SECONDS 180 /* a filament settles, a detector cools: the start is answered then */

/* --- the reply ------------------------------------------------------------------------------- */

/* Corrections; "" for a value that was not corrected. */
struct amended {
	char sample[260], person[260], note[260], valid[4], reason[260], actor[260];
	uint64_t when, count; /* the last of so many */
};

struct run_row {
	char run[40], number[128], instrument[40], sample[260], person[260], status[32];
	char sim[4], journal[40], topic[ASSAY_TOPIC_MAX + 1];
	uint64_t start, first, last, frames;
	struct amended amended;
};

/* A corrected text; an empty one is shown as "none". */
static int read_corrected(struct reader *r, const struct key *key, void *to)
{
	char *text = to;
	int error = print_read_value(r, key, to);
	if (text[0] == '\0')
		snprintf(text, key->size, "none");
	return error;
}

static const struct keys amended_keys = {
	.rows = (const struct key[]){{"sample", KEY_OTHER, KEY_AT(struct amended, sample),
					     .read = read_corrected},
		{"operator", KEY_OTHER, KEY_AT(struct amended, person), .read = read_corrected},
		{"note", KEY_OTHER, KEY_AT(struct amended, note), .read = read_corrected},
		ROW_TEXT(struct amended, valid), ROW_TEXT(struct amended, reason),
		ROW_TEXT(struct amended, actor), ROW_UINT(struct amended, when),
		ROW_UINT(struct amended, count), {0}},
	.open = true};

static const struct keys row_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct run_row, run),
		ROW_TEXT(struct run_row, number), ROW_TEXT(struct run_row, instrument),
		ROW_TEXT(struct run_row, sample),
		{"operator", KEY_OTHER, KEY_AT(struct run_row, person), .read = print_read_value},
		ROW_TEXT(struct run_row, status), ROW_TEXT(struct run_row, sim),
		ROW_TEXT(struct run_row, journal), ROW_TEXT(struct run_row, topic),
		ROW_UINT(struct run_row, start), ROW_UINT(struct run_row, first),
		ROW_UINT(struct run_row, last), ROW_UINT(struct run_row, frames),
		ROW_MAP(struct run_row, amended, amended_keys), {0}},
	.open = true};

/* --- printing -------------------------------------------------------------------------------- */

/* "NEW (was OLD)" if it was corrected. */
static const char *corrected(char to[540], const char *old, const char *corrected_to)
{
	bool is_corrected = corrected_to[0] != '\0';
	snprintf(to, 540, is_corrected ? "%s (was %s)" : "%s%s", corrected_to, old);
	return to;
}

static void print_row(const struct run_row *row)
{
	char start[PRINT_TIME_SIZE], sample[540], person[540];
	print_time(start, row->start);
	printf("%-36s %s %-12s %8" PRIu64 " frames  sample %s, operator %s%s%s\n", row->number,
		start, row->status[0] != '\0' ? row->status : "open", row->frames,
		corrected(sample, row->sample, row->amended.sample),
		corrected(person, row->person, row->amended.person),
		strcmp(row->amended.valid, "no") == 0 ? "  NOT VALID" : "",
		strcmp(row->sim, "yes") == 0 ? "  SIMULATED" : "");
}

static void print_text(const char *name, const char *text)
{
	if (text[0] != '\0')
		printf("%-12s %s\n", name, text);
}

static void print_run(const struct run_row *row)
{
	const struct amended *now = &row->amended;
	char text[540];
	print_text("run", row->run);
	print_text("number", row->number);
	print_text("instrument", row->instrument);
	print_text("sample", corrected(text, row->sample, now->sample));
	print_text("operator", corrected(text, row->person, now->person));
	print_time(text, row->start);
	print_text("start", text);
	print_text("status", row->status);
	print_text("sim", row->sim);
	print_text("journal", row->journal);
	print_text("topic", row->topic);
	printf("%-12s %" PRIu64 "\n", "first", row->first);
	if (row->last != 0)
		printf("%-12s %" PRIu64 "\n", "last", row->last);
	printf("%-12s %" PRIu64 "\n", "frames", row->frames);
	if (now->count == 0)
		return;
	print_text("note", now->note);
	print_text("valid", now->valid);
	print_time(text, now->when);
	printf("%-12s %" PRIu64 " time%s, last %s by %s: %s\n", "amended", now->count,
		now->count == 1 ? "" : "s", text, now->actor, now->reason);
}

/* --- requests -------------------------------------------------------------------------------- */

/* A request whose reply has one run.  0, or 1 after a message. */
static int ask_run(
	const struct options *options, struct control_request *request, struct run_row *row)
{
	struct control_reply reply;
	int r = client_ask(options, request, ASK_SECONDS, &reply);
	*row = (struct run_row){0};
	if (r == 0 && options->json)
		print_json(reply.body);
	struct assay_span run = r == 0 ? keys_value(reply.body, string_of("run")) : reply.body;
	if (r == 0 && keys_decode(&row_keys, run.data, run.len, row) < 0)
		r = client_explain(options, -EBADMSG, &reply);
	control_reply_finish(&reply);
	return r;
}

static int show_run(const struct options *options, struct control_request *request)
{
	struct run_row row;
	int r = ask_run(options, request, &row);
	if (r == 0 && !options->json)
		print_run(&row);
	return r;
}

static int wait_for_end(const struct options *options, const char *number)
{
	struct options quiet = *options;
	quiet.json = false;
	for (;;) {
		struct control_request request;
		struct run_row row;
		control_request_init(&request, "run-show");
		map_text(&request.map, "number", number);
		if (ask_run(&quiet, &request, &row) != 0)
			return 1;
		if (row.status[0] != '\0') {
			printf("%s %s after %" PRIu64 " frames\n", number, row.status, row.frames);
			return strcmp(row.status, "complete") == 0 ? 0 : 1;
		}
		nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	}
}

/* Sends the request for a run, and waits for its end if that is wanted. */
static int start(const struct options *options, struct control_request *request, bool wait)
{
	struct control_reply reply;
	struct run_row started = {0};
	int r = client_ask(options, request, START_SECONDS, &reply);
	if (r == 0 && keys_decode(&row_keys, reply.body.data, reply.body.len, &started) < 0)
		r = client_explain(options, -EBADMSG, &reply);
	if (r == 0 && options->json)
		print_json(reply.body);
	else if (r == 0)
		printf("started %s\n", started.number);
	control_reply_finish(&reply);
	return r == 0 && wait ? wait_for_end(options, started.number) : r;
}

int command_run_start(const struct options *options, const struct args *args)
{
	static const char *const names[] = {"sample", "operator", "method", "note", "entered"};
	struct control_request request;
	control_request_init(&request, "run-start");
	map_text(&request.map, "instrument", args->words[0]);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		map_text(&request.map, names[i], args_text(args, names[i]));
	return start(options, &request, args_has(args, "wait"));
}

int command_run_repeat(const struct options *options, const struct args *args)
{
	struct control_request request;
	control_request_init(&request, "run-repeat");
	map_text(&request.map, "run", args->words[0]);
	return start(options, &request, args_has(args, "wait"));
}

int command_run_amend(const struct options *options, const struct args *args)
{
	static const char *const names[] = {"sample", "operator", "note"};
	struct control_request request;
	struct map set;
	control_request_init(&request, "amend");
	map_text(&request.map, "run", args->words[0]);
	map_text(&request.map, "reason", args_text(args, "reason"));
	map_key(&request.map, "set");
	map_open(&set, &request.bytes);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		map_text(&set, names[i], args_text(args, names[i]));
	if (args_has(args, "valid"))
		map_bool(&set, "valid", strcmp(args_text(args, "valid"), "yes") == 0);
	map_close(&set);
	return show_run(options, &request);
}

int command_run_show(const struct options *options, const struct args *args)
{
	struct control_request request;
	control_request_init(&request, "run-show");
	map_text(&request.map, "number", args->words[0]);
	return show_run(options, &request);
}

int command_run_stop(const struct options *options, const struct args *args)
{
	struct control_request request;
	control_request_init(&request, "run-stop");
	map_text(&request.map, "instrument", args->words[0]);
	return client_ask_and_print(options, &request, "stopping after the present frame");
}

int command_run_abort(const struct options *options, const struct args *args)
{
	struct control_request request;
	control_request_init(&request, "run-abort");
	map_text(&request.map, "instrument", args->words[0]);
	return client_ask_and_print(options, &request, "aborted");
}

int command_run_list(const struct options *options, const struct args *args)
{
	struct control_request request;
	struct control_reply reply;
	control_request_init(&request, "runs");
	map_text(&request.map, "instrument", args_text(args, "instrument"));
	map_text(&request.map, "sample", args_text(args, "sample"));
	if (args_has(args, "limit"))
		map_uint(&request.map, "limit", args_number(args, "limit"));
	int r = client_ask(options, &request, ASK_SECONDS, &reply);
	if (r == 0 && options->json) {
		print_json(reply.body);
	} else if (r == 0) {
		struct reader reader;
		size_t left = print_open_list(reply.body, "runs", &reader);
		for (struct run_row row = {0}; left > 0; left--, row = (struct run_row){0}) {
			if (keys_read(&reader, &row_keys, &row, NULL) < 0)
				break;
			print_row(&row);
		}
	}
	control_reply_finish(&reply);
	return r;
}

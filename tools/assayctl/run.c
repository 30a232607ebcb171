/* SPDX-License-Identifier: Apache-2.0 */
/* run start, stop, abort, repeat, amend, list, show */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
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
	char sim[4], journal[40], topic[ASSAY_TOPIC_MAX + 1], quality[12];
	uint64_t start, first, last, frames;
	struct assay_span run_start, run_end; /* records, borrowed from the reply */
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
		ROW_TEXT(struct run_row, quality), ROW_RAW(struct run_row, run_start),
		ROW_RAW(struct run_row, run_end), ROW_MAP(struct run_row, amended, amended_keys),
		{0}},
	.open = true};

/* --- printing -------------------------------------------------------------------------------- */

/* "NEW (was OLD)" if it was corrected. */
static const char *corrected(char to[540], const char *old, const char *corrected_to)
{
	bool is_corrected = corrected_to[0] != '\0';
	snprintf(to, 540, is_corrected ? "%s (was %s)" : "%s%s", corrected_to, old);
	return to;
}

static const char *or_dash(const char *text)
{
	return text[0] == '\0' || strcmp(text, "none") == 0 ? "-" : text;
}

/* 80 wide with a sample id of 15 characters; the day of the start is in the number. */
static void print_columns(void)
{
	printf("%-26s %-8s %-11s %6s %-9s %s\n", "number", "start", "status", "frames", "quality",
		"sample");
}

static void print_row(const struct run_row *row)
{
	char start[PRINT_CLOCK_SIZE], sample[540];
	const char *day = strrchr(row->number, '/');
	bool is_bad = strcmp(row->amended.valid, "no") == 0;
	print_clock(start, row->start, day != NULL ? day + 1 : "");
	printf("%-26s %-8s %-11s %6" PRIu64 " %-9s %s%s%s\n", row->number, start,
		row->status[0] != '\0' ? row->status : "open", row->frames, or_dash(row->quality),
		corrected(sample, or_dash(row->sample), row->amended.sample),
		is_bad ? "  NOT VALID" : "", strcmp(row->sim, "yes") == 0 ? "  SIMULATED" : "");
}

static void print_text(const char *name, const char *text)
{
	if (text[0] != '\0')
		printf("%-12s %s\n", name, text);
}

/* A text of a record's map. */
static const char *text_in(char to[260], struct assay_span map, const char *key)
{
	struct reader r;
	struct assay_string text;
	struct assay_span value = keys_value(map, string_of(key));
	to[0] = '\0';
	read_init(&r, value.data, value.len);
	if (value.len > 0 && read_text(&r, &text) == 0)
		print_safe(to, 260, text);
	return to;
}

/* One line per setting: "channels     2048". */
static void print_settings(struct assay_span map)
{
	struct reader r;
	struct assay_string name;
	struct assay_span value;
	size_t pairs = 0;
	read_init(&r, map.data, map.len);
	if (map.len > 0)
		read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &name) == 0 && read_raw(&r, &value) == 0; pairs--) {
		char key[40];
		print_safe(key, sizeof key, name);
		printf("  %-26s ", key);
		print_setting(stdout, value);
		putchar('\n');
	}
}

/* "CAL-2026-04, until 2027-04-01 00:00:00Z" */
static void print_calibrations(struct assay_span list)
{
	struct reader r;
	struct assay_span map;
	size_t count = 0;
	read_init(&r, list.data, list.len);
	if (list.len > 0)
		read_array(&r, &count);
	for (; count > 0 && read_raw(&r, &map) == 0; count--) {
		struct reader time;
		char id[260], until[PRINT_BOTH_SIZE] = "";
		uint64_t to;
		struct assay_span end = keys_value(map, string_of("to"));
		read_init(&time, end.data, end.len);
		if (end.len > 0 && read_uint(&time, &to) == 0)
			print_both(until, to);
		printf("%-12s %s%s%s\n", "calibration", text_in(id, map, "id"),
			until[0] != '\0' ? ", until " : "", until);
	}
}

/* "good: 19, suspect: 1", after `before`: a map of counts in the run-end's quality. */
static void print_counts(struct assay_span quality, const char *key, const char *before)
{
	struct reader r;
	struct assay_string word;
	uint64_t count;
	size_t pairs = 0;
	struct assay_span part = keys_value(quality, string_of(key));
	read_init(&r, part.data, part.len);
	if (part.len > 0)
		read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &word) == 0 && read_uint(&r, &count) == 0; pairs--) {
		char name[40];
		print_safe(name, sizeof name, word);
		printf("%s%s: %" PRIu64, before, name, count);
		before = ", ";
	}
}

/* "suspect (good: 19, suspect: 1; cal-expired: 1)"; frames are counted when the run has ended. */
static void print_quality(const struct run_row *row)
{
	struct assay_span quality = keys_value(row->run_end, string_of("quality"));
	if (row->quality[0] == '\0')
		return;
	printf("%-12s %s", "quality", row->quality);
	print_counts(quality, "flags", " (");
	print_counts(quality, "why", "; ");
	puts(quality.len > 0 ? ")" : "");
}

static void print_end(const struct run_row *row)
{
	struct assay_record_view end;
	char text[260];
	if (row->run_end.len == 0 ||
		assay_record_read(row->run_end.data, row->run_end.len, &end) < 0)
		return;
	print_both(text, end.t.utc);
	print_text("end", text);
	print_safe(text, sizeof text, end.why);
	print_text("why", text);
	print_text("ended by", text_in(text, keys_value(row->run_end, string_of("actor")), "id"));
}

static void print_start(const struct run_row *row)
{
	struct assay_span method = keys_value(row->run_start, string_of("method"));
	char note[260], text[540], id[260], version[260];
	text_in(note, row->run_start, "x-note");
	print_text("note", corrected(text, note, row->amended.note));
	text_in(id, method, "id");
	text_in(version, method, "version");
	if (id[0] != '\0')
		printf("%-12s %s%s%s\n", "method", id, version[0] != '\0' ? ", version " : "",
			version);
	print_calibrations(keys_value(row->run_start, string_of("cal")));
}

static void print_run(const struct run_row *row)
{
	const struct amended *now = &row->amended;
	char text[540];
	print_text("number", row->number);
	print_text("instrument", row->instrument);
	print_text("sim", row->sim);
	print_text("sample", corrected(text, or_dash(row->sample), now->sample));
	print_text("operator", corrected(text, or_dash(row->person), now->person));
	print_start(row);
	print_both(text, row->start);
	print_text("start", text);
	print_end(row);
	print_text("status", row->status[0] != '\0' ? row->status : "open");
	printf("%-12s %" PRIu64 "\n", "frames", row->frames);
	print_quality(row);
	print_text("valid", now->valid);
	if (now->count > 0) {
		print_both(text, now->when);
		printf("%-12s %" PRIu64 " time%s, last %s by %s: %s\n", "amended", now->count,
			now->count == 1 ? "" : "s", text, now->actor, now->reason);
	}
	print_text("run", row->run);
	print_text("journal", row->journal);
	print_text("topic", row->topic);
	printf("%-12s %" PRIu64 "\n", "first", row->first);
	if (row->last != 0)
		printf("%-12s %" PRIu64 "\n", "last", row->last);
	struct assay_span settings = keys_value(row->run_start, string_of("settings"));
	struct assay_span setup = keys_value(row->run_start, string_of("setup"));
	if (settings.len > 0)
		puts("settings");
	print_settings(settings);
	if (setup.len > 0)
		puts("setup");
	print_settings(setup);
}

/* --- requests -------------------------------------------------------------------------------- */

/* A request whose reply has one run.  0, or 1 after a message; finish the reply in any case. */
static int ask_run(const struct options *options, struct control_request *request,
	struct control_reply *reply, struct run_row *row)
{
	int r = client_ask(options, request, ASK_SECONDS, reply);
	*row = (struct run_row){0};
	if (r == 0 && options->json)
		print_json(reply->body);
	struct assay_span run = r == 0 ? keys_value(reply->body, string_of("run")) : reply->body;
	if (r == 0 && keys_decode(&row_keys, run.data, run.len, row) < 0)
		r = client_explain(options, -EBADMSG, reply);
	return r;
}

static int show_run(const struct options *options, struct control_request *request)
{
	struct control_reply reply;
	struct run_row row;
	int r = ask_run(options, request, &reply, &row);
	if (r == 0 && !options->json)
		print_run(&row);
	control_reply_finish(&reply);
	return r;
}

/* SIGINT and SIGTERM, held back so that they interrupt no request, end the waiting only. */
static void hold_signals(sigset_t *held)
{
	sigemptyset(held);
	sigaddset(held, SIGINT);
	sigaddset(held, SIGTERM);
	sigprocmask(SIG_BLOCK, held, NULL);
}

static int wait_for_end(const struct options *options, const char *number, const sigset_t *held)
{
	struct options quiet = *options;
	quiet.json = false;
	for (;;) {
		struct control_request request;
		struct control_reply reply;
		struct run_row row;
		control_request_init(&request, "run-show");
		map_text(&request.map, "number", number);
		int r = ask_run(&quiet, &request, &reply, &row);
		control_reply_finish(&reply);
		if (r != 0)
			return 1;
		if (row.status[0] != '\0') {
			printf("%s %s after %" PRIu64 " frames\n", number, row.status, row.frames);
			return strcmp(row.status, "complete") == 0 ? 0 : 1;
		}
		if (sigtimedwait(held, NULL, &(struct timespec){.tv_nsec = 200000000}) > 0) {
			fprintf(stderr, "assayctl: %s goes on: assayctl run show %s, run stop %s\n",
				number, number, row.instrument);
			return 1;
		}
	}
}

/* Sends the request for a run, and waits for its end if that is wanted. */
static int start(const struct options *options, struct control_request *request, bool wait)
{
	struct control_reply reply;
	struct run_row started = {0};
	sigset_t held;
	int r = client_ask(options, request, START_SECONDS, &reply);
	if (wait)
		hold_signals(&held);
	if (r == 0 && keys_decode(&row_keys, reply.body.data, reply.body.len, &started) < 0)
		r = client_explain(options, -EBADMSG, &reply);
	if (r == 0 && options->json)
		print_json(reply.body);
	else if (r == 0)
		printf("started %s\n", started.number);
	fflush(stdout);
	control_reply_finish(&reply);
	return r == 0 && wait ? wait_for_end(options, started.number, &held) : r;
}

/* {rel, run} of the run with that number.  0, or 1 after a message. */
static int put_reference(const struct options *options, struct control_request *request,
	const char *rel, const char *number)
{
	struct options quiet = *options;
	struct control_request show;
	struct control_reply reply;
	struct run_row row;
	quiet.json = false;
	control_request_init(&show, "run-show");
	map_text(&show.map, "number", number);
	int r = ask_run(&quiet, &show, &reply, &row);
	if (r == 0) {
		struct assay_span run = keys_value(reply.body, string_of("run"));
		struct assay_span id = keys_value(run, string_of("run"));
		struct map map;
		map_open(&map, &request->bytes);
		map_text(&map, "rel", rel);
		map_key(&map, "run");
		encode_raw(&request->bytes, id.data, id.len);
		map_close(&map);
	} else
		fprintf(stderr, "assayctl: --%s %s\n", rel, number);
	control_reply_finish(&reply);
	return r;
}

static int put_references(
	const struct options *options, const struct args *args, struct control_request *request)
{
	static const char *const rels[] = {"background", "dark", "blank"};
	size_t count = 0;
	int r = 0;
	for (size_t i = 0; i < sizeof rels / sizeof *rels; i++)
		count += args_has(args, rels[i]);
	if (count == 0)
		return 0;
	map_key(&request->map, "refs");
	encode_array(&request->bytes, count);
	for (size_t i = 0; i < sizeof rels / sizeof *rels && r == 0; i++)
		if (args_has(args, rels[i]))
			r = put_reference(options, request, rels[i], args_text(args, rels[i]));
	return r;
}

int command_run_start(const struct options *options, const struct args *args)
{
	static const char *const names[] = {"sample", "operator", "method", "note", "entered"};
	struct control_request request;
	control_request_init(&request, "run-start");
	map_text(&request.map, "instrument", args->words[0]);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		map_text(&request.map, names[i], args_text(args, names[i]));
	if (put_references(options, args, &request) != 0) {
		control_request_finish(&request);
		return 1;
	}
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
	map_bool(&request.map, "records", true);
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
		if (left > 0)
			print_columns();
		for (struct run_row row = {0}; left > 0; left--, row = (struct run_row){0}) {
			if (keys_read(&reader, &row_keys, &row, NULL) < 0)
				break;
			print_row(&row);
		}
	}
	control_reply_finish(&reply);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* run start | stop | abort | repeat | amend | list | show */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "client.h"
#include "print.h"

#define ASK_SECONDS   5
#define START_SECONDS 180 /* a filament settles, a detector cools: the start is answered then */

/* "NEW (was OLD)" where it was amended. */
static void print_amended(const struct pairs *f, const char *what, const char *before)
{
	char key[40];
	snprintf(key, sizeof key, "%samended.%s", before, what);
	const char *now = pairs_get(f, key);
	bool amended = pairs_has(f, key);
	snprintf(key, sizeof key, "%s%s", before, what);
	if (amended)
		printf("%s (was %s)", now[0] != '\0' ? now : "none", pairs_get(f, key));
	else
		fputs(pairs_get(f, key), stdout);
}

static bool is_invalid(const struct pairs *f, const char *before)
{
	char key[40];
	snprintf(key, sizeof key, "%samended.valid", before);
	return strcmp(pairs_get(f, key), "no") == 0;
}

static void print_row(const struct pairs *f)
{
	char start[PRINT_TIME_SIZE];
	print_time(start, pairs_number(f, "start"));
	const char *status = pairs_get(f, "status");
	printf("%-36s %s %-12s %8s frames  sample ", pairs_get(f, "number"), start,
		status[0] != '\0' ? status : "open", pairs_get(f, "frames"));
	print_amended(f, "sample", "");
	fputs(", operator ", stdout);
	print_amended(f, "operator", "");
	printf("%s%s\n", is_invalid(f, "") ? "  NOT VALID" : "",
		strcmp(pairs_get(f, "sim"), "yes") == 0 ? "  SIMULATED" : "");
}

/* One run; what was amended stands beside what was said first. */
static void print_run(const struct pairs *f)
{
	char when[PRINT_TIME_SIZE];
	for (size_t i = 0; i < f->count; i++) {
		const char *key = f->items[i].key;
		if (strncmp(key, "run.", 4) != 0 || strncmp(key, "run.amended.", 12) == 0)
			continue;
		printf("%-12s ", key + 4);
		if (strcmp(key, "run.start") == 0) {
			print_time(when, pairs_number(f, key));
			fputs(when, stdout);
		} else {
			print_amended(f, key + 4, "run.");
		}
		putchar('\n');
	}
	if (!pairs_has(f, "run.amended.count"))
		return;
	if (pairs_has(f, "run.amended.note"))
		printf("%-12s %s\n", "note", pairs_get(f, "run.amended.note"));
	if (pairs_has(f, "run.amended.valid"))
		printf("%-12s %s\n", "valid", pairs_get(f, "run.amended.valid"));
	print_time(when, pairs_number(f, "run.amended.when"));
	printf("%-12s %s time%s, last %s by %s: %s\n", "amended", pairs_get(f, "run.amended.count"),
		strcmp(pairs_get(f, "run.amended.count"), "1") == 0 ? "" : "s", when,
		pairs_get(f, "run.amended.actor"), pairs_get(f, "run.amended.reason"));
}

static int ask(
	const struct options *options, struct request *request, int seconds, struct buffer *reply)
{
	int r = client_ask(options, request, seconds, reply);
	if (r == 0 && options->json)
		print_json(reply);
	return r;
}

/* Prints the run of the reply. */
static int ask_and_print(const struct options *options, struct request *request)
{
	static struct pairs f;
	struct buffer reply = {0};
	int r = ask(options, request, ASK_SECONDS, &reply);
	if (r == 0 && !options->json && reply_pairs(&reply, &f) == 0)
		print_run(&f);
	buffer_finish(&reply);
	return r;
}

/* The row of one run; 0 with `pairs` filled. */
static int show(const struct options *options, const char *number, struct pairs *pairs)
{
	struct options quiet = *options;
	quiet.json = false;
	struct request request;
	struct buffer reply = {0};
	client_begin(&request, "run-show");
	map_text(&request.map, "number", number);
	int r = client_ask(&quiet, &request, ASK_SECONDS, &reply);
	if (r == 0)
		r = reply_pairs(&reply, pairs) < 0;
	buffer_finish(&reply);
	return r;
}

static int wait_for_end(const struct options *options, const char *number)
{
	static struct pairs f;
	for (;;) {
		int r = show(options, number, &f);
		if (r != 0)
			return r;
		const char *status = pairs_get(&f, "run.status");
		if (status[0] != '\0') {
			printf("%s %s after %s frames\n", number, status,
				pairs_get(&f, "run.frames"));
			return strcmp(status, "complete") == 0 ? 0 : 1;
		}
		nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	}
}

/* Sends the request for a run, and waits for its end if that is wanted. */
static int start(const struct options *options, struct request *request, bool wait)
{
	struct buffer reply = {0};
	static struct pairs f;
	int r = ask(options, request, START_SECONDS, &reply);
	if (r == 0)
		r = reply_pairs(&reply, &f) < 0;
	buffer_finish(&reply);
	if (r != 0)
		return r;
	if (!options->json)
		printf("started %s\n", pairs_get(&f, "number"));
	char number[100];
	snprintf(number, sizeof number, "%s", pairs_get(&f, "number"));
	return wait ? wait_for_end(options, number) : 0;
}

int command_run_start(const struct options *options, const struct args *args)
{
	static const char *const names[] = {"sample", "operator", "method", "note", "entered"};
	struct request request;
	client_begin(&request, "run-start");
	map_text(&request.map, "instrument", args->words[0]);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		map_text(&request.map, names[i], args_text(args, names[i]));
	return start(options, &request, args_has(args, "wait"));
}

int command_run_repeat(const struct options *options, const struct args *args)
{
	struct request request;
	client_begin(&request, "run-repeat");
	map_text(&request.map, "run", args->words[0]);
	return start(options, &request, args_has(args, "wait"));
}

int command_run_amend(const struct options *options, const struct args *args)
{
	static const char *const names[] = {"sample", "operator", "note"};
	struct request request;
	struct map set;
	client_begin(&request, "amend");
	map_text(&request.map, "run", args->words[0]);
	map_text(&request.map, "reason", args_text(args, "reason"));
	map_key(&request.map, "set");
	map_open(&set, &request.bytes);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		map_text(&set, names[i], args_text(args, names[i]));
	if (args_has(args, "valid"))
		map_bool(&set, "valid", strcmp(args_text(args, "valid"), "yes") == 0);
	map_close(&set);
	return ask_and_print(options, &request);
}

int command_run_show(const struct options *options, const struct args *args)
{
	struct request request;
	client_begin(&request, "run-show");
	map_text(&request.map, "number", args->words[0]);
	return ask_and_print(options, &request);
}

static int end_run(
	const struct options *options, const struct args *args, const char *op, const char *done)
{
	struct request request;
	struct buffer reply = {0};
	client_begin(&request, op);
	map_text(&request.map, "instrument", args->words[0]);
	int r = ask(options, &request, ASK_SECONDS, &reply);
	if (r == 0 && !options->json)
		puts(done);
	buffer_finish(&reply);
	return r;
}

int command_run_stop(const struct options *options, const struct args *args)
{
	return end_run(options, args, "run-stop", "stopping after the present frame");
}

int command_run_abort(const struct options *options, const struct args *args)
{
	return end_run(options, args, "run-abort", "aborted");
}

int command_run_list(const struct options *options, const struct args *args)
{
	static struct pairs f;
	struct request request;
	struct buffer reply = {0};
	struct reader reader;
	size_t items = 0;
	client_begin(&request, "runs");
	map_text(&request.map, "instrument", args_text(args, "instrument"));
	map_text(&request.map, "sample", args_text(args, "sample"));
	if (args_has(args, "limit"))
		map_uint(&request.map, "limit", args_number(args, "limit"));
	int r = ask(options, &request, ASK_SECONDS, &reply);
	if (r == 0 && !options->json && reply_array(&reply, "runs", &reader, &items) == 0) {
		for (; items > 0 && pairs_read(&f, &reader) == 0; items--)
			print_row(&f);
	}
	buffer_finish(&reply);
	return r;
}

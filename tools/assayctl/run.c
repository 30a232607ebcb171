/* SPDX-License-Identifier: Apache-2.0 */
/* run start | stop | abort | repeat | amend | list | show */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "command.h"
#include "print.h"

#define ASK_SECONDS   5
#define START_SECONDS 180 /* a filament settles, a detector cools: the start is answered then */

static bool is_option(const char *arg)
{
	return arg[0] == '-' && arg[1] == '-';
}

/*
 * Adds `--name value` pairs to the request, names out of `allowed` (ends with NULL); `*flag` is
 * set by --wait where it is not NULL.  Returns 0 or what command_usage() does.
 */
static int add_options(
	struct request *request, int argc, char **argv, const char *const *allowed, bool *flag)
{
	for (int i = 0; i < argc; i++) {
		if (flag != NULL && strcmp(argv[i], "--wait") == 0) {
			*flag = true;
			continue;
		}
		const char *const *name = allowed;
		while (*name != NULL && (!is_option(argv[i]) || strcmp(*name, argv[i] + 2) != 0))
			name++;
		if (*name == NULL)
			return command_usage("run", "unexpected: %s", argv[i]);
		if (i + 1 == argc)
			return command_usage("run", "%s needs a value", argv[i]);
		if (strcmp(*name, "limit") == 0)
			map_uint(&request->map, *name, strtoull(argv[++i], NULL, 10));
		else
			map_text(&request->map, *name, argv[++i]);
	}
	return 0;
}

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

/* Asks for a run, and waits for its end where that is wanted. */
static int begin(const struct options *options, struct request *request, bool wait)
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

static int run_start(const struct options *options, int argc, char **argv)
{
	static const char *const allowed[] = {
		"sample", "operator", "method", "note", "entered", NULL};
	bool wait = false;
	if (argc < 1 || is_option(argv[0]))
		return command_usage("run", "which instrument?");
	struct request request;
	client_begin(&request, "run-start");
	map_text(&request.map, "instrument", argv[0]);
	int r = add_options(&request, argc - 1, argv + 1, allowed, &wait);
	if (r != 0) {
		buffer_finish(&request.bytes);
		return r;
	}
	return begin(options, &request, wait);
}

static int run_repeat(const struct options *options, int argc, char **argv)
{
	static const char *const none[] = {NULL};
	bool wait = false;
	if (argc < 1 || is_option(argv[0]))
		return command_usage("run", "which run? Its number, as run list gives it");
	struct request request;
	client_begin(&request, "run-repeat");
	map_text(&request.map, "run", argv[0]);
	int r = add_options(&request, argc - 1, argv + 1, none, &wait);
	if (r == 0)
		return begin(options, &request, wait);
	buffer_finish(&request.bytes);
	return r;
}

/* --sample ID, --operator WHO, --note TEXT, --valid yes|no into `set`; --reason TEXT. */
static int add_correction(struct map *set, const char **reason, int argc, char **argv)
{
	static const char *const texts[] = {"--sample", "--operator", "--note"};
	for (int i = 0; i < argc; i += 2) {
		if (i + 1 == argc)
			return command_usage("run", "%s needs a value", argv[i]);
		bool yes = strcmp(argv[i + 1], "yes") == 0, no = strcmp(argv[i + 1], "no") == 0;
		size_t t = 0;
		while (t < 3 && strcmp(argv[i], texts[t]) != 0)
			t++;
		if (t < 3)
			map_text(set, texts[t] + 2, argv[i + 1]);
		else if (strcmp(argv[i], "--valid") == 0 && (yes || no))
			map_bool(set, "valid", yes);
		else if (strcmp(argv[i], "--reason") == 0)
			*reason = argv[i + 1];
		else
			return command_usage("run", "unexpected: %s %s", argv[i], argv[i + 1]);
	}
	return 0;
}

static int run_amend(const struct options *options, int argc, char **argv)
{
	if (argc < 1 || is_option(argv[0]))
		return command_usage("run", "which run? Its number, as run list gives it");
	struct request request;
	struct buffer set = {0}, reply = {0};
	struct map map;
	const char *reason = NULL;
	static struct pairs f;
	client_begin(&request, "amend");
	map_text(&request.map, "run", argv[0]);
	map_open(&map, &set);
	int r = add_correction(&map, &reason, argc - 1, argv + 1);
	map_close(&map);
	map_text(&request.map, "reason", reason);
	map_key(&request.map, "set");
	encode_raw(&request.bytes, set.data, set.len);
	if (r == 0)
		r = ask(options, &request, ASK_SECONDS, &reply);
	else
		buffer_finish(&request.bytes);
	if (r == 0 && !options->json && reply_pairs(&reply, &f) == 0)
		print_run(&f);
	buffer_finish(&set);
	buffer_finish(&reply);
	return r;
}

static int run_end(const struct options *options, const char *op, int argc, char **argv)
{
	if (argc != 1)
		return command_usage("run", "which instrument?");
	struct request request;
	struct buffer reply = {0};
	client_begin(&request, op);
	map_text(&request.map, "instrument", argv[0]);
	int r = ask(options, &request, ASK_SECONDS, &reply);
	if (r == 0 && !options->json)
		puts(strcmp(op, "run-stop") == 0 ? "stopping after the present frame" : "aborted");
	buffer_finish(&reply);
	return r;
}

static int run_list(const struct options *options, int argc, char **argv)
{
	static const char *const allowed[] = {"instrument", "sample", "limit", NULL};
	struct request request;
	client_begin(&request, "runs");
	int r = add_options(&request, argc, argv, allowed, NULL);
	if (r != 0) {
		buffer_finish(&request.bytes);
		return r;
	}
	struct buffer reply = {0};
	struct reader reader;
	size_t items = 0;
	static struct pairs f;
	r = ask(options, &request, ASK_SECONDS, &reply);
	if (r == 0 && !options->json && reply_array(&reply, "runs", &reader, &items) == 0) {
		for (; items > 0 && pairs_read(&f, &reader) == 0; items--)
			print_row(&f);
	}
	buffer_finish(&reply);
	return r;
}

static int run_show(const struct options *options, int argc, char **argv)
{
	if (argc != 1)
		return command_usage("run", "which run? Its number, as run list gives it");
	struct request request;
	struct buffer reply = {0};
	client_begin(&request, "run-show");
	map_text(&request.map, "number", argv[0]);
	int r = ask(options, &request, ASK_SECONDS, &reply);
	static struct pairs f;
	if (r == 0 && !options->json && reply_pairs(&reply, &f) == 0)
		print_run(&f);
	buffer_finish(&reply);
	return r;
}

int command_run(const struct options *options, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	argc -= 2;
	argv += 2;
	if (strcmp(what, "start") == 0)
		return run_start(options, argc, argv);
	if (strcmp(what, "stop") == 0)
		return run_end(options, "run-stop", argc, argv);
	if (strcmp(what, "abort") == 0)
		return run_end(options, "run-abort", argc, argv);
	if (strcmp(what, "list") == 0)
		return run_list(options, argc, argv);
	if (strcmp(what, "show") == 0)
		return run_show(options, argc, argv);
	if (strcmp(what, "repeat") == 0)
		return run_repeat(options, argc, argv);
	if (strcmp(what, "amend") == 0)
		return run_amend(options, argc, argv);
	return command_usage("run", "say start, stop, abort, repeat, amend, list or show");
}

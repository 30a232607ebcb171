/* SPDX-License-Identifier: Apache-2.0 */
/* status, list, maintenance, reload: the daemon and its instruments. */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "client.h"
#include "print.h"

#define ASK_SECONDS 5

static int ask_status(const struct options *options, const char *instrument, struct buffer *reply)
{
	struct request request;
	client_begin(&request, "status");
	if (instrument != NULL)
		map_text(&request.map, "instrument", instrument);
	return client_ask(options, &request, ASK_SECONDS, reply);
}

static void print_line(const struct pairs *f)
{
	const char *text = pairs_get(f, "text");
	printf("%-14s %-11s %-12s %-10s %8s frames  %s%s%s\n", pairs_get(f, "key"),
		pairs_get(f, "state"), pairs_get(f, "driver"), pairs_get(f, "serial"),
		pairs_get(f, "frames"),
		strcmp(pairs_get(f, "simulated"), "yes") == 0 ? "SIMULATED " : "", text,
		strcmp(pairs_get(f, "hazard"), "yes") == 0 ? "  (something harmful is on)" : "");
}

static void print_more(const struct pairs *f)
{
	if (pairs_get(f, "make")[0] != '\0')
		printf("%14s %s %s, serial %s, firmware %s\n", "", pairs_get(f, "make"),
			pairs_get(f, "model"), pairs_get(f, "serial"), pairs_get(f, "fw"));
	if (pairs_get(f, "run.number")[0] != '\0') {
		char start[PRINT_TIME_SIZE];
		print_time(start, pairs_number(f, "run.start"));
		printf("%14s run %s since %s, %s frames, sample %s\n", "",
			pairs_get(f, "run.number"), start, pairs_get(f, "run.frames"),
			pairs_get(f, "run.sample")[0] != '\0' ? pairs_get(f, "run.sample")
							      : "none");
	}
	if (strcmp(pairs_get(f, "changed"), "yes") == 0)
		printf("%14s settings were changed at run time: assayctl describe %s\n", "",
			pairs_get(f, "key"));
	if (pairs_get(f, "interrupted")[0] != '\0')
		printf("%14s run %s was interrupted: assayctl run repeat %s\n", "",
			pairs_get(f, "interrupted"), pairs_get(f, "interrupted"));
	if (pairs_get(f, "values")[0] != '\0')
		printf("%14s %s\n", "", pairs_get(f, "values"));
}

static int print_instruments(const struct buffer *reply, bool more)
{
	struct reader r;
	size_t items = 0;
	if (reply_array(reply, "instruments", &r, &items) < 0)
		return 1;
	static struct pairs pairs;
	for (; items > 0 && pairs_read(&pairs, &r) == 0; items--) {
		print_line(&pairs);
		if (more)
			print_more(&pairs);
	}
	return items == 0 ? 0 : 1;
}

/* What keeps the journal larger than it is to be. */
static void print_retention(const struct pairs *f)
{
	double not_archived = (double)pairs_number(f, "journal.retention.not_archived");
	double not_passed = (double)pairs_number(f, "journal.retention.not_passed");
	const char *holder = pairs_get(f, "journal.retention.held_by");
	if (not_archived > 0)
		printf("retention: %.1f MiB wait to be archived\n", not_archived / 0x1p20);
	if (not_passed > 0)
		printf("retention: %.1f MiB are held by %s%s\n", not_passed / 0x1p20,
			holder[0] != '\0' ? "the cursor " : "an open run", holder);
}

static void print_daemon(const struct buffer *reply)
{
	static struct pairs f;
	char started[PRINT_TIME_SIZE];
	if (reply_pairs(reply, &f) < 0)
		return;
	print_time(started, pairs_number(&f, "started"));
	printf("assayd %s at %s/%s since %s\n", pairs_get(&f, "version"), pairs_get(&f, "site"),
		pairs_get(&f, "node"), started);
	const char *error = pairs_get(&f, "journal.error"), *disk = pairs_get(&f, "journal.disk");
	printf("journal %s, last entry %s, %.1f GiB free%s%s%s\n", pairs_get(&f, "journal.path"),
		pairs_get(&f, "journal.head"), (double)pairs_number(&f, "journal.free") / 0x1p30,
		strcmp(disk, "low") == 0 || strcmp(disk, "full") == 0 ? ", DISK NEARLY FULL" : "",
		error[0] != '\0' ? ", CANNOT COMMIT: " : "", error);
	print_retention(&f);
	putchar('\n');
}

int command_status(const struct options *options, const struct args *args)
{
	struct buffer reply = {0};
	int r = ask_status(options, args->words[0], &reply);
	if (r == 0 && options->json) {
		print_json(&reply);
	} else if (r == 0) {
		print_daemon(&reply);
		r = print_instruments(&reply, true);
	}
	buffer_finish(&reply);
	return r;
}

int command_list(const struct options *options, const struct args *args)
{
	struct buffer reply = {0};
	int r = ask_status(options, NULL, &reply);
	if (r == 0 && options->json)
		print_json(&reply);
	else if (r == 0)
		r = print_instruments(&reply, false);
	buffer_finish(&reply);
	return r;
}

/* Asks, and says `done` when it went well. */
static int ask_simply(
	const struct options *options, struct request *request, int seconds, const char *done)
{
	struct buffer reply = {0};
	int r = client_ask(options, request, seconds, &reply);
	if (r == 0 && options->json)
		print_json(&reply);
	else if (r == 0)
		puts(done);
	buffer_finish(&reply);
	return r;
}

int command_maintenance(const struct options *options, const struct args *args)
{
	bool on = strcmp(args->words[1], "on") == 0;
	if (!on && strcmp(args->words[1], "off") != 0)
		return args_reject(args, "found '%s', expected on or off", args->words[1]);
	struct request request;
	client_begin(&request, "maintenance");
	map_text(&request.map, "instrument", args->words[0]);
	map_bool(&request.map, "on", on);
	return ask_simply(
		options, &request, ASK_SECONDS, on ? "out of service" : "back in service");
}

int command_reload(const struct options *options, const struct args *args)
{
	struct request request;
	client_begin(&request, "reload");
	if (args_has(args, "now"))
		map_bool(&request.map, "now", true);
	return ask_simply(options, &request, ASK_SECONDS, "reloaded");
}

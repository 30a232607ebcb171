/* SPDX-License-Identifier: Apache-2.0 */
/* status, list, maintenance, reload: the daemon and its instruments. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "client.h"
#include "print.h"

/* --- the reply ------------------------------------------------------------------------------- */

struct open_run {
	char number[128], sample[260];
	uint64_t start, frames;
};

struct instrument {
	char key[40], state[20], driver[40], make[260], model[260], serial[260], fw[260];
	char text[260], values[260], interrupted[128], link[300], address[80], lacking[80];
	uint64_t frames;
	bool simulated, hazard, changed;
	struct open_run run;
};

struct retention {
	uint64_t not_archived, not_passed;
	char held_by[40];
};

struct journal_status {
	char path[260], disk[20], error[260], why[120];
	uint64_t head, free;
	struct retention retention;
};

struct live_queue {
	uint64_t bytes;
	bool full;
};

struct daemon {
	char version[40], site[40], node[40], config_errors[8];
	uint64_t started;
	struct journal_status journal;
	struct live_queue live_queue;
};

static const struct keys run_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct open_run, number),
		ROW_TEXT(struct open_run, sample), ROW_UINT(struct open_run, start),
		ROW_UINT(struct open_run, frames), {0}},
	.open = true};

static const struct keys instrument_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct instrument, key),
		ROW_TEXT(struct instrument, state), ROW_TEXT(struct instrument, driver),
		ROW_TEXT(struct instrument, make), ROW_TEXT(struct instrument, model),
		ROW_TEXT(struct instrument, serial), ROW_TEXT(struct instrument, fw),
		ROW_TEXT(struct instrument, text), ROW_TEXT(struct instrument, values),
		ROW_TEXT(struct instrument, interrupted), ROW_TEXT(struct instrument, link),
		ROW_TEXT(struct instrument, address), ROW_TEXT(struct instrument, lacking),
		ROW_UINT(struct instrument, frames), ROW_BOOL(struct instrument, simulated),
		ROW_BOOL(struct instrument, hazard), ROW_BOOL(struct instrument, changed),
		ROW_MAP(struct instrument, run, run_keys), {0}},
	.open = true};

static const struct keys retention_keys = {
	.rows = (const struct key[]){ROW_UINT(struct retention, not_archived),
		ROW_UINT(struct retention, not_passed), ROW_TEXT(struct retention, held_by), {0}},
	.open = true};

static const struct keys journal_status_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct journal_status, path),
		ROW_TEXT(struct journal_status, disk), ROW_TEXT(struct journal_status, why),
		ROW_TEXT(struct journal_status, error), ROW_UINT(struct journal_status, head),
		ROW_UINT(struct journal_status, free),
		ROW_MAP(struct journal_status, retention, retention_keys), {0}},
	.open = true};

static const struct keys live_queue_keys = {
	.rows = (const struct key[]){ROW_UINT(struct live_queue, bytes),
		ROW_BOOL(struct live_queue, full), {0}},
	.open = true};

static const struct keys daemon_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct daemon, version),
		ROW_TEXT(struct daemon, site), ROW_TEXT(struct daemon, node),
		ROW_TEXT(struct daemon, config_errors), ROW_UINT(struct daemon, started),
		ROW_MAP(struct daemon, journal, journal_status_keys),
		ROW_MAP(struct daemon, live_queue, live_queue_keys), {0}},
	.open = true};

/* --- status, list ---------------------------------------------------------------------------- */

static int ask_status(
	const struct options *options, const char *instrument, struct control_reply *reply)
{
	struct control_request request;
	control_request_init(&request, "status");
	map_text(&request.map, "instrument", instrument);
	return client_ask(options, &request, ASK_SECONDS, reply);
}

static void print_line(const struct instrument *i)
{
	printf("%-14s %-11s %-12s %-10s %8" PRIu64 " frames  %s%s%s\n", i->key, i->state, i->driver,
		i->serial, i->frames, i->simulated ? "SIMULATED " : "", i->text,
		i->hazard ? "  (something harmful is on)" : "");
}

static void print_more(const struct instrument *i)
{
	if (i->make[0] != '\0')
		printf("%14s %s %s, serial %s%s%s\n", "", i->make, i->model, i->serial,
			i->fw[0] != '\0' ? ", firmware " : "", i->fw);
	if (i->address[0] != '\0')
		printf("%14s %s, connected to %s\n", "", i->link, i->address);
	if (i->lacking[0] != '\0')
		printf("%14s not fully confined: this kernel lacks %s\n", "", i->lacking);
	if (i->run.number[0] != '\0') {
		char start[PRINT_TIME_SIZE];
		print_time(start, i->run.start);
		printf("%14s run %s since %s, %" PRIu64 " frames, sample %s\n", "", i->run.number,
			start, i->run.frames, i->run.sample[0] != '\0' ? i->run.sample : "none");
	}
	if (i->changed)
		printf("%14s settings were changed at run time: assayctl describe %s\n", "",
			i->key);
	if (i->interrupted[0] != '\0')
		printf("%14s run %s was interrupted: assayctl run repeat %s\n", "", i->interrupted,
			i->interrupted);
	if (i->values[0] != '\0')
		printf("%14s %s\n", "", i->values);
}

static void print_instruments(const struct control_reply *reply, bool more)
{
	struct reader r;
	for (size_t left = print_open_list(reply->body, "instruments", &r); left > 0; left--) {
		struct instrument instrument = {0};
		if (keys_read(&r, &instrument_keys, &instrument, NULL) < 0)
			return;
		print_line(&instrument);
		if (more)
			print_more(&instrument);
	}
}

static void print_daemon(const struct control_reply *reply)
{
	struct daemon d = {0};
	const struct journal_status *j = &d.journal;
	const struct retention *r = &j->retention;
	char started[PRINT_TIME_SIZE];
	if (keys_decode(&daemon_keys, reply->body.data, reply->body.len, &d) < 0)
		return;
	print_time(started, d.started);
	printf("assayd %s at %s/%s since %s\n", d.version, d.site, d.node, started);
	if (d.config_errors[0] != '\0')
		puts("THE CONFIGURATION IS WRONG: the last good one runs since the start; "
		     "assayctl check lists the errors, assayctl reload takes the corrected files");
	bool is_low = strcmp(j->disk, "low") == 0 || strcmp(j->disk, "full") == 0;
	printf("journal %s, last entry %" PRIu64 ", %.1f GiB free%s%s%s\n", j->path, j->head,
		(double)j->free / 0x1p30, is_low ? ", DISK NEARLY FULL" : "",
		j->error[0] != '\0' ? ", CANNOT COMMIT: " : "", j->error);
	if (j->why[0] != '\0')
		printf("new journal: %s\n", j->why);
	if (r->not_archived > 0)
		printf("retention: %.1f MiB wait to be archived\n",
			(double)r->not_archived / 0x1p20);
	if (r->not_passed > 0)
		printf("retention: %.1f MiB are held by %s%s\n", (double)r->not_passed / 0x1p20,
			r->held_by[0] != '\0' ? "the cursor " : "an open run", r->held_by);
	if (d.live_queue.full)
		printf("live socket: %.0f MiB wait for subscribers that read too slowly; large "
		       "entries "
		       "are left out there, and are served by replay\n",
			(double)d.live_queue.bytes / 0x1p20);
	putchar('\n');
}

int command_status(const struct options *options, const struct args *args)
{
	struct control_reply reply;
	int r = ask_status(options, args->words[0], &reply);
	if (r == 0 && options->json) {
		print_json(reply.body);
	} else if (r == 0) {
		print_daemon(&reply);
		print_instruments(&reply, true);
	}
	control_reply_finish(&reply);
	return r;
}

int command_list(const struct options *options, const struct args *args)
{
	struct control_reply reply;
	int r = ask_status(options, NULL, &reply);
	if (r == 0 && options->json)
		print_json(reply.body);
	else if (r == 0)
		print_instruments(&reply, false);
	control_reply_finish(&reply);
	return r;
}

/* --- maintenance, reload ---------------------------------------------------------------------- */

int command_maintenance(const struct options *options, const struct args *args)
{
	struct control_request request;
	bool on = strcmp(args->words[1], "on") == 0;
	if (!on && strcmp(args->words[1], "off") != 0)
		return args_reject(args, "found '%s', expected on or off", args->words[1]);
	control_request_init(&request, "maintenance");
	map_text(&request.map, "instrument", args->words[0]);
	map_bool(&request.map, "on", on);
	return client_ask_and_print(options, &request, on ? "out of service" : "back in service");
}

int command_reload(const struct options *options, const struct args *args)
{
	struct control_request request;
	control_request_init(&request, "reload");
	if (args_has(args, "now"))
		map_bool(&request.map, "now", true);
	return client_ask_and_print(options, &request, "reloaded");
}

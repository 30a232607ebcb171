/* SPDX-License-Identifier: Apache-2.0 */
/* status, list, maintenance, fault, reload: the daemon and its instruments. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "args.h"
#include "base/clock.h"
#include "client.h"
#include "verdict.h"

/* --- the screen ------------------------------------------------------------------------------ */

#define INSTRUMENTS_MAX 400

/* The reply, in parts. */
struct shown {
	struct shown_daemon daemon;
	struct shown_instrument *instruments;
	size_t count;
	struct verdict verdict;
};

static int ask_status(
	const struct options *options, const char *instrument, struct control_reply *reply)
{
	struct control_request request;
	control_request_init(&request, "status");
	map_text(&request.map, "instrument", instrument);
	return client_ask(options, &request, ASK_SECONDS, reply);
}

static int read_shown(struct shown *shown, struct assay_span body)
{
	struct reader r;
	if (keys_decode(&shown_daemon_keys, body.data, body.len, &shown->daemon) < 0)
		return -EBADMSG;
	uint64_t now = shown->daemon.clock.utc != 0 ? shown->daemon.clock.utc : clock_utc();
	verdict_daemon(&shown->verdict, &shown->daemon);
	for (size_t left = print_open_list(body, "calibrations", &r); left > 0; left--) {
		struct shown_calibration one = {0};
		if (keys_read(&r, &shown_calibration_keys, &one, NULL) < 0)
			return -EBADMSG;
		verdict_calibration(&shown->verdict, &one, now);
	}
	size_t left = print_open_list(body, "instruments", &r);
	shown->instruments = calloc(INSTRUMENTS_MAX, sizeof *shown->instruments);
	if (shown->instruments == NULL)
		return -ENOMEM;
	for (; left > 0 && shown->count < INSTRUMENTS_MAX; left--) {
		struct shown_instrument *one = &shown->instruments[shown->count];
		if (keys_read(&r, &shown_instrument_keys, one, NULL) < 0)
			return -EBADMSG;
		verdict_instrument(&shown->verdict, one, now);
		shown->count++;
	}
	verdict_sort(&shown->verdict);
	return 0;
}

static size_t count_state(const struct shown *shown, const char *state)
{
	size_t count = 0;
	for (size_t i = 0; i < shown->count; i++)
		count += strcmp(shown->instruments[i].state, state) == 0;
	return count;
}

/* "GOOD: 20 instruments, 3 measuring, 17 ready; 1 note" */
static void print_verdict(const struct shown *shown)
{
	size_t problems = shown->verdict.problems;
	size_t notes = shown->verdict.count > problems ? shown->verdict.count - problems : 0;
	char now[PRINT_BOTH_SIZE];
	print_both(now, clock_utc());
	if (problems > 0)
		printf("%zu PROBLEM%s: ", problems, problems == 1 ? "" : "S");
	else
		fputs("GOOD: ", stdout);
	printf("%zu instrument%s, %zu measuring, %zu ready", shown->count,
		shown->count == 1 ? "" : "s", count_state(shown, "busy"),
		count_state(shown, "idle"));
	if (notes > 0)
		printf("; %zu note%s", notes, notes == 1 ? "" : "s");
	printf("\nat %s\n", now);
}

/* "ready      gas-1 gas-2 gas-3", in lines of 78 characters. */
static void print_group(const struct shown *shown, const char *state, const char *heading)
{
	int column = 0;
	for (size_t i = 0; i < shown->count; i++) {
		const struct shown_instrument *one = &shown->instruments[i];
		const char *mark = one->simulated ? "(simulated)" : "";
		int len = (int)(strlen(one->key) + strlen(mark)) + 1;
		if (strcmp(one->state, state) != 0)
			continue;
		if (column == 0 || column + len > 78)
			column = printf(
				"%s%-10s", column > 0 ? "\n" : "", column > 0 ? "" : heading);
		column += printf(" %s%s", one->key, mark);
	}
	if (column > 0)
		putchar('\n');
}

/* "measuring  xrf-1  bench-1/xrf-1/20261122-007 since 21:15+01, 12 frames, sample LAB-1" */
static void print_measuring(const struct shown *shown)
{
	const char *heading = "measuring";
	for (size_t i = 0; i < shown->count; i++) {
		const struct shown_instrument *one = &shown->instruments[i];
		const struct open_run *run = &one->run;
		const char *day = strrchr(run->number, '/');
		char start[PRINT_CLOCK_SIZE];
		if (strcmp(one->state, "busy") != 0)
			continue;
		print_clock(start, run->start, day != NULL ? day + 1 : "");
		printf("%-10s %s %s", heading, run->number[0] != '\0' ? run->number : one->key,
			one->simulated ? "SIMULATED " : "");
		if (run->number[0] != '\0')
			printf("since %s, sample %s", start,
				run->sample[0] != '\0' ? run->sample : "-");
		putchar('\n');
		heading = "";
	}
}

/* One line per measuring run, or on a terminal that has no room for them their names. */
static void print_instruments(const struct shown *shown)
{
	struct winsize size = {0};
	size_t lines = 5 + 2 * shown->verdict.count + count_state(shown, "busy");
	bool is_terminal = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
	if (is_terminal && size.ws_row > 0 && lines >= size.ws_row)
		print_group(shown, "busy", "measuring");
	else
		print_measuring(shown);
	print_group(shown, "armed", "starting");
	print_group(shown, "idle", "ready");
}

static void print_more(const struct shown_instrument *i)
{
	char time[PRINT_BOTH_SIZE];
	print_both(time, i->since);
	printf("%-14s %s since %s%s%s\n", i->key, i->state, time, i->simulated ? ", SIMULATED" : "",
		i->hazard ? " (something harmful is on)" : "");
	printf("%14s driver %s, link %s%s%s\n", "", i->driver, i->link,
		i->address[0] != '\0' ? ", connected to " : "", i->address);
	if (i->make[0] != '\0')
		printf("%14s %s %s, serial %s%s%s\n", "", i->make, i->model, i->serial,
			i->fw[0] != '\0' ? ", firmware " : "", i->fw);
	if (i->lacking[0] != '\0')
		printf("%14s not fully confined: this kernel lacks %s\n", "", i->lacking);
	if (i->run.number[0] != '\0') {
		print_both(time, i->run.start);
		printf("%14s run %s since %s\n%14s %" PRIu64 " frames, sample %s, operator %s\n",
			"", i->run.number, time, "", i->run.frames,
			i->run.sample[0] != '\0' ? i->run.sample : "none",
			i->run.person[0] != '\0' ? i->run.person : "none");
	}
	if (i->last_frame != 0) {
		print_both(time, i->last_frame);
		printf("%14s last frame %s\n", "", time);
	}
	if (i->values[0] != '\0')
		printf("%14s %s\n", "", i->values);
}

static void print_daemon(const struct shown_daemon *d)
{
	char started[PRINT_BOTH_SIZE];
	print_both(started, d->started);
	printf("assayd %s at %s/%s since %s\n", d->version, d->site, d->node, started);
	printf("journal %s, last entry %" PRIu64 ", %.1f GiB free\n", d->journal.path,
		d->journal.head, (double)d->journal.free / 0x1p30);
}

int command_status(const struct options *options, const struct args *args)
{
	struct control_reply reply;
	struct shown shown = {0};
	int r = ask_status(options, args->words[0], &reply);
	if (r == 0 && read_shown(&shown, reply.body) < 0)
		r = client_explain(options, -EBADMSG, &reply);
	else if (r == 0 && options->json)
		print_json(reply.body);
	else if (r == 0) {
		print_verdict(&shown);
		verdict_print(&shown.verdict);
		if (args->words[0] == NULL)
			print_instruments(&shown);
		else if (shown.count > 0)
			print_more(shown.instruments);
		print_daemon(&shown.daemon);
	}
	if (r == 0 && !options->json && shown.verdict.problems > 0)
		r = VERDICT_BAD;
	free(shown.instruments);
	verdict_finish(&shown.verdict);
	control_reply_finish(&reply);
	return r;
}

int command_list(const struct options *options, const struct args *args)
{
	struct control_reply reply;
	struct reader r;
	int error = ask_status(options, NULL, &reply);
	size_t left = 0;
	if (error == 0 && options->json)
		print_json(reply.body);
	else if (error == 0)
		left = print_open_list(reply.body, "instruments", &r);
	for (; left > 0; left--) {
		struct shown_instrument i = {0};
		if (keys_read(&r, &shown_instrument_keys, &i, NULL) < 0)
			break;
		printf("%-14s %-11s %-12s %-10s %8" PRIu64 " frames  %s%s%s\n", i.key, i.state,
			i.driver, i.serial, i.frames, i.simulated ? "SIMULATED " : "", i.text,
			i.hazard ? "  (something harmful is on)" : "");
	}
	control_reply_finish(&reply);
	return error;
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

int command_fault(const struct options *options, const struct args *args)
{
	struct control_request request;
	char text[200] = "";
	size_t len = 0;
	for (int i = 1; i < args->word_count && len < sizeof text; i++)
		len += (size_t)snprintf(
			text + len, sizeof text - len, "%s%s", i > 1 ? " " : "", args->words[i]);
	control_request_init(&request, "fault");
	map_text(&request.map, "instrument", args->words[0]);
	map_text(&request.map, "faults", text);
	return client_ask_and_print(options, &request, text);
}

int command_reload(const struct options *options, const struct args *args)
{
	struct control_request request;
	control_request_init(&request, "reload");
	if (args_has(args, "now"))
		map_bool(&request.map, "now", true);
	return client_ask_and_print(options, &request, "reloaded");
}

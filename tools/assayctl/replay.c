/* SPDX-License-Identifier: Apache-2.0 */
/* replay: what was committed, and with --follow what is, one line each. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <assay/client.h>

#include "base/clock.h"
#include "command.h"
#include "print.h"
#include "record/json.h"
#include "record/topic.h"
#include "record/uuid.h"
#include "when.h"

#define TOPICS_MAX  64
#define WAIT_MS     500
#define ACK_MS      5000
#define QUIET_NS    (5 * NS_PER_S) /* without a daemon, before that is said */
#define PROGRESS_NS (200 * NS_PER_MS)

struct replay {
	struct assay_client_options options;
	const char *topics[TOPICS_MAX];
	const char *instrument; /* only of this one */
	struct assay_client *client;
	bool json, has_progress, must_ack, said_quiet;
	uint64_t items, shown_at, quiet_since;
	bool is_damaged; /* something was lost that should be there */
};

static volatile sig_atomic_t must_end;

static void on_signal(int number)
{
	must_end = 1;
}

/* --- progress --------------------------------------------------------------------------------- */

static void clear_progress(const struct replay *r)
{
	if (r->has_progress && r->shown_at > 0)
		fputs("\r\033[K", stderr);
}

static void show_progress(struct replay *r)
{
	struct assay_client_state state = {.size = sizeof state};
	uint64_t now = clock_boot();
	if (!r->has_progress || now < r->shown_at + PROGRESS_NS)
		return;
	r->shown_at = now;
	assay_client_state(r->client, &state);
	if (state.is_live)
		fprintf(stderr, "\r\033[K%" PRIu64 " entries, live", r->items);
	else if (state.head > 0)
		fprintf(stderr, "\r\033[K%" PRIu64 " entries, %.0f %% of the journal", r->items,
			100.0 * (double)state.seq / (double)state.head);
}

/* --- lines ------------------------------------------------------------------------------------ */

static void print_gap(const struct replay *r, const struct assay_client_item *item)
{
	char journal[HEX_SIZE(ASSAY_UUID_SIZE)];
	const char *why = item->why == ASSAY_GAP_PRUNED ? "pruned" : "damaged";
	hex_write(journal, item->cursor.journal, ASSAY_UUID_SIZE);
	if (r->json)
		printf("{\"gap\":{\"journal\":\"%s\",\"topic\":\"%s\",\"from\":%" PRIu64
		       ",\"to\":%" PRIu64 ",\"why\":\"%s\"}}\n",
			journal, item->cursor.topic, item->first, item->cursor.seq, why);
	else
		printf("%" PRIu64 " to %" PRIu64 " on %s: %s\n", item->first, item->cursor.seq,
			item->cursor.topic, why);
}

static void print_text(const struct assay_entry_view *entry)
{
	struct assay_record_view record;
	char time[PRINT_TIME_SIZE], topic[ASSAY_TOPIC_MAX + 1], detail[200] = "";
	print_time(time, entry->tc);
	print_safe(topic, sizeof topic, entry->topic);
	int r = assay_record_read(entry->body.data, entry->body.len, &record);
	const char *type = r == 0 ? assay_record_type_name(record.type) : NULL;
	if (r == 0 && record.number.data != NULL)
		print_safe(detail, sizeof detail, record.number);
	else if (r == 0 && record.status.data != NULL)
		print_safe(detail, sizeof detail, record.status);
	else if (r == 0 && record.state.data != NULL)
		print_safe(detail, sizeof detail, record.state);
	else if (r == 0 && record.event.data != NULL)
		print_safe(detail, sizeof detail, record.event);
	else if (r == 0 && record.type == ASSAY_RECORD_FRAME)
		snprintf(detail, sizeof detail, "%" PRIu64, record.n);
	printf("%" PRIu64 " %s %s %s %s\n", entry->seq, time, topic, type != NULL ? type : "?",
		detail);
}

static int print_entry(const struct replay *r, const struct assay_client_item *item)
{
	struct topic topic;
	if (r->instrument != NULL && (topic_parse(item->entry.topic, &topic) < 0 ||
					     !assay_string_is(topic.instrument, r->instrument)))
		return 0;
	if (!r->json) {
		print_text(&item->entry);
		return 0;
	}
	struct buffer line = {0};
	int error = json_write_entry(&line, item->bytes, item->len);
	if (error == 0 && line.failed)
		error = -ENOMEM;
	if (error == 0)
		printf("%.*s\n", (int)line.len, (const char *)line.data);
	buffer_finish(&line);
	return error;
}

static int print_item(struct replay *r, const struct assay_client_item *item)
{
	r->must_ack = true;
	if (item->kind == ASSAY_ITEM_MARK)
		return 0;
	clear_progress(r);
	r->items++;
	if (item->kind == ASSAY_ITEM_ENTRY)
		return print_entry(r, item);
	print_gap(r, item);
	r->is_damaged = r->is_damaged || item->why == ASSAY_GAP_DAMAGED;
	return 0;
}

/* --- the loop --------------------------------------------------------------------------------- */

/* What was printed has left this program; only then it is acknowledged. */
static int hand_over(struct replay *r)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return -EPIPE;
	if (r->options.cursor == NULL || !r->must_ack)
		return 0;
	int error = assay_client_ack(r->client, ACK_MS);
	r->must_ack = error < 0;
	return error == -EINTR || error == -ETIMEDOUT ? 0 : error;
}

static void say_quiet(struct replay *r)
{
	struct assay_client_state state = {.size = sizeof state};
	assay_client_state(r->client, &state);
	uint64_t now = clock_boot();
	if (state.is_connected)
		r->quiet_since = now;
	if (r->said_quiet || now < r->quiet_since + QUIET_NS)
		return;
	r->said_quiet = true;
	clear_progress(r);
	fputs("assayctl: no answer: is assayd running? Waiting for it\n", stderr);
}

static int step(struct replay *r)
{
	const struct assay_client_item *item;
	int error = assay_client_next(r->client, 0, &item);
	if (error == 0) {
		error = hand_over(r);
		say_quiet(r);
		if (error == 0)
			error = assay_client_next(r->client, WAIT_MS, &item);
	}
	show_progress(r);
	return error == 1 ? print_item(r, item) : error;
}

static int replay(struct replay *r)
{
	int error = 0;
	r->quiet_since = clock_boot();
	while (!must_end && (error >= 0 || error == -EINTR))
		error = step(r);
	clear_progress(r);
	if (error == -ENODATA || error == -EINTR || error >= 0)
		error = 0;
	int last = hand_over(r);
	if (error == 0)
		error = last;
	if (error == 0)
		return r->is_damaged;
	if (error != -EPIPE)
		fprintf(stderr, "assayctl: %s: %s\n", strerror(-error),
			assay_client_error(r->client));
	return 1;
}

/* --- arguments -------------------------------------------------------------------------------- */

static int set_from(struct replay *r, const char *text)
{
	r->options.start = ASSAY_START_SEQ;
	if (when_number(text, &r->options.start_at))
		return 0;
	r->options.start = ASSAY_START_TIME;
	if (when_time(text, false, &r->options.start_at))
		return 0;
	return command_usage("replay",
		"%s is neither a seq nor a time like 2026-11-22 or 2026-11-22T08:00:00Z", text);
}

static int set_since(struct replay *r, const char *text)
{
	r->options.start = ASSAY_START_TIME;
	if (when_ago(text, &r->options.start_at))
		return 0;
	return command_usage("replay",
		"%s is neither a duration like 2h nor a time like 2026-11-22T08:00:00Z", text);
}

static int read_args(struct replay *r, int argc, char **argv)
{
	static const struct option longs[] = {{"from", required_argument, NULL, 'f'},
		{"since", required_argument, NULL, 's'},
		{"instrument", required_argument, NULL, 'i'},
		{"topic", required_argument, NULL, 't'}, {"follow", no_argument, NULL, 'F'},
		{"json", no_argument, NULL, 'j'}, {"cursor", required_argument, NULL, 'c'},
		{"simulated", no_argument, NULL, 'S'}, {0}};
	int error = 0;
	for (int c; error == 0 && (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
		switch (c) {
		case 'f': error = set_from(r, optarg); break;
		case 's': error = set_since(r, optarg); break;
		case 'i': r->instrument = optarg; break;
		case 't':
			if (r->options.topics_count == TOPICS_MAX)
				return command_usage("replay", "at most %d topics", TOPICS_MAX);
			r->topics[r->options.topics_count++] = optarg;
			break;
		case 'F': r->options.stop_at_head = false; break;
		case 'j': r->json = true; break;
		case 'c': r->options.cursor = optarg; break;
		case 'S': r->options.simulated = true; break;
		default: return command_usage("replay", "this cannot be understood");
		}
	}
	if (error == 0 && optind < argc)
		return command_usage("replay", "unexpected: %s", argv[optind]);
	return error;
}

int command_replay(const struct options *options, int argc, char **argv)
{
	static struct replay r;
	r = (struct replay){.options = {.size = sizeof r.options,
				    .live = options->live,
				    .replay = options->replay,
				    .stop_at_head = true},
		.json = options->json,
		.has_progress = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO)};
	int error = read_args(&r, argc, argv);
	if (error != 0)
		return error;
	r.options.topics = r.topics;
	error = assay_client_open(&r.client, &r.options);
	if (error == -EINVAL)
		return command_usage("replay", "a topic is a prefix such as a1/data/xrf/; "
					       "those of simulated instruments need --simulated; "
					       "a cursor's name is [a-z0-9-], at most 32");
	if (error < 0) {
		fprintf(stderr, "assayctl: %s\n", strerror(-error));
		return 1;
	}
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	error = replay(&r);
	assay_client_close(r.client);
	return error;
}

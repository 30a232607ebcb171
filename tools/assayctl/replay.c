/* SPDX-License-Identifier: Apache-2.0 */
/* replay: entries from the journal, and with --follow new ones, one line each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <assay/client.h>

#include "args.h"
#include "base/clock.h"
#include "client.h"
#include "interrupt.h"
#include "print.h"
#include "record/topic.h"
#include "record/uuid.h"

#define WAIT_MS      500
#define ACK_MS       5000
#define ACK_EVERY_NS NS_PER_S
#define SILENCE_NS   (5 * NS_PER_S) /* of the daemon, before a message */
#define PROGRESS_NS  (200 * NS_PER_MS)

struct replay {
	struct assay_client_options options;
	const char *instrument; /* only this one; NULL: all */
	struct assay_client *client;
	bool json, has_progress, must_ack, has_reported;
	uint64_t items, shown_at, silent_since, acked_at;
	bool is_damaged; /* entries were lost other than by retention */
};

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
		print_object(json_pack("{s:{s:s, s:s, s:I, s:I, s:s}}", "gap", "journal", journal,
			"topic", item->cursor.topic, "from", (json_int_t)item->first, "to",
			(json_int_t)item->cursor.seq, "why", why));
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

static bool is_wanted(const struct replay *r, struct assay_string text)
{
	struct topic topic;
	return r->instrument == NULL ||
	       (topic_parse(text, &topic) == 0 && assay_string_is(topic.instrument, r->instrument));
}

static int print_item(struct replay *r, const struct assay_client_item *item)
{
	r->must_ack = true;
	if (item->kind == ASSAY_ITEM_MARK)
		return 0;
	clear_progress(r);
	r->items++;
	if (item->kind == ASSAY_ITEM_ENTRY) {
		if (!is_wanted(r, item->entry.topic))
			return 0;
		if (r->json)
			return print_entry_json((struct assay_span){item->bytes, item->len});
		print_text(&item->entry);
		return 0;
	}
	print_gap(r, item);
	r->is_damaged = r->is_damaged || item->why == ASSAY_GAP_DAMAGED;
	return 0;
}

/* --- the loop --------------------------------------------------------------------------------- */

/* Acknowledges the entries that were printed, after they have left this program. */
static int flush(struct replay *r)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return -EPIPE;
	if (r->options.cursor == NULL || !r->must_ack)
		return 0;
	int error = assay_client_ack(r->client, ACK_MS);
	r->acked_at = clock_boot();
	r->must_ack = error < 0;
	return error == -EINTR || error == -ETIMEDOUT ? 0 : error;
}

static void report_silence(struct replay *r)
{
	struct assay_client_state state = {.size = sizeof state};
	assay_client_state(r->client, &state);
	uint64_t now = clock_boot();
	if (state.is_connected)
		r->silent_since = now;
	if (r->has_reported || now < r->silent_since + SILENCE_NS)
		return;
	r->has_reported = true;
	clear_progress(r);
	fputs("assayctl: no answer: is assayd running? Waiting for it\n", stderr);
}

static int step(struct replay *r)
{
	const struct assay_client_item *item;
	int error = assay_client_next(r->client, 0, &item);
	if (error == 0) {
		error = flush(r);
		report_silence(r);
		if (error == 0)
			error = assay_client_next(r->client, WAIT_MS, &item);
	}
	show_progress(r);
	if (error != 1)
		return error;
	error = print_item(r, item);
	bool is_due = r->must_ack && clock_boot() > r->acked_at + ACK_EVERY_NS;
	return error < 0 || !is_due ? error : flush(r);
}

static int replay(struct replay *r)
{
	int error = 0;
	r->silent_since = clock_boot();
	const volatile sig_atomic_t *must_stop = interrupt_catch();
	while (!*must_stop && (error >= 0 || error == -EINTR))
		error = step(r);
	clear_progress(r);
	if (error == -ENODATA || error == -EINTR || error >= 0)
		error = 0;
	int last = flush(r);
	if (error == 0)
		error = last;
	if (error == 0)
		return r->is_damaged;
	if (error != -EPIPE)
		fprintf(stderr, "assayctl: %s: %s\n", strerror(-error),
			assay_client_error(r->client));
	return 1;
}

/* --- the command ------------------------------------------------------------------------------ */

/* --since overrides --from. */
static void set_options(struct assay_client_options *o, const struct args *args)
{
	const struct arg_value *from = args_value(args, "from"), *since = args_value(args, "since");
	o->topics = args->texts;
	o->topics_count = args->text_count;
	o->cursor = args_text(args, "cursor");
	o->simulated = args_has(args, "simulated");
	o->stop_at_head = !args_has(args, "follow");
	if (since->text != NULL || from->text != NULL) {
		bool is_time = since->text != NULL || from->is_time;
		o->start = is_time ? ASSAY_START_TIME : ASSAY_START_SEQ;
		o->start_at = since->text != NULL ? since->number : from->number;
	}
}

int command_replay(const struct options *options, const struct args *args)
{
	static struct replay r;
	r = (struct replay){.options = {.size = sizeof r.options,
				    .live = options->live,
				    .replay = options->replay,
				    .key = options->key_file,
				    .server_key = options->server_file},
		.instrument = args_text(args, "instrument"),
		.json = options->json,
		.has_progress = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO)};
	set_options(&r.options, args);
	int error = assay_client_open(&r.client, &r.options);
	if (error == -EINVAL)
		return args_reject(args, "%s; the options are --topic, --simulated, --cursor",
			assay_client_error(NULL));
	if (error < 0) {
		fprintf(stderr, "assayctl: %s\n", strerror(-error));
		return 1;
	}
	/* With --follow it waits for the daemon. */
	error = client_reach(options->replay);
	if (error == 0 || args_has(args, "follow"))
		error = replay(&r);
	assay_client_close(r.client);
	return error;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* watch: live data, as a screen, lines or JSON. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <zmq.h>

#include <assay/record.h>

#include "args.h"
#include "base/clock.h"
#include "client.h"
#include "interrupt.h"
#include "plot.h"
#include "print.h"
#include "record/entry.h"

#define SEEN_MAX     64
#define HISTORY      240 /* values of an instrument without spectra */
#define POINTS_MAX   16384
#define REDRAW_NS    (500 * NS_PER_MS)
#define RATE_SPAN_NS (5 * NS_PER_S)
#define PLOT_ROWS    3 /* at least, without its labels */

/* The latest data of one instrument. */
struct seen {
	char key[33], state[20], text[120], values[200];
	bool sim;
	uint64_t frames, rate_frames, rate_since;
	double rate; /* frames per second */
	char quality[12];
	char title[80], x_name[40], x_unit[20], y_name[40], y_unit[20];
	double x_first, x_last;
	double y[POINTS_MAX];
	size_t count;
	bool history; /* y is one value over time */
};

struct watch {
	const struct options *options;
	const char *wanted; /* NULL: all */
	bool plain;
	const volatile sig_atomic_t *must_stop;
	struct seen *seen[SEEN_MAX];
	size_t count;
	uint64_t head; /* of the last heartbeat */
};

static struct seen *find_seen(struct watch *w, struct assay_string key)
{
	for (size_t i = 0; i < w->count; i++) {
		if (assay_string_is(key, w->seen[i]->key))
			return w->seen[i];
	}
	if (w->count == SEEN_MAX)
		return NULL;
	struct seen *s = calloc(1, sizeof *s);
	if (s == NULL)
		return NULL;
	print_safe(s->key, sizeof s->key, key);
	snprintf(s->state, sizeof s->state, "-");
	s->rate_since = clock_boot();
	w->seen[w->count++] = s;
	return s;
}

/* --- frames ---------------------------------------------------------------------------------- */

static void count_frame(struct seen *s)
{
	uint64_t now = clock_boot();
	s->frames++;
	s->rate_frames++;
	uint64_t span = now - s->rate_since;
	if (span >= NS_PER_S)
		s->rate = (double)s->rate_frames * (double)NS_PER_S / (double)span;
	if (span >= RATE_SPAN_NS) {
		s->rate_since = now;
		s->rate_frames = 0;
	}
}

static void name_of(char *to, size_t size, const struct assay_var_view *var)
{
	print_safe(to, size, var->analyte.data != NULL ? var->analyte : var->name);
}

/* "HCl 12.5 mg/m3  NH3 3.25 mg/m3": the scalars of a frame, data before the rest. */
static void list_values(struct seen *s, struct assay_frame_view *frame, bool data)
{
	struct assay_var_view var;
	assay_frame_rewind(frame);
	while (assay_frame_next(frame, &var) > 0) {
		char name[40], unit[20];
		size_t len = strlen(s->values);
		bool scalar = var.dims_count == 0 &&
			      (var.form == ASSAY_FORM_FLOAT || var.form == ASSAY_FORM_INT);
		if (!scalar || (var.role == ASSAY_ROLE_DATA) != data)
			continue;
		name_of(name, sizeof name, &var);
		print_safe(unit, sizeof unit, var.unit);
		bool plain = strcmp(unit, "1") == 0 || unit[0] == '{';
		snprintf(s->values + len, sizeof s->values - len, "%s%s %.5g%s%s",
			len > 0 ? "  " : "", name, assay_var_number(&var, 0), plain ? "" : " ",
			plain ? "" : unit);
	}
}

static void keep_curve(
	struct seen *s, const struct assay_frame_view *frame, const struct assay_var_view *var)
{
	struct assay_var_view axis;
	char name[ASSAY_NAME_MAX + 1];
	print_safe(name, sizeof name, var->dims[0]);
	s->history = false;
	s->count = var->count < POINTS_MAX ? var->count : POINTS_MAX;
	for (size_t i = 0; i < s->count; i++)
		s->y[i] = assay_var_number(var, i);
	print_safe(s->y_name, sizeof s->y_name, var->name);
	print_safe(s->y_unit, sizeof s->y_unit, var->unit);
	snprintf(s->x_name, sizeof s->x_name, "%s", name);
	if (assay_frame_find(frame, name, &axis) == 0 && axis.count > 0) {
		print_safe(s->x_unit, sizeof s->x_unit, axis.unit);
		s->x_first = assay_var_number(&axis, 0);
		s->x_last = assay_var_number(
			&axis, s->count < axis.count ? s->count - 1 : axis.count - 1);
	}
}

static void keep_value(struct seen *s, const struct assay_var_view *var)
{
	s->history = true;
	if (s->count == HISTORY) {
		memmove(s->y, s->y + 1, (HISTORY - 1) * sizeof s->y[0]);
		s->count--;
	}
	s->y[s->count++] = assay_var_number(var, 0);
	name_of(s->y_name, sizeof s->y_name, var);
	print_safe(s->y_unit, sizeof s->y_unit, var->unit);
	snprintf(s->x_name, sizeof s->x_name, "frames ago");
	snprintf(s->x_unit, sizeof s->x_unit, "1");
	s->x_first = (double)s->count - 1;
	s->x_last = 0;
}

static void keep_plot(struct seen *s, struct assay_frame_view *frame)
{
	struct assay_var_view var;
	assay_frame_rewind(frame);
	while (assay_frame_next(frame, &var) > 0) {
		if (var.role != ASSAY_ROLE_DATA)
			continue;
		if (var.dims_count == 1)
			keep_curve(s, frame, &var);
		else if (var.dims_count == 0)
			keep_value(s, &var);
		else
			continue;
		return;
	}
}

static void take_frame(struct seen *s, struct assay_frame_view *frame)
{
	count_frame(s);
	s->sim = frame->record.sim;
	snprintf(s->quality, sizeof s->quality, "%s", assay_quality_name(frame->quality));
	s->values[0] = '\0';
	list_values(s, frame, true);
	list_values(s, frame, false);
	keep_plot(s, frame);
}

/* --- entries --------------------------------------------------------------------------------- */

static void print_plain(const struct seen *s, const struct assay_entry_view *entry,
	const struct assay_record_view *record)
{
	char time[PRINT_TIME_SIZE];
	print_time(time, record->t.utc);
	const char *type = assay_record_type_name(record->type);
	char number[100], state[20];
	print_safe(number, sizeof number, record->number);
	print_safe(state, sizeof state,
		record->type == ASSAY_RECORD_STATE ? record->state : record->status);
	printf("%s %8" PRIu64 " %-12s %-9s ", time, entry->seq, s->key, type);
	if (record->type == ASSAY_RECORD_FRAME)
		printf("n %" PRIu64 " %s%s  %s\n", record->n, s->quality,
			s->sim ? " SIMULATED" : "", s->values);
	else
		printf("%s%s\n", number, state);
	fflush(stdout);
}

static void take_record(struct watch *w, const struct assay_entry_view *entry)
{
	struct assay_record_view record;
	struct assay_frame_view frame;
	if (assay_record_read(entry->body.data, entry->body.len, &record) < 0)
		return;
	struct seen *s = find_seen(w, record.inst.key);
	if (s == NULL || (w->wanted != NULL && strcmp(w->wanted, s->key) != 0))
		return;
	if (record.type == ASSAY_RECORD_STATE) {
		print_safe(s->state, sizeof s->state, record.state);
		print_safe(s->text, sizeof s->text, record.text);
		s->sim = record.sim;
	}
	if (record.type == ASSAY_RECORD_RUN_START)
		print_safe(s->title, sizeof s->title, record.number);
	if (record.type == ASSAY_RECORD_FRAME &&
		assay_frame_read(entry->body.data, entry->body.len, &frame) == 0)
		take_frame(s, &frame);
	if (w->plain)
		print_plain(s, entry, &record);
}

static void take_message(struct watch *w, const zmq_msg_t *topic, const void *data, size_t len)
{
	const char *text = zmq_msg_data((zmq_msg_t *)topic);
	if (zmq_msg_size(topic) > 8 && memcmp(text, "a1/head/", 8) == 0) {
		struct head_view head;
		if (head_read(data, len, &head) == 0)
			w->head = head.head;
		return;
	}
	struct assay_entry_view entry;
	if (w->options->json) {
		print_entry_json((struct assay_span){data, len});
		fflush(stdout);
	} else if (assay_entry_read(data, len, &entry) == 0) {
		take_record(w, &entry);
	}
}

/* --- the screen ------------------------------------------------------------------------------ */

/* Cuts the line to `width` characters. */
static void cut(char *line, int width)
{
	for (; *line != '\0'; line++) {
		if (((unsigned char)*line & 0xc0) != 0x80 && width-- == 0) {
			*line = '\0';
			return;
		}
	}
}

static void add(char *line, size_t size, const char *text)
{
	size_t len = strlen(line);
	if (text[0] != '\0')
		snprintf(line + len, size - len, "  %s", text);
}

/*
 * "xrf-1  busy  1.00/s  good  8 frames  Fe 12.5 %".  The state's text comes before the numbers, and an
 * instrument that is down shows no rate, quality and values of the time when it was not.
 */
static void print_line(const struct seen *s, int width)
{
	static const char *const down[] = {"off", "connecting", "fault", "maintenance"};
	char line[600], number[40];
	bool is_busy = strcmp(s->state, "busy") == 0, is_down = false;
	for (size_t i = 0; i < sizeof down / sizeof *down; i++)
		is_down |= strcmp(s->state, down[i]) == 0;
	snprintf(line, sizeof line, "%-12s %-8s", s->key, s->state);
	add(line, sizeof line, s->sim ? "SIMULATED" : "");
	add(line, sizeof line, is_busy ? "" : s->text);
	snprintf(number, sizeof number, "%.2f/s", s->rate);
	add(line, sizeof line, is_busy ? number : "");
	add(line, sizeof line, is_down ? "" : s->quality);
	snprintf(number, sizeof number, "%" PRIu64 " frames", s->frames);
	add(line, sizeof line, number);
	add(line, sizeof line, is_down ? "" : s->values);
	cut(line, width);
	puts(line);
}

static void draw_seen(const struct seen *s, int width, int height)
{
	print_line(s, width);
	if (s->count == 0 || height < PLOT_ROWS)
		return;
	struct plot plot = {.title = s->title[0] != '\0' ? s->title : s->key,
		.x_name = s->x_name,
		.x_unit = s->x_unit,
		.y_name = s->y_name,
		.y_unit = s->y_unit,
		.x_first = s->x_first,
		.x_last = s->x_last,
		.y = s->y,
		.count = s->count,
		.width = width - 12,
		.height = height};
	plot_draw(stdout, &plot);
}

static bool is_shown(const struct watch *w, size_t i)
{
	return w->wanted == NULL || strcmp(w->wanted, w->seen[i]->key) == 0;
}

/*
 * Without room for a plot of each instrument there are lines only, and without room for these the
 * last line counts the others.
 */
static void draw(struct watch *w)
{
	struct winsize size = {.ws_col = 100, .ws_row = 40};
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	int width = size.ws_col > 40 ? size.ws_col : 40;
	int shown = 0, hidden = 0, faults = 0;
	for (size_t i = 0; i < w->count; i++)
		shown += is_shown(w, i);
	int rows = shown > 0 ? (size.ws_row - 2) / shown - 4 : 8;
	int room = size.ws_row > 4 ? size.ws_row - 2 : 2;
	room -= shown > room; /* for the count */
	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	printf("last entry %" PRIu64 "\n", w->head);
	for (size_t i = 0; i < w->count; i++) {
		if (is_shown(w, i) && room-- > 0) {
			draw_seen(w->seen[i], width, rows > 10 ? 10 : rows);
		} else if (is_shown(w, i)) {
			hidden++;
			faults += strcmp(w->seen[i]->state, "fault") == 0;
		}
	}
	if (hidden > 0)
		printf("%d more, %d at fault: assayctl list\n", hidden, faults);
	fflush(stdout);
}

struct present_run {
	char number[80];
};

struct present {
	char key[33], state[20], text[120];
	bool simulated;
	struct present_run run;
};

static const struct keys run_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct present_run, number), {0}}, .open = true};

static const struct keys present_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct present, key), ROW_TEXT(struct present, state),
		ROW_TEXT(struct present, text), ROW_BOOL(struct present, simulated),
		ROW_MAP(struct present, run, run_keys), {0}},
	.open = true};

/*
 * States are published when they change: request the present ones once.  False: the daemon has no
 * such instrument.
 */
static bool ask_states(struct watch *w)
{
	bool is_known = w->wanted == NULL;
	struct control_request request;
	struct control_reply reply;
	struct reader r;
	control_request_init(&request, "status");
	int error = client_ask(w->options, &request, 2, &reply);
	size_t left = error == 0 ? print_open_list(reply.body, "instruments", &r) : 0;
	for (struct present now = {0}; left > 0; left--, now = (struct present){0}) {
		if (keys_read(&r, &present_keys, &now, NULL) < 0)
			break;
		is_known |= w->wanted != NULL && strcmp(w->wanted, now.key) == 0;
		struct seen *s = find_seen(w, string_of(now.key));
		if (s == NULL)
			continue;
		memcpy(s->state, now.state, sizeof s->state);
		memcpy(s->text, now.text, sizeof s->text);
		memcpy(s->title, now.run.number, sizeof s->title);
		s->sim = now.simulated;
	}
	control_reply_finish(&reply);
	return is_known || error != 0;
}

static void receive(struct watch *w, void *socket)
{
	for (int turn = 0; turn < 1000; turn++) {
		zmq_msg_t topic, body;
		zmq_msg_init(&topic);
		zmq_msg_init(&body);
		bool whole = zmq_msg_recv(&topic, socket, ZMQ_DONTWAIT) >= 0 &&
			     zmq_msg_more(&topic) && zmq_msg_recv(&body, socket, 0) >= 0;
		if (whole)
			take_message(w, &topic, zmq_msg_data(&body), zmq_msg_size(&body));
		zmq_msg_close(&topic);
		zmq_msg_close(&body);
		if (!whole)
			return;
	}
}

static void follow(struct watch *w, void *socket, uint64_t until)
{
	uint64_t redraw = 0;
	bool screen = !w->plain && !w->options->json;
	while (!*w->must_stop && clock_boot() < until) {
		zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
		if (zmq_poll(&item, 1, 200) > 0)
			receive(w, socket);
		if (screen && clock_boot() >= redraw) {
			draw(w);
			redraw = clock_boot() +
				 (isatty(STDOUT_FILENO) ? REDRAW_NS : 10 * REDRAW_NS);
		}
	}
	if (screen)
		draw(w);
}

static int watch(struct watch *w, uint64_t until)
{
	static const char *const topics[] = {
		"a1/data/", "a1/sim-data/", "a1/state/", "a1/sim-state/", "a1/head/"};
	void *context = zmq_ctx_new();
	void *socket = context != NULL ? zmq_socket(context, ZMQ_SUB) : NULL;
	if (socket == NULL)
		return 1;
	int linger = 0;
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
	for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
		zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topics[i], strlen(topics[i]));
	int r = 0;
	if (zmq_connect(socket, w->options->live) < 0) {
		fprintf(stderr, "assayctl: %s: %s\n", w->options->live, zmq_strerror(errno));
		r = 1;
	} else {
		follow(w, socket, until);
	}
	zmq_close(socket);
	zmq_ctx_term(context);
	return r;
}

int command_watch(const struct options *options, const struct args *args)
{
	struct watch w = {.options = options,
		.wanted = args->words[0],
		.plain = args_has(args, "plain"),
		.must_stop = interrupt_catch()};
	uint64_t until = UINT64_MAX;
	if (args_has(args, "seconds"))
		until = clock_boot() + args_number(args, "seconds") * NS_PER_S;
	int r = 0;
	if (!options->json && !ask_states(&w)) {
		fprintf(stderr, "assayctl: there is no instrument %s; assayctl list shows them\n",
			w.wanted);
		r = 1;
	}
	if (r == 0)
		r = watch(&w, until);
	for (size_t i = 0; i < w.count; i++)
		free(w.seen[i]);
	return r;
}

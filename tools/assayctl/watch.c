/* SPDX-License-Identifier: Apache-2.0 */
/* watch: live data, as a screen, lines or JSON. */
#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include <assay/record.h>

#include "args.h"
#include "base/clock.h"
#include "client.h"
#include "interrupt.h"
#include "print.h"
#include "record/entry.h"
#include "watch.h"

#define REDRAW_NS    (500 * NS_PER_MS)
#define RATE_SPAN_NS (5 * NS_PER_S)

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
	s->last = now;
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

/* "mole fraction [%]": a name for people, and a unit if it has a sign. */
static void label(char *to, size_t size, const char *name, struct assay_string unit)
{
	char sign[20];
	print_safe(sign, sizeof sign, unit);
	bool is_plain = sign[0] == '\0' || strcmp(sign, "1") == 0 || sign[0] == '{';
	snprintf(to, size, "%s%s%s%s", strcmp(name, "mz") == 0 ? "m/z" : name, is_plain ? "" : " [",
		is_plain ? "" : sign, is_plain ? "" : "]");
	for (; *to != '\0'; to++)
		*to = *to == '_' ? ' ' : *to;
}

static void keep_curve(
	struct seen *s, const struct assay_frame_view *frame, const struct assay_var_view *var)
{
	struct assay_var_view axis;
	char name[ASSAY_NAME_MAX + 1], y_name[ASSAY_NAME_MAX + 1];
	print_safe(name, sizeof name, var->dims[0]);
	name_of(y_name, sizeof y_name, var);
	s->history = false;
	s->count = var->count < POINTS_MAX ? var->count : POINTS_MAX;
	for (size_t i = 0; i < s->count; i++)
		s->y[i] = assay_var_number(var, i);
	label(s->y_name, sizeof s->y_name, y_name, var->unit);
	label(s->x_name, sizeof s->x_name, name, string_of(""));
	s->x_first = 0;
	s->x_last = (double)s->count - 1;
	if (assay_frame_find(frame, name, &axis) == 0 && axis.count > 0) {
		label(s->x_name, sizeof s->x_name, name, axis.unit);
		s->x_first = assay_var_number(&axis, 0);
		s->x_last = assay_var_number(
			&axis, s->count < axis.count ? s->count - 1 : axis.count - 1);
	}
}

static void keep_value(struct seen *s, const struct assay_var_view *var)
{
	char name[ASSAY_NAME_MAX + 1];
	if (!s->history)
		s->count = 0;
	s->history = true;
	if (s->count == HISTORY) {
		memmove(s->y, s->y + 1, (HISTORY - 1) * sizeof s->y[0]);
		memmove(s->times, s->times + 1, (HISTORY - 1) * sizeof s->times[0]);
		s->count--;
	}
	s->times[s->count] = clock_boot();
	s->y[s->count++] = assay_var_number(var, 0);
	name_of(name, sizeof name, var);
	label(s->y_name, sizeof s->y_name, name, var->unit);
	snprintf(s->x_name, sizeof s->x_name, "time [s]");
	s->x_first = -(double)(s->times[s->count - 1] - s->times[0]) / (double)NS_PER_S;
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

static void take_state(struct seen *s, const struct assay_record_view *record)
{
	char state[sizeof s->state];
	print_safe(state, sizeof state, record->state);
	if (strcmp(state, s->state) != 0)
		s->since = record->t.utc;
	memcpy(s->state, state, sizeof s->state);
	print_safe(s->text, sizeof s->text, record->text);
	s->sim = record->sim;
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
	if (record.type == ASSAY_RECORD_STATE)
		take_state(s, &record);
	if (record.type == ASSAY_RECORD_RUN_START) {
		print_safe(s->number, sizeof s->number, record.number);
		s->is_run_new = true;
	}
	if (record.type == ASSAY_RECORD_FRAME && (w->plain || !w->view.is_paused) &&
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

/* --- the daemon ------------------------------------------------------------------------------ */

struct present_run {
	char number[80];
};

struct present {
	char key[33], state[20], text[160];
	uint64_t since;
	bool simulated;
	struct present_run run;
};

static const struct keys run_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct present_run, number), {0}}, .open = true};

static const struct keys present_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct present, key), ROW_TEXT(struct present, state),
		ROW_TEXT(struct present, text), ROW_UINT(struct present, since),
		ROW_BOOL(struct present, simulated), ROW_MAP(struct present, run, run_keys), {0}},
	.open = true};

struct run_facts {
	char sample[100], person[100];
	uint64_t start;
	struct assay_span run_start;
};

static const struct keys facts_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct run_facts, sample),
		{"operator", KEY_OTHER, KEY_AT(struct run_facts, person), .read = print_read_value},
		ROW_UINT(struct run_facts, start), ROW_RAW(struct run_facts, run_start), {0}},
	.open = true};

struct preset {
	double v;
	char u[8];
};

static const struct keys preset_keys = {
	.rows = (const struct key[]){{"v", KEY_NUMBER, KEY_AT(struct preset, v)},
		ROW_TEXT(struct preset, u), {0}},
	.open = true};

/* Sample, operator, start and the time that the run takes, by its number. */
static void ask_run(const struct watch *w, struct seen *s)
{
	struct control_request request;
	struct control_reply reply;
	struct run_facts facts = {0};
	struct preset preset = {0};
	s->is_run_new = false;
	control_request_init(&request, "run-show");
	map_text(&request.map, "number", s->number);
	map_bool(&request.map, "records", true);
	int r = client_try(w->options, &request, 1, &reply);
	struct assay_span run = r == 0 ? keys_value(reply.body, string_of("run")) : reply.body;
	if (r == 0 && keys_decode(&facts_keys, run.data, run.len, &facts) == 0) {
		memcpy(s->sample, facts.sample, sizeof s->sample);
		memcpy(s->person, facts.person, sizeof s->person);
		s->start = facts.start;
		struct assay_span settings = keys_value(facts.run_start, string_of("settings"));
		struct assay_span value = keys_value(settings, string_of("preset_time"));
		bool is_read = value.len > 0 &&
			       keys_decode(&preset_keys, value.data, value.len, &preset) == 0;
		s->preset = is_read && strcmp(preset.u, "s") == 0 && preset.v > 0 && preset.v < 1e9
				    ? preset.v
				    : 0;
	}
	control_reply_finish(&reply);
}

static void ask_runs(struct watch *w)
{
	for (size_t i = 0; i < w->count; i++) {
		if (w->seen[i]->is_run_new)
			ask_run(w, w->seen[i]);
	}
}

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
		snprintf(s->number, sizeof s->number, "%s", now.run.number);
		s->is_run_new = s->number[0] != '\0';
		s->since = now.since;
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

/* The other screen of the terminal, without the cursor, on which no line wraps; and back. */
static void use_screen(bool is_on)
{
	if (isatty(STDOUT_FILENO))
		fputs(is_on ? "\033[?1049h\033[?25l\033[?7l\033[H\033[2J"
			    : "\033[?7h\033[?25h\033[?1049l",
			stdout);
	fflush(stdout);
}

/* 0, or a negative errno: the daemon does not let this key in. */
static int follow(struct watch *w, void *socket, struct secure_watch *access, uint64_t until)
{
	uint64_t redraw = 0;
	bool screen = !w->plain && !w->options->json;
	while (!*w->must_stop && !w->view.must_end && clock_boot() < until) {
		zmq_pollitem_t items[] = {{.socket = socket, .events = ZMQ_POLLIN},
			{.fd = keys_fd(), .events = ZMQ_POLLIN}};
		zmq_poll(items, keys_fd() >= 0 ? 2 : 1, 200);
		if ((items[0].revents & ZMQ_POLLIN) != 0)
			receive(w, socket);
		if (screen && keys_fd() >= 0 && items[1].revents != 0) {
			keys_take(w);
			redraw = 0;
		}
		int error = secure_watch_look(access);
		if (error < 0)
			return error;
		if (screen && clock_boot() >= redraw) {
			ask_runs(w);
			watch_draw(w);
			redraw = clock_boot() +
				 (isatty(STDOUT_FILENO) ? REDRAW_NS : 10 * REDRAW_NS);
		}
	}
	if (screen)
		watch_draw(w);
	return 0;
}

static int follow_on_screen(
	struct watch *w, void *socket, struct secure_watch *access, uint64_t until)
{
	if (w->plain || w->options->json)
		return follow(w, socket, access, until);
	setlocale(LC_CTYPE, "C.UTF-8");
	use_screen(true);
	keys_begin();
	int r = follow(w, socket, access, until);
	keys_end();
	use_screen(false);
	return r;
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
	struct secure_watch access = {0};
	int r = secure_socket(socket, &w->options->keys);
	if (r < 0 || secure_watch_begin(&access, context, socket, &w->options->keys) < 0 ||
		zmq_connect(socket, w->options->live) < 0) {
		fprintf(stderr, "assayctl: %s: %s\n", w->options->live, zmq_strerror(errno));
		r = 1;
	} else {
		int error = follow_on_screen(w, socket, &access, until);
		r = error < 0 ? client_no_answer(w->options->live, error) : 0;
	}
	secure_watch_end(&access);
	zmq_close(socket);
	zmq_ctx_term(context);
	return r;
}

int command_watch(const struct options *options, const struct args *args)
{
	struct watch w = {.options = options,
		.wanted = args->words[0],
		.plain = args_has(args, "plain"),
		.view = {.to = 1},
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

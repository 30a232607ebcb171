/* SPDX-License-Identifier: Apache-2.0 */
/* The commands: words separated by blanks.  One line, one reply; a set command replies an empty line. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hiden.h"

#define WORDS_MAX  16
#define REPLY_MAX  16384
#define DWELL_MS   60 /* 100 % */
#define SETTLE_MS  10
#define POINTS_MAX 100

static const struct device_row {
	const char *name;
	double min, max;
} device_rows[DEVICES] = {
	[DEVICE_MODE] = {"mode", 0, 1},
	[DEVICE_ENABLE] = {"enable", 0, 1},
	[DEVICE_F1] = {"F1", 0, 1},
	[DEVICE_F2] = {"F2", 0, 1},
	[DEVICE_EMISSION] = {"emission", 20, 5000},
	[DEVICE_ENERGY] = {"electron-energy", 4, 150},
	[DEVICE_MULTIPLIER] = {"multiplier", 0, 2000},
	[DEVICE_FOCUS] = {"focus", -200, 0},
	[DEVICE_CAGE] = {"cage", -10, 10},
	[DEVICE_DEGAS] = {"degas", 0, 1},
};

struct words {
	char *at[WORDS_MAX];
	size_t n;
};

static void reply(struct hiden *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void reply(struct hiden *h, const char *format, ...)
{
	char text[REPLY_MAX];
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(text, sizeof text - 2, format, ap);
	va_end(ap);
	memcpy(text + n, "\r\n", 2);
	sim_emit(h->m, text, (size_t)n + 2);
}

static void refuse(struct hiden *h)
{
	sim_truth(h->m, "refused", ",\"line\":%zu", h->line_len);
	reply(h, HIDEN_ERROR);
}

static bool is(const struct words *w, size_t i, const char *word)
{
	return i < w->n && strcmp(w->at[i], word) == 0;
}

static bool number(const struct words *w, size_t i, double min, double max, double *value)
{
	return i < w->n && number_parse(w->at[i], value) == 0 && *value >= min && *value <= max;
}

static int find_device(const char *name)
{
	for (int i = 0; i < DEVICES; i++)
		if (strcmp(device_rows[i].name, name) == 0)
			return i;
	return -1;
}

/* lset <device> <value>: now; lput <device> <value of mode 0> <of mode 1> */
static bool set_device(struct hiden *h, const struct words *w, bool by_mode)
{
	int device = w->n > 1 ? find_device(w->at[1]) : -1;
	double values[2];
	if (device < 0 || w->n != (by_mode ? 4 : 3))
		return false;
	double min = device_rows[device].min, max = device_rows[device].max;
	if (!number(w, 2, min, max, &values[0]) || !number(w, w->n - 1, min, max, &values[1]))
		return false;
	memcpy(h->device[device], values, sizeof values);
	return true;
}

/* Flags, which only the analyser sets. */
static int read_flag(const struct hiden *h, const char *name)
{
	if (strcmp(name, "filok") == 0)
		return !h->is_tripped || h->plan.trip != 113;
	if (strcmp(name, "emok") == 0)
		return hiden_emits(h);
	if (strcmp(name, "ptrip") == 0)
		return h->is_tripped && h->plan.trip == 112;
	if (strcmp(name, "overtemp") == 0)
		return h->is_tripped && h->plan.trip == 115;
	if (strcmp(name, "inhibit") == 0)
		return h->is_tripped && h->plan.trip == 111;
	return -1;
}

static bool get_device(struct hiden *h, const struct words *w)
{
	if (w->n != 2)
		return false;
	int device = find_device(w->at[1]), flag = read_flag(h, w->at[1]);
	if (device < 0 && flag < 0)
		return false;
	double value = device >= 0 ? hiden_device(h, (enum hiden_device)device) : flag;
	reply(h, "%s%s%g", h->is_terse ? "" : w->at[1], h->is_terse ? "" : " ", value);
	return true;
}

static bool get_parameter(struct hiden *h, const struct words *w)
{
	if (w->n != 2)
		return false;
	if (is(w, 1, "name") || is(w, 1, "ID"))
		reply(h, "\"HAL RC RGA %d #%u\"", h->plan.model,
			h->plan.serial + sim_fault_active(h->m, FAULT_WRONG_IDENTITY));
	else if (is(w, 1, "release"))
		reply(h, "Release 10.11.0, 2022-11-28, 132720");
	else if (is(w, 1, "configuration"))
		reply(h, "HAL RC RGA %d simulated", h->plan.model);
	else
		return false;
	return true;
}

static bool set_parameter(struct hiden *h, const struct words *w)
{
	double value;
	if (w->n != 3)
		return false;
	if (is(w, 1, "terse") && number(w, 2, 0, 1, &value))
		h->is_terse = value != 0;
	else if (is(w, 1, "points") && number(w, 2, 1, POINTS_MAX, &value))
		h->points_max = (long)value;
	else if (is(w, 1, "cycles") && number(w, 2, 0, 1e9, &value))
		h->cycles = (long)value;
	else
		return false;
	return true;
}

/* "50%" of the default, or milliseconds. */
static bool read_time(const struct words *w, double whole, double *ms)
{
	char text[24];
	size_t len = w->n > 2 ? strlen(w->at[2]) : 0;
	bool is_share = len > 1 && w->at[2][len - 1] == '%';
	if (len == 0 || len >= sizeof text)
		return false;
	memcpy(text, w->at[2], len + 1);
	text[len - is_share] = '\0';
	if (number_parse(text, ms) < 0 || *ms <= 0 || *ms > 1e6)
		return false;
	*ms *= is_share ? whole / 100 : 1;
	return true;
}

static bool select_row(struct hiden *h, const struct words *w)
{
	double value;
	if (!number(w, 2, 1, (double)h->n_rows + 1, &value) || value > HIDEN_ROWS_MAX ||
		value != (double)(size_t)value)
		return false;
	h->row = (size_t)value;
	if (h->row > h->n_rows) {
		h->rows[h->n_rows++] = (struct hiden_row){.start = 1,
			.stop = 50,
			.step = 1,
			.dwell = DWELL_MS,
			.settle = SETTLE_MS,
			.report = HIDEN_REPORT_VALUE | HIDEN_REPORT_MASS};
	}
	return true;
}

static bool set_row(struct hiden *h, const struct words *w)
{
	if (h->row == 0 || w->n < 3)
		return false;
	struct hiden_row *row = &h->rows[h->row - 1];
	double value;
	if (is(w, 1, "start"))
		return number(w, 2, 0.4, h->plan.mass_max, &row->start);
	if (is(w, 1, "stop"))
		return number(w, 2, 0.4, h->plan.mass_max, &row->stop);
	if (is(w, 1, "step"))
		return number(w, 2, 0.01, 10, &row->step);
	if (is(w, 1, "dwell"))
		return read_time(w, DWELL_MS, &row->dwell);
	if (is(w, 1, "settle"))
		return read_time(w, SETTLE_MS, &row->settle);
	if (is(w, 1, "output"))
		return is(w, 2, "mass"); /* a scan of the energy is not simulated */
	if (is(w, 1, "input")) {
		row->has_multiplier = is(w, 2, "SEM");
		return row->has_multiplier || is(w, 2, "Faraday");
	}
	if (is(w, 1, "low") || is(w, 1, "high") || is(w, 1, "current"))
		return number(w, 2, -15, -3, &value);
	if (is(w, 1, "report") && number(w, 2, 1, 31, &value)) {
		row->report = (int)value;
		return true;
	}
	return (is(w, 1, "mode") || is(w, 1, "zero")) && number(w, 2, 0, 1, &value);
}

static bool set_state(struct hiden *h, const struct words *w)
{
	bool is_running = h->state == STATE_RUN || h->state == STATE_WAIT;
	if (is(w, 2, "Abort:"))
		run_end(h, STATE_ABORT);
	else if (is(w, 2, "Stop:"))
		h->stops_after_cycle = true;
	else if (is(w, 2, "Wait:") && is_running)
		h->state = STATE_WAIT;
	else if (is(w, 2, "Run:") && is_running) {
		h->state = STATE_RUN;
		h->due = h->now;
	} else
		return false;
	return true;
}

static bool set_scan(struct hiden *h, const struct words *w)
{
	double value;
	if (is(w, 1, "state"))
		return set_state(h, w);
	if (h->state == STATE_RUN || w->n < 3)
		return false;
	if (is(w, 1, "scan")) {
		if (strlen(w->at[2]) >= HIDEN_NAME_MAX)
			return false;
		if (strcmp(h->scan, w->at[2]) != 0)
			h->n_rows = h->row = 0;
		memcpy(h->scan, w->at[2], strlen(w->at[2]) + 1);
		return true;
	}
	if (h->scan[0] == '\0')
		return false;
	if (is(w, 1, "row"))
		return select_row(h, w);
	if (is(w, 1, "cycles") && number(w, 2, 0, 1e9, &value)) {
		h->cycles = (long)value;
		return true;
	}
	if (is(w, 1, "interval"))
		return number(w, 2, 0, 86400, &h->interval);
	if (is(w, 1, "options") || is(w, 1, "env"))
		return true;
	return set_row(h, w);
}

static bool is_scan(const struct hiden *h, const struct words *w, size_t i)
{
	return h->scan[0] != '\0' && h->n_rows > 0 && is(w, i, h->scan);
}

/* sjob lget <scan> */
static bool start_job(struct hiden *h, const struct words *w)
{
	if (!is(w, 1, "lget") || !is_scan(h, w, 2) || !h->is_initialised || h->state == STATE_RUN)
		return false;
	for (size_t i = 0; i < h->n_rows; i++)
		if (h->rows[i].stop < h->rows[i].start)
			return false;
	run_start(h);
	reply(h, "task %d, job %d,", h->job, h->job);
	return true;
}

static bool initialise(struct hiden *h, const struct words *w)
{
	if (!is(w, 1, "all") && !is_scan(h, w, 1))
		return false;
	h->is_initialised = true;
	return true;
}

static void send_data(struct hiden *h)
{
	char text[REPLY_MAX - 2];
	bool is_over = h->state == STATE_STOP || h->state == STATE_ABORT;
	if (run_read(h, text, sizeof text) > 0)
		reply(h, "%s", text);
	else if (is_over)
		reply(h, "%s", h->plan.ends_with_mark ? "!" : HIDEN_NO_MORE);
	else if (h->is_tripped)
		reply(h, "*P%d*", h->plan.trip);
	else
		reply(h, "%s", "");
}

static bool data(struct hiden *h, const struct words *w)
{
	if (w->n == 1 || is(w, 1, "all")) {
		if (!h->is_reporting)
			return false;
		if (w->n > 1)
			h->read = 0;
		send_data(h);
		return true;
	}
	if (!is(w, 1, "on") && !is(w, 1, "off") && !is(w, 1, "stop"))
		return false;
	h->is_reporting = is(w, 1, "on");
	reply(h, "%s", "");
	return true;
}

static bool report_task(struct hiden *h, const struct words *w)
{
	double task;
	if (!is(w, 1, "task") || !number(w, 2, 1, 1e9, &task) || (int)task != h->job)
		return false;
	reply(h, "task %d,%s", h->job,
		h->state == STATE_RUN    ? "running"
		: h->state == STATE_WAIT ? "idle"
					 : "stopped");
	return true;
}

static bool report_state(struct hiden *h, const struct words *w)
{
	static const char *const names[] = {"Abort:", "Stop:", "Wait:", "Run:"};
	if (!is(w, 1, "state"))
		return false;
	reply(h, "%s", names[h->state]);
	return true;
}

/* sdel, tdel, sout, serr, l999: the preamble of the vendor's program. */
static bool take_preamble(struct hiden *h, const struct words *w)
{
	static const char *const lines[][2] = {{"sdel", "all"}, {"tdel", "all"}, {"sout", "NUL:"},
		{"serr", "NUL:"}, {"l999", "scan"}};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		if (!is(w, 0, lines[i][0]) || !is(w, 1, lines[i][1]) || w->n != 2)
			continue;
		if (i == 0) {
			run_end(h, STATE_ABORT);
			h->scan[0] = '\0';
			h->n_rows = h->row = 0;
			h->is_initialised = false;
		}
		return true;
	}
	return false;
}

static bool stop_job(struct hiden *h, const struct words *w)
{
	double job;
	if (w->n != 2 || !number(w, 1, 1, 1e9, &job) || (int)job != h->job)
		return false;
	run_end(h, STATE_STOP);
	return true;
}

static bool put_device(struct hiden *h, const struct words *w)
{
	return set_device(h, w, true);
}

static bool set_device_now(struct hiden *h, const struct words *w)
{
	return set_device(h, w, false);
}

static bool quit(struct hiden *h, const struct words *w)
{
	return w->n == 1;
}

static const struct hiden_command_row {
	const char *name;
	bool (*carry_out)(struct hiden *h, const struct words *w); /* false: refused */
	bool replies; /* itself, when it is not refused */
} hiden_commands[] = {
	{"data", data, true},
	{"pget", get_parameter, true},
	{"lget", get_device, true},
	{"sget", report_state, true},
	{"stat", report_task, true},
	{"sjob", start_job, true},
	{"pset", set_parameter, false},
	{"lset", set_device_now, false},
	{"lput", put_device, false},
	{"sset", set_scan, false},
	{"lini", initialise, false},
	{"stop", stop_job, false},
	{"quit", quit, false},
	{"sdel", take_preamble, false},
	{"tdel", take_preamble, false},
	{"sout", take_preamble, false},
	{"serr", take_preamble, false},
	{"l999", take_preamble, false},
};

void hiden_command(struct hiden *h, char *line)
{
	struct words w = {0};
	char *rest = NULL;
	for (char *word = strtok_r(line, " ", &rest); word != NULL && w.n < WORDS_MAX;
		word = strtok_r(NULL, " ", &rest))
		w.at[w.n++] = word;
	for (size_t i = 0; i < sizeof hiden_commands / sizeof hiden_commands[0]; i++) {
		if (!is(&w, 0, hiden_commands[i].name))
			continue;
		if (!hiden_commands[i].carry_out(h, &w))
			refuse(h);
		else if (!hiden_commands[i].replies)
			reply(h, "%s", "");
		return;
	}
	refuse(h);
}

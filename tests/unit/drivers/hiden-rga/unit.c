/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit_device *unit_device(struct unit *u, const char *name)
{
	for (struct unit_device *d = u->devices; d->name != NULL; d++)
		if (strcmp(d->name, name) == 0)
			return d;
	host_bug("there is no device %s", name);
}

static struct unit_device *find(struct unit *u, const char *name)
{
	for (struct unit_device *d = u->devices; d->name != NULL; d++)
		if (strcmp(d->name, name) == 0 && !d->is_missing)
			return d;
	return NULL;
}

double unit_truth(double mass)
{
	char text[32];
	double value = fmod(mass, 3) < 1 ? -mass * 1.23e-13 : mass * 4.56e-11;
	snprintf(text, sizeof(text), "%.2e", value);
	return strtod(text, NULL);
}

static bool is_lit(struct unit *u)
{
	return unit_device(u, "F1")->value > 0 || unit_device(u, "F2")->value > 0;
}

static void enter_mode(struct unit *u, int mode)
{
	for (struct unit_device *d = u->devices; d->name != NULL; d++)
		if (!isnan(d->modes[mode]))
			d->value = d->modes[mode];
	if (is_lit(u) && !u->h->hazard)
		host_bug("the filament is lit, and the driver has not reported it");
	unit_device(u, "mode")->value = mode;
	unit_device(u, "emok")->value = is_lit(u);
}

/* --- the scan --------------------------------------------------------------------------------- */

static void put(struct unit *u, const char *text)
{
	size_t used = strlen(u->text);
	if (used + strlen(text) >= sizeof(u->text))
		host_bug("a longer scan than the unit of the test has room for");
	strcpy(u->text + used, text);
}

static void put_value(struct unit *u, double mass, unsigned ms, const struct unit_row *row)
{
	char text[64];
	double value = unit_truth(mass);
	const char *blank = row->report == 5 && value >= 0 ? " " : "";
	if (row->report == 5)
		snprintf(text, sizeof(text), "%.2f:%s%.2e,", mass, blank, value);
	else
		snprintf(text, sizeof(text), "/%u/%.2e,", ms, value);
	put(u, text);
}

static void measure(struct unit *u)
{
	unsigned ms = 0;
	u->text[0] = '\0';
	put(u, "[");
	for (size_t i = 0; i < u->row_count; i++) {
		const struct unit_row *row = &u->rows[i];
		bool is_sweep = row->start < row->stop;
		long points = lround((row->stop - row->start) / row->step) +
			      !(is_sweep && u->is_stop_left_out);
		put(u, is_sweep ? "{" : "");
		for (long k = 0; k < points; k++, ms += 5) {
			char code[16];
			snprintf(code, sizeof(code), "*P%d*", u->trip);
			if (u->trip != 0 && k == points / 2)
				put(u, code);
			put_value(u, row->start + (double)k * row->step, ms, row);
		}
		put(u, is_sweep ? "}," : "");
		enter_mode(u, row->mode);
	}
	put(u, "]");
	if (u->trip != 0)
		unit_device(u, "emok")->value = 0;
}

static void next_data(struct unit *u, char *reply, size_t size)
{
	size_t left = strlen(u->text) - u->at;
	size_t n = left < u->piece ? left : u->piece;
	if (u->jobs == 0 || u->polls > 0 || u->h->now < u->busy_until) {
		u->polls -= u->polls > 0;
		snprintf(reply, size, "%s", u->idle);
	} else if (left == 0) {
		snprintf(reply, size, "%s", u->end);
		u->is_running = false;
	} else {
		snprintf(reply, size, "%.*s", (int)n, u->text + u->at);
		u->at += n;
	}
}

/* --- commands --------------------------------------------------------------------------------- */

static bool set_row(struct unit *u, const char *what, const char *value)
{
	struct unit_row *row = u->row > 0 ? &u->rows[u->row - 1] : NULL;
	if (strcmp(what, "row") == 0) {
		u->row = (size_t)atoi(value);
		u->row_count = u->row > u->row_count ? u->row : u->row_count;
		return u->row > 0 && u->row <= 100;
	}
	if (strcmp(what, "scan") == 0 || strcmp(what, "cycles") == 0 || row == NULL)
		return strcmp(value, "Ascans") == 0 || strcmp(value, "1") == 0;
	if (strcmp(what, "start") == 0)
		row->start = strtod(value, NULL);
	else if (strcmp(what, "stop") == 0)
		row->stop = strtod(value, NULL);
	else if (strcmp(what, "step") == 0)
		row->step = strtod(value, NULL);
	else if (strcmp(what, "mode") == 0)
		row->mode = atoi(value);
	else if (strcmp(what, "report") == 0)
		row->report = atoi(value);
	else if (strcmp(what, "input") == 0)
		snprintf(row->input, sizeof(row->input), "%s", value);
	return true;
}

static bool run_device(struct unit *u, char *words[], size_t n, char *reply, size_t size)
{
	struct unit_device *d = n > 1 ? find(u, words[1]) : NULL;
	if (d == NULL)
		return false;
	if (strcmp(words[0], "lget") == 0) {
		bool is_dark = u->holds_no_emission && strcmp(d->name, "emission") == 0;
		snprintf(reply, size, "%.10g", is_dark ? 3.0 : d->value);
	} else if (strcmp(words[0], "lput") == 0 && n == 4) {
		d->modes[0] = strtod(words[2], NULL);
		d->modes[1] = strtod(words[3], NULL);
	} else if (strcmp(d->name, "mode") == 0 && n == 3) {
		enter_mode(u, atoi(words[2]));
	} else if (n == 3) {
		d->value = strtod(words[2], NULL);
	}
	unit_device(u, "emok")->value = is_lit(u);
	return true;
}

static bool run(struct unit *u, const char *command, char *reply, size_t size)
{
	char copy[200], *words[8] = {0}, *rest;
	size_t n = 0;
	snprintf(copy, sizeof(copy), "%s", command);
	for (char *w = strtok_r(copy, " ", &rest); w != NULL && n < 8;
		w = strtok_r(NULL, " ", &rest))
		words[n++] = w;
	if (n == 0 || (u->refuses != NULL && strncmp(command, u->refuses, strlen(u->refuses)) == 0))
		return false;
	if (strcmp(command, "pget name") == 0)
		snprintf(reply, size, "%s", u->name);
	else if (strcmp(command, "pget release") == 0)
		snprintf(reply, size, "Release 10.11.0, 2022-11-28, 131720");
	else if (strcmp(command, "sjob lget Ascans") == 0) {
		if (u->is_running)
			host_bug("a job is started while another one runs");
		snprintf(reply, size, "task 1, job %u,", ++u->jobs);
		if (u->data != NULL)
			snprintf(u->text, sizeof(u->text), "%s", u->data);
		else
			measure(u);
		u->at = 0;
		u->is_running = !u->ends_first;
	} else if (strcmp(command, "data all") == 0 || strcmp(command, "data") == 0) {
		u->at = n == 2 ? 0 : u->at;
		next_data(u, reply, size);
	} else if (strcmp(command, "sget state") == 0)
		snprintf(reply, size, u->is_running ? "Run:" : "Stop:");
	else if (strcmp(command, "sset state Abort:") == 0)
		u->is_running = false;
	else if (strcmp(command, "sdel all") == 0)
		u->row = u->row_count = 0;
	else if (strcmp(words[0], "sset") == 0 && n == 3)
		return set_row(u, words[1], words[2]);
	else if (words[0][0] == 'l' && strcmp(words[0], "lini") != 0)
		return run_device(u, words, n, reply, size);
	else
		return strcmp(words[0], "data") == 0 || strcmp(words[0], "pset") == 0 ||
		       strcmp(words[0], "lini") == 0;
	return true;
}

/* --- replies ---------------------------------------------------------------------------------- */

static void answer(struct unit *u, const char *reply)
{
	char line[4200];
	snprintf(line, sizeof(line), "%s%s", reply, u->line_end);
	if (u->spoil != NULL)
		u->spoil(u, line, sizeof(line));
	enum unit_fault fault = u->commands == u->fault_at ? u->fault : UNIT_WHOLE;
	if (u->late_for > 0 && --u->late_for == 0)
		host_answer_text(u->h, u->late);
	if (fault == UNIT_LATE || fault == UNIT_LATER) {
		strcpy(u->late, line);
		u->late_for = fault == UNIT_LATE ? 1 : 2;
	} else if (fault == UNIT_EMPTY) {
		host_answer_text(u->h, u->line_end);
	} else if (fault != UNIT_LOST) {
		if (fault == UNIT_GARBLED)
			line[0] |= 0x80;
		host_answer_text(u->h, line);
		if (fault == UNIT_TWICE)
			host_answer_text(u->h, line);
	}
}

static void hear(struct host *h, const uint8_t *data, size_t len)
{
	struct unit *u = h->device_data;
	for (size_t i = 0; i < len; i++) {
		char reply[4100] = "";
		if (data[i] != '\r') {
			if (u->partial_len + 1 < sizeof(u->partial))
				u->partial[u->partial_len++] = (char)data[i];
			continue;
		}
		u->partial[u->partial_len] = '\0';
		u->partial_len = 0;
		if (++u->commands > 5000)
			host_bug("the driver sends without end");
		if (u->fault == UNIT_DEAF && u->commands == u->fault_at)
			continue;
		size_t used = strlen(u->heard);
		snprintf(u->heard + used, sizeof(u->heard) - used, "%s;", u->partial);
		if (!run(u, u->partial, reply, sizeof(reply)))
			strcpy(reply, "*C042");
		answer(u, reply);
	}
}

void unit_init(struct unit *u, struct host *h)
{
	static const struct unit_device fresh[] = {{"mode", 0, {NAN, NAN}, false},
		{"enable", 0, {NAN, NAN}, false}, {"F1", 0, {0, 0}, false},
		{"F2", 0, {0, 0}, false}, {"emission", 20, {20, 20}, false},
		{"multiplier", 0, {0, 0}, false}, {"electron-energy", 70, {70, 70}, false},
		{"focus", -90, {-90, -90}, false}, {"cage", 3, {3, 3}, false},
		{"inhibit", 0, {NAN, NAN}, false}, {"ptrip", 0, {NAN, NAN}, false},
		{"filok", 1, {NAN, NAN}, false}, {"emok", 0, {NAN, NAN}, false},
		{"overtemp", 0, {NAN, NAN}, false}};
	*u = (struct unit){.h = h,
		.name = "\"HAL RC RGA 201 #16359\"",
		.line_end = "\r\n",
		.end = "*C110*",
		.idle = "",
		.piece = 37};
	memcpy(u->devices, fresh, sizeof(fresh));
	h->device = hear;
	h->device_data = u;
}

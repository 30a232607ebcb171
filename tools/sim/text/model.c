/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define SERIAL_MAX 99999999
#define REPLY_MAX  512

static const struct sim_option options[] = {
	{"instrument", "NAME", "mt-sics",
		"mt-sics, ezo-ph, nirone, ak, gasera-one or iec-62056-21"},
	{"serial", "N", "9990300", "serial number; 9990300 to 9990399 belong to simulators"},
	{"value", "X", NULL, "what it measures, in its unit"},
	{"noise", "X", "0", "of each reading, one standard deviation"},
	{"period", "S", "0", "the value comes and goes in such a time; 0: it stays"},
	{"settle", "S", "1", "time for which a reading is not stable after a change"},
	{"prepared", NULL, NULL, "ezo-ph sends only when asked, gasera-one measures"},
	{"big-endian", NULL, NULL, "nirone: the other byte order of its floats"},
	{0},
};

static const struct text_dialect *const dialects[] = {
	&text_balance, &text_ezo, &text_nirone, &text_ak, &text_gasera, &text_meter};

#define DIALECTS (sizeof dialects / sizeof dialects[0])

void text_reply(struct text *t, const char *format, ...)
{
	char reply[REPLY_MAX];
	va_list ap;
	va_start(ap, format);
	int n = vsnprintf(reply, sizeof reply, format, ap);
	va_end(ap);
	sim_emit(t->m, reply, (size_t)n < sizeof reply ? (size_t)n : sizeof reply - 1);
}

uint32_t text_serial(struct text *t)
{
	return t->serial + sim_fault_active(t->m, FAULT_WRONG_IDENTITY);
}

double text_value(const struct text *t, bool *is_stable)
{
	uint64_t at = t->period > 0 ? t->now % t->period : t->now;
	bool is_away = t->period > 0 && t->now / t->period % 2 == 1;
	*is_stable = t->period == 0 || at >= t->settle;
	double share = *is_stable ? 1 : (double)at / (double)t->settle;
	return t->value * (is_away ? 1 - share : share);
}

double text_measure(struct text *t, bool *is_stable)
{
	double value = text_value(t, is_stable);
	double measured = value + t->noise * random_normal(sim_random_of(t->m));
	sim_truth(t->m, "measured", ",\"value\":%.9g,\"stable\":%s", value,
		*is_stable ? "true" : "false");
	return measured;
}

bool text_integer(const char *text, long min, long max, long *value)
{
	size_t len = strspn(text, "0123456789");
	if (len == 0 || len > 9 || text[len] != '\0')
		return false;
	*value = strtol(text, NULL, 10);
	return *value >= min && *value <= max;
}

static int text_init(struct sim_model *m, const struct sim_options *o)
{
	struct text *t = m->state;
	const char *names[DIALECTS + 1] = {NULL};
	int64_t serial;
	double period, settle;
	for (size_t i = 0; i < DIALECTS; i++)
		names[i] = dialects[i]->name;
	int dialect = options_choice(o, "instrument", names);
	if (dialect < 0 || options_integer(o, "serial", 0, SERIAL_MAX, &serial) < 0 ||
		options_number(o, "noise", 0, 1e6, &t->noise) < 0 ||
		options_number(o, "period", 0, 86400, &period) < 0 ||
		options_number(o, "settle", 0, 86400, &settle) < 0)
		return -EINVAL;
	t->m = m;
	t->dialect = dialects[dialect];
	t->serial = (uint32_t)serial;
	t->value = t->dialect->value;
	if (options_text(o, "value") != NULL &&
		options_number(o, "value", -1e9, 1e9, &t->value) < 0)
		return -EINVAL;
	t->period = (uint64_t)(period * 1e9);
	t->settle = (uint64_t)(settle * 1e9);
	t->swaps_bytes = options_flag(o, "big-endian");
	t->is_prepared = options_flag(o, "prepared");
	t->due = SIM_NEVER;
	if (t->dialect->init != NULL)
		t->dialect->init(t);
	return 0;
}

static void end_frame(struct text *t, size_t end)
{
	size_t len = t->len - (t->len < end ? t->len : end);
	bool is_long = t->is_long;
	t->frame[len] = '\0';
	t->len = 0;
	t->is_long = t->is_inside = false;
	t->dialect->take(t, t->frame, len, is_long);
}

static bool is_end(const struct text *t, char byte)
{
	const char *ends = t->dialect->ends;
	size_t n = strlen(ends);
	if (!t->dialect->ends_with_all)
		return byte != '\0' && strchr(ends, byte) != NULL;
	return t->len >= n && memcmp(t->frame + t->len - n, ends, n) == 0;
}

static void text_input(struct sim_model *m, const uint8_t *data, size_t len, uint64_t now)
{
	struct text *t = m->state;
	t->now = now;
	for (size_t i = 0; i < len; i++) {
		if (t->dialect->start >= 0 && data[i] == t->dialect->start) {
			t->len = 0;
			t->is_long = false;
			t->is_inside = true;
		}
		if (t->dialect->start >= 0 && !t->is_inside)
			continue;
		if (t->len == TEXT_FRAME_MAX) {
			memmove(t->frame, t->frame + 1, --t->len);
			t->is_long = true;
		}
		t->frame[t->len++] = (char)data[i];
		if (is_end(t, (char)data[i]))
			end_frame(t, t->dialect->ends_with_all ? strlen(t->dialect->ends) : 1);
	}
}

static void text_tick(struct sim_model *m, uint64_t now)
{
	struct text *t = m->state;
	while (t->due <= now) {
		t->now = t->due;
		t->due = SIM_NEVER;
		t->dialect->tick(t);
	}
	t->now = now;
}

static uint64_t text_next_wakeup(struct sim_model *m, uint64_t now)
{
	const struct text *t = m->state;
	return t->due;
}

static void text_link_reset(struct sim_model *m, uint64_t now)
{
	struct text *t = m->state;
	t->len = 0;
	t->is_long = t->is_inside = false;
}

const struct sim_model_ops text_model = {
	.name = "text",
	.driver = "text-map",
	.serial_first = 9990300,
	.serial_last = 9990399,
	.summary = "instruments with a line protocol: balance, pH, NIRONE, AK, meter",
	.state_size = sizeof(struct text),
	.options = options,
	.transports = 1U << SIM_PTY | 1U << SIM_TCP,
	.init = text_init,
	.input = text_input,
	.tick = text_tick,
	.next_wakeup = text_next_wakeup,
	.link_reset = text_link_reset,
};

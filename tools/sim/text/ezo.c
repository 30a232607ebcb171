/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EZO pH circuit of Atlas Scientific on its UART, by its data sheet.  Commands end with CR, in capitals
 * or not; a reply is a line, then the code *OK, or *ER.  As delivered it sends a reading each second.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "text.h"

#define READING (900 * TEXT_MS)
#define EACH    TEXT_S

static void init(struct text *t)
{
	t->ezo = (struct ezo_state){
		.continuous = !t->is_prepared, .codes = true, .temperature = 25};
	t->due = t->is_prepared ? SIM_NEVER : EACH;
}

static void send_code(struct text *t, const char *code)
{
	if (t->ezo.codes)
		text_reply(t, "%s\r", code);
}

static void tick(struct text *t)
{
	bool is_stable, was_asked = t->ezo.reads;
	t->ezo.reads = false;
	text_reply(t, "%.3f\r", text_measure(t, &is_stable));
	if (was_asked)
		send_code(t, "*OK");
	if (t->ezo.continuous)
		t->due = t->now + EACH;
}

/* "C,0", "C,1"; "C,n" with seconds from 2 is not simulated. */
static bool set_continuous(struct text *t, const char *text)
{
	long value;
	if (!text_integer(text, 0, 1, &value))
		return false;
	t->ezo.continuous = value;
	t->due = value ? t->now + EACH : SIM_NEVER;
	return true;
}

static bool set_codes(struct text *t, const char *text)
{
	long value;
	if (!text_integer(text, 0, 1, &value))
		return false;
	t->ezo.codes = value;
	return true;
}

static bool set_temperature(struct text *t, const char *text)
{
	double value;
	if (number_parse(text, &value) < 0 || value < -126 || value > 1254)
		return false;
	t->ezo.temperature = value;
	return true;
}

static bool set_name(struct text *t, const char *text)
{
	if (strlen(text) >= sizeof t->ezo.name || strpbrk(text, " ,") != NULL)
		return false;
	memcpy(t->ezo.name, text, strlen(text) + 1);
	return true;
}

static const struct ezo_command {
	const char *name;
	bool (*set)(struct text *t, const char *text);
} ezo_commands[] = {{"C", set_continuous}, {"*OK", set_codes}, {"T", set_temperature},
	{"Name", set_name}, {"Cal", NULL}, {"Slope", NULL}};

static void report(struct text *t, size_t row)
{
	const char *name = ezo_commands[row].name;
	switch (row) {
	case 0: text_reply(t, "?%s,%d\r", name, t->ezo.continuous); break;
	case 1: text_reply(t, "?%s,%d\r", name, t->ezo.codes); break;
	case 2: text_reply(t, "?%s,%.1f\r", name, t->ezo.temperature); break;
	case 3: text_reply(t, "?%s,%s\r", name, t->ezo.name); break;
	case 4: text_reply(t, "?%s,3\r", name); break;
	default: text_reply(t, "?%s,99.7,100.3,-0.89\r", name); break;
	}
}

static bool carry_out(struct text *t, const char *frame)
{
	const char *comma = strchr(frame, ',');
	size_t len = comma != NULL ? (size_t)(comma - frame) : 0;
	if (strcasecmp(frame, "I") == 0) {
		text_reply(t, "?I,pH,1.98\r");
		return true;
	}
	if (strcasecmp(frame, "Status") == 0) {
		text_reply(t, "?Status,P,5.038\r");
		return true;
	}
	for (size_t i = 0; len > 0 && i < sizeof ezo_commands / sizeof ezo_commands[0]; i++) {
		const struct ezo_command *command = &ezo_commands[i];
		if (strlen(command->name) != len || strncasecmp(command->name, frame, len) != 0)
			continue;
		if (strcmp(comma, ",?") != 0)
			return command->set != NULL && command->set(t, comma + 1);
		report(t, i);
		return true;
	}
	return false;
}

static void take(struct text *t, const char *frame, size_t len, bool is_long)
{
	if (len == 0)
		return;
	if (!is_long && strcasecmp(frame, "R") == 0 && !sim_fault_active(t->m, FAULT_BUSY)) {
		t->ezo.reads = true;
		t->due = t->now + READING;
		return;
	}
	bool is_good = !is_long && carry_out(t, frame);
	if (!is_good)
		sim_truth(t->m, "refused", ",\"bytes\":%zu", len);
	send_code(t, is_good ? "*OK" : "*ER");
}

const struct text_dialect text_ezo = {
	.name = "ezo-ph",
	.value = 7.012,
	.start = -1,
	.ends = "\r",
	.init = init,
	.take = take,
	.tick = tick,
};

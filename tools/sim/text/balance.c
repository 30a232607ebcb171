/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A balance of Mettler-Toledo with the levels 0 and 1 of MT-SICS, by "MT-SICS Interface Commands": 220 g,
 * 0.01 g.  A command ends with CR LF; a weight has ten places, right-aligned.
 */
#include <math.h>
#include <string.h>

#include "text.h"

#define CAPACITY   220.0
#define UNDERLOAD  (-5.0)
#define REPEAT     (200 * TEXT_MS)
#define LOOK       (50 * TEXT_MS)
#define PATIENCE   (10 * TEXT_S) /* for a stable weight; a setting of real balances */
#define ZERO_RANGE 4.4           /* of the zero key: 2 % of the capacity */
#define WEIGHT     "%10.2f g\r\n"

static const char *const commands[] = {
	"@", "I0", "I1", "I2", "I3", "I4", "S", "SI", "SIR", "T", "TA", "TAC", "TI", "Z", "ZI"};

#define COMMANDS (sizeof commands / sizeof commands[0])

static double gross(struct text *t, bool *is_stable)
{
	return text_measure(t, is_stable) - t->balance.zero;
}

/* '+' and '-' outside of the range; 0 inside. */
static char out_of_range(double weight)
{
	return weight > CAPACITY ? '+' : weight < UNDERLOAD ? '-' : '\0';
}

/* "S S     100.00 g", "S +" */
static void send_weight(struct text *t)
{
	bool is_stable;
	double weight = gross(t, &is_stable);
	char out = out_of_range(weight);
	if (out != '\0')
		text_reply(t, "S %c\r\n", out);
	else
		text_reply(t, "S %c " WEIGHT, is_stable ? 'S' : 'D', weight - t->balance.tare);
}

/* Zero and tare, at once or when stable. */
static void zero(struct text *t, const char *command, bool is_stable, double weight)
{
	bool at_once = strcmp(command, "ZI") == 0;
	if (fabs(weight) > ZERO_RANGE) {
		text_reply(t, "%s %c\r\n", command, weight > 0 ? '+' : '-');
		return;
	}
	t->balance.zero += weight;
	t->balance.tare = 0;
	text_reply(t, "%s %c\r\n", command, !at_once ? 'A' : is_stable ? 'S' : 'D');
}

static void tare(struct text *t, const char *command, bool is_stable, double weight)
{
	char out = weight < 0 ? '-' : out_of_range(weight);
	if (out != '\0') {
		text_reply(t, "%s %c\r\n", command, out);
		return;
	}
	t->balance.tare = weight;
	text_reply(t, "%s %c " WEIGHT, command, is_stable ? 'S' : 'D', weight);
}

static void act(struct text *t, const char *command)
{
	bool is_stable;
	double weight;
	if (command[0] == 'S') {
		send_weight(t);
		return;
	}
	weight = gross(t, &is_stable);
	if (command[0] == 'Z')
		zero(t, command, is_stable, weight);
	else
		tare(t, command, is_stable, weight);
}

/* At once if the weight is stable or out of range, else later. */
static void act_when_stable(struct text *t, const char *command)
{
	bool is_stable;
	double weight = text_value(t, &is_stable) - t->balance.zero;
	if (is_stable || out_of_range(weight) != '\0') {
		t->balance.waits = NULL;
		act(t, command);
	} else if (t->balance.waits == NULL) {
		t->balance.waits = command;
		t->balance.gives_up = t->now + PATIENCE;
		t->due = t->now + LOOK;
	} else if (t->now >= t->balance.gives_up) {
		t->balance.waits = NULL;
		text_reply(t, "%s I\r\n", command);
	} else {
		t->due = t->now + LOOK;
	}
}

static void tick(struct text *t)
{
	if (t->balance.waits != NULL) {
		act_when_stable(t, t->balance.waits);
	} else if (t->balance.repeats) {
		send_weight(t);
		t->due = t->now + REPEAT;
	}
}

static void list_commands(struct text *t)
{
	for (size_t i = 0; i < COMMANDS; i++)
		text_reply(t, "I0 %c %c \"%s\"\r\n", i + 1 < COMMANDS ? 'B' : 'A',
			strchr("ST", commands[i][0]) != NULL && strlen(commands[i]) > 1 ? '1' : '0',
			commands[i]);
}

/* TA, and TA with a weight as "100.00 g". */
static void preset(struct text *t, const char *text)
{
	char number[16];
	size_t len = strcspn(text, " ");
	double value;
	if (*text != '\0') {
		snprintf(number, sizeof number, "%.*s", len < 15 ? (int)len : 15, text);
		if (strcmp(text + len, " g") != 0 || number_parse(number, &value) < 0 ||
			value < 0 || value > CAPACITY) {
			text_reply(t, "TA L\r\n");
			return;
		}
		t->balance.tare = value;
	}
	text_reply(t, "TA A " WEIGHT, t->balance.tare);
}

static void carry_out(struct text *t, const char *command, const char *rest)
{
	bool is_weight = strchr("STZ", command[0]) != NULL;
	char head = command[0];
	if (*rest != '\0' && strcmp(command, "TA") != 0) {
		text_reply(t, "%s L\r\n", command);
	} else if (is_weight && (t->balance.waits != NULL || sim_fault_active(t->m, FAULT_BUSY))) {
		text_reply(t, "%s I\r\n", head == 'S' ? "S" : command);
	} else if (strcmp(command, "TA") == 0) {
		preset(t, rest);
	} else if (strcmp(command, "TAC") == 0) {
		t->balance.tare = 0;
		text_reply(t, "TAC A\r\n");
	} else if (strcmp(command, "SIR") == 0) {
		t->balance.repeats = true;
		tick(t);
	} else if (strchr("STZ", head) != NULL && command[1] == '\0') {
		t->balance.repeats = false;
		act_when_stable(t, command);
	} else if (is_weight) {
		t->balance.repeats = false;
		act(t, command);
	}
}

static void inform(struct text *t, const char *command)
{
	switch (command[1]) {
	case '0': list_commands(t); break;
	case '1': text_reply(t, "I1 A \"01\" \"2.30\" \"2.20\" \"\" \"\"\r\n"); break;
	case '2': text_reply(t, "I2 A \"SIM Standard %.4f g\"\r\n", CAPACITY); break;
	case '3': text_reply(t, "I3 A \"1.00 0.0.0.0.0\"\r\n"); break;
	default: text_reply(t, "I4 A \"%u\"\r\n", text_serial(t)); break;
	}
}

static void take(struct text *t, const char *frame, size_t len, bool is_long)
{
	const char *space = strchr(frame, ' ');
	size_t n = space != NULL ? (size_t)(space - frame) : len;
	for (size_t i = 0; !is_long && strlen(frame) == len && i < COMMANDS; i++) {
		if (strlen(commands[i]) != n || memcmp(commands[i], frame, n) != 0)
			continue;
		const char *command = commands[i], *rest = space != NULL ? space + 1 : "";
		if (command[0] == '@') {
			t->balance.repeats = false;
			t->balance.waits = NULL;
			t->due = SIM_NEVER;
			inform(t, "I4");
		} else if (command[0] == 'I' && *rest == '\0') {
			inform(t, command);
		} else {
			carry_out(t, command, rest);
		}
		return;
	}
	sim_truth(t->m, "refused", ",\"bytes\":%zu", len);
	text_reply(t, "ES\r\n");
}

const struct text_dialect text_balance = {
	.name = "mt-sics",
	.value = 100,
	.start = -1,
	.ends = "\r\n",
	.ends_with_all = true,
	.take = take,
	.tick = tick,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COMMAND_MAX  80
#define COMMANDS_MAX 400
#define WRITE_MS     1000
#define TRIES        3
#define IDENTITY     "pget name" /* the one query that is known to be safe on a running unit */

bool hiden_is_final(int r)
{
	return r == -ECANCELED || r == -ENODEV;
}

static int timeout_of(const struct assay_instrument *ins)
{
	return (int)(assay_number(ins->settings, "timeout") * 1000);
}

/* --- lines ------------------------------------------------------------------------------------ */

/* The next character; the LF of CR LF is none, however late it comes. */
static int next_character(struct assay_instrument *ins, char *c, int ms)
{
	struct hiden *st = ins->state;
	for (;;) {
		if (st->at == st->have) {
			ssize_t n = assay_read(ins, st->in, sizeof(st->in), ms);
			if (n < 0)
				return (int)n;
			st->at = 0;
			st->have = (size_t)n;
		}
		*c = st->in[st->at++];
		bool is_rest = *c == '\n' && st->is_after_cr;
		st->is_after_cr = *c == '\r';
		if (!is_rest)
			return 0;
	}
}

static int read_line(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	for (size_t len = 0;;) {
		char c;
		int r = next_character(ins, &c, timeout_of(ins));
		if (r < 0)
			return r;
		if (c == '\r' || c == '\n') {
			st->line[len] = '\0';
			return 0;
		}
		if (c < ' ' || c > '~' || len + 1 == HIDEN_LINE_MAX)
			return -EBADMSG;
		st->line[len++] = c;
	}
}

static int send(struct assay_instrument *ins, const char *command)
{
	char text[COMMAND_MAX + 2];
	int n = snprintf(text, sizeof(text), "%s\r", command);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -EINVAL;
	return assay_write(ins, text, (size_t)n, WRITE_MS);
}

static int send_and_read(struct assay_instrument *ins, const char *command)
{
	struct hiden *st = ins->state;
	st->owes_reply = true;
	int r = send(ins, command);
	if (r == 0)
		r = read_line(ins);
	st->owes_reply = r < 0;
	if (r == -ETIMEDOUT)
		assay_explain(ins, "no reply to '%s'", command);
	else if (r == -EBADMSG)
		assay_explain(ins,
			"the reply to '%s' is no line of text: compare the baud rate, "
			"115200 or 921600, with the unit's",
			command);
	return r;
}

/* --- resynchronising -------------------------------------------------------------------------- */

/* Whether a byte comes without a command within `ms`: 1, 0 or an error. */
static int has_stray(struct assay_instrument *ins, int ms)
{
	char c;
	int r = next_character(ins, &c, ms);
	return r == 0 ? 1 : r == -ETIMEDOUT ? 0 : r;
}

static int read_identity(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	int r = send_and_read(ins, IDENTITY);
	if (r < 0)
		return r;
	const char *name = st->line + (st->line[0] == '"');
	if (strncmp(name, "HAL", 3) == 0 && strlen(st->line) < HIDEN_NAME_MAX)
		return 0;
	assay_explain(
		ins, "the reply to '" IDENTITY "' is '%.60s', expected HAL ... #serial", st->line);
	return -EBADMSG;
}

/*
 * The first query spoils half a command that the unit may have received: run as it is, it could light
 * the filament.
 */
int hiden_resync(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	char other[HIDEN_NAME_MAX] = "";
	int quiet = timeout_of(ins);
	st->owes_reply = true;
	int r = send(ins, IDENTITY);
	for (int i = 0; i < TRIES && !hiden_is_final(r); i++) {
		if (i > 0)
			assay_retried(ins);
		r = assay_drain(ins, quiet, 4 * quiet + 1000);
		st->at = st->have = 0;
		st->is_after_cr = false;
		if (r == 0)
			r = read_identity(ins);
		if (r != 0)
			continue;
		if (st->name[0] == '\0')
			strcpy(st->name, st->line);
		if (strcmp(st->name, st->line) == 0)
			return 0;
		/* Without a checksum a damaged name looks like that of another unit. */
		st->owes_reply = true;
		r = strcmp(other, st->line) == 0 ? -ENODEV : -EBADMSG;
		strcpy(other, st->line);
		assay_explain(ins, "the unit is %s, it was %s", other, st->name);
	}
	st->owes_reply = true;
	return r;
}

static int settle(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	int r = st->owes_reply ? 1 : has_stray(ins, 0);
	return r > 0 ? hiden_resync(ins) : r;
}

int hiden_wait(struct assay_instrument *ins, int ms)
{
	struct hiden *st = ins->state;
	int r = has_stray(ins, ms);
	if (r > 0)
		st->owes_reply = true;
	return r < 0 ? r : 0;
}

int hiden_fence(struct assay_instrument *ins)
{
	struct hiden *st = ins->state;
	int r = hiden_exchange(ins, IDENTITY);
	if (r < 0 || strcmp(st->line, st->name) == 0)
		return r;
	st->owes_reply = true;
	assay_explain(
		ins, "the replies are out of step: that to '" IDENTITY "' is '%.60s'", st->line);
	return -EBADMSG;
}

/* --- commands --------------------------------------------------------------------------------- */

int hiden_exchange(struct assay_instrument *ins, const char *command)
{
	int pause = (int)(assay_number(ins->settings, "command_pause") * 1000);
	int r = pause > 0 ? hiden_wait(ins, pause) : 0;
	if (r == 0)
		r = settle(ins);
	return r < 0 ? r : send_and_read(ins, command);
}

int hiden_send_blind(struct assay_instrument *ins, const char *command)
{
	struct hiden *st = ins->state;
	st->owes_reply = true;
	return send(ins, command);
}

static int run_command(struct assay_instrument *ins, const char *command)
{
	struct hiden *st = ins->state;
	int r = hiden_exchange(ins, command);
	if (r == -ETIMEDOUT || r == -EBADMSG) {
		assay_retried(ins);
		r = hiden_exchange(ins, command);
	}
	if (r < 0 || strchr(st->line, '*') == NULL)
		return r;
	assay_explain(ins, "the unit refused '%s': %.60s", command, st->line);
	return -EPROTO;
}

int hiden_command(struct assay_instrument *ins, const char *format, ...)
{
	char text[COMMANDS_MAX], *rest = NULL;
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	int r = 0;
	for (char *c = strtok_r(text, ";", &rest); c != NULL && r == 0;
		c = strtok_r(NULL, ";", &rest))
		r = run_command(ins, c);
	return r;
}

int hiden_attempt(struct assay_instrument *ins, const char *format, ...)
{
	char command[COMMAND_MAX + 1];
	va_list args;
	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	int r = run_command(ins, command);
	return r == -EPROTO ? 1 : r;
}

int hiden_get(struct assay_instrument *ins, const char *device, double *out)
{
	struct hiden *st = ins->state;
	int r = hiden_attempt(ins, "lget %s", device);
	if (r == 0 && assay_parse_number(ins->host, st->line, strlen(st->line), out) < 0) {
		assay_explain(
			ins, "the reply to 'lget %s' is no number: '%.60s'", device, st->line);
		st->owes_reply = true;
		r = -EBADMSG;
	}
	return r;
}

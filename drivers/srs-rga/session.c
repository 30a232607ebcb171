/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "acquire.h"

#define WRITE_MS    1000
#define REPLY_MS    2000
#define CR_MS       50 /* on some pages of the manual replies end with LF alone */
#define QUIET_MS    100
#define DRAIN_MS    5000
#define RECOVER_MS  4000 /* the head checks its hardware before it replies to IN0 */
#define RECOVERIES  6
#define TRIES       3
#define COMMAND_MAX 13 /* the head drops a longer one */

static bool is_final(int r)
{
	return r == -ECANCELED || r == -ENODEV;
}

int rga_send(struct assay_instrument *ins, const char *command)
{
	char text[COMMAND_MAX + 2];
	int n = snprintf(text, sizeof(text), "%s\r", command);
	if (n < 0 || n > COMMAND_MAX + 1)
		return -EINVAL;
	return assay_write(ins, text, (size_t)n, WRITE_MS);
}

static int read_line(struct assay_instrument *ins, char *line, int ms)
{
	uint64_t end = assay_now_ms(ins) + (uint64_t)ms;
	for (size_t len = 0;;) {
		char c;
		uint64_t now = assay_now_ms(ins);
		ssize_t n = assay_read(ins, &c, 1, now < end ? (int)(end - now) : 0);
		if (n < 0)
			return (int)n;
		if (c == '\n') {
			line[len] = '\0';
			n = assay_read(ins, &c, 1, CR_MS);
			if (n < 0)
				return n == -ETIMEDOUT ? 0 : (int)n;
			return c == '\r' ? 0 : -EBADMSG;
		}
		if (c == '\r' && len == 0)
			continue;
		if (c < ' ' || c > '~' || len + 1 == RGA_LINE_MAX)
			return -EBADMSG;
		line[len++] = c;
	}
}

/*
 * Replies have no number.  That of an exchange that was cut off, by an abort for example, may still
 * come, and must not be taken for that of the next one: the line is cleared first.
 */
static int settle(struct assay_instrument *ins)
{
	const struct rga *rga = ins->state;
	char line[RGA_LINE_MAX];
	return rga->owes_reply ? rga_resync(ins, line) : 0;
}

static int exchange(struct assay_instrument *ins, const char *command, char *line, int ms)
{
	struct rga *rga = ins->state;
	bool owed = rga->owes_reply;
	rga->owes_reply = true;
	int r = rga_send(ins, command);
	if (r == 0)
		r = read_line(ins, line, ms);
	rga->owes_reply = owed || r < 0;
	return r;
}

int rga_query(struct assay_instrument *ins, const char *query, char *line)
{
	int r = settle(ins);
	if (r == 0)
		r = exchange(ins, query, line, REPLY_MS);
	if (r == 0 || is_final(r))
		return r;
	assay_retried(ins);
	r = rga_resync(ins, line);
	if (r == 0)
		r = exchange(ins, query, line, REPLY_MS);
	if (r == -ETIMEDOUT)
		assay_explain(ins, "no reply to %s", query);
	return r;
}

int rga_query_number(struct assay_instrument *ins, const char *query, double *out)
{
	char line[RGA_LINE_MAX];
	int r = rga_query(ins, query, line);
	if (r < 0)
		return r;
	r = assay_parse_number(ins->host, line, strlen(line), out);
	if (r < 0)
		assay_explain(ins, "the reply to %s is no number: \"%s\"", query, line);
	return r;
}

static int read_byte(struct assay_instrument *ins, const char *line, uint8_t *out)
{
	int64_t v;
	if (assay_parse_integer(ins->host, line, strlen(line), &v) < 0 || v < 0 || v > 255)
		return -EBADMSG;
	*out = (uint8_t)v;
	return 0;
}

int rga_command(struct assay_instrument *ins, const char *command, int ms, uint8_t *status)
{
	char line[RGA_LINE_MAX];
	int r = settle(ins);
	if (is_final(r))
		return r;
	r = exchange(ins, command, line, ms); /* "off" is sent to a head that is silent, too */
	if (r == 0)
		r = read_byte(ins, line, status);
	if (r == -ETIMEDOUT)
		assay_explain(ins, "no STATUS after %s", command);
	return r;
}

/* Explains a refused `command` with the head's error bytes. */
static int explain_refusal(struct assay_instrument *ins, const char *command, double kept)
{
	struct rga_status status;
	char why[256];
	int r = rga_read_status(ins, &status);
	if (r < 0)
		return r;
	rga_status_text(&status, why, sizeof(why));
	assay_explain(ins, "the head refused %s and keeps %g%s%s", command, kept,
		why[0] != '\0' ? "; " : "", why);
	return -EPROTO;
}

static int read_back_number(struct assay_instrument *ins, const char *name, double *out)
{
	char query[8];
	snprintf(query, sizeof(query), "%.2s?", name);
	return rga_query_number(ins, query, out);
}

int rga_set(struct assay_instrument *ins, const char *name, int value)
{
	char command[32];
	double kept;
	snprintf(command, sizeof(command), "%.2s%d", name, value);
	int r = rga_send(ins, command);
	/* The manual's pages disagree on whether NF answers STATUS. */
	if (r == 0 && strcmp(name, "NF") == 0)
		r = assay_drain(ins, QUIET_MS, DRAIN_MS);
	if (r == 0)
		r = read_back_number(ins, name, &kept);
	if (r == 0 && kept != value)
		r = explain_refusal(ins, command, kept);
	return r;
}

int rga_adjust(struct assay_instrument *ins, const char *name, double value, double tolerance,
	int ms, double *read_back)
{
	char command[32];
	uint8_t status;
	/* "EE70", "FL1.0", "FL0.25": with a decimal point in every locale. */
	int hundredths = (int)(value * 100 + 0.5);
	if (strcmp(name, "FL") != 0)
		snprintf(command, sizeof(command), "%.2s%d", name, hundredths / 100);
	else if (hundredths % 10 == 0)
		snprintf(command, sizeof(command), "FL%d.%d", hundredths / 100,
			hundredths / 10 % 10);
	else
		snprintf(command, sizeof(command), "FL%d.%02d", hundredths / 100, hundredths % 100);
	int r = rga_command(ins, command, ms, &status);
	if (r == 0)
		r = read_back_number(ins, name, read_back);
	if (r < 0)
		return r;
	double off = *read_back - value;
	if (off > tolerance || off < -tolerance)
		return explain_refusal(ins, command, *read_back);
	return 0;
}

static int query_once(struct assay_instrument *ins, const char *query, char *line)
{
	int r = rga_send(ins, query);
	return r < 0 ? r : read_line(ins, line, REPLY_MS);
}

static int query_identity(struct assay_instrument *ins, char *line)
{
	int r = query_once(ins, "ID?", line);
	return r == 0 && strncmp(line, "SRSRGA", 6) != 0 ? -EBADMSG : r;
}

/*
 * EC? clears the error of the command that was too long.  Identities that were requested in vain come
 * before its reply, which would be taken for that of the next query otherwise.
 */
static int clear_error(struct assay_instrument *ins, int identities_owed)
{
	char line[RGA_LINE_MAX];
	uint8_t error;
	int r = query_once(ins, "EC?", line);
	for (; r == 0 && identities_owed > 0 && strncmp(line, "SRSRGA", 6) == 0; identities_owed--)
		r = read_line(ins, line, REPLY_MS);
	return r == 0 ? read_byte(ins, line, &error) : r;
}

int rga_resync(struct assay_instrument *ins, char *line)
{
	static const char too_long[] = "??????????????\r";
	struct rga *rga = ins->state;
	rga->owes_reply = true;
	int r = assay_write(ins, too_long, sizeof(too_long) - 1, WRITE_MS);
	if (r == 0)
		r = assay_drain(ins, QUIET_MS, DRAIN_MS);
	if (r < 0)
		return r;
	r = query_identity(ins, line);
	int tries = 1;
	for (; tries < TRIES && r < 0 && !is_final(r); tries++) {
		int d = assay_drain(ins, QUIET_MS, DRAIN_MS);
		r = d < 0 ? d : query_identity(ins, line);
	}
	if (r == 0)
		r = clear_error(ins, tries - 1);
	rga->owes_reply = r < 0;
	return r;
}

static int query_byte(struct assay_instrument *ins, const char *query, uint8_t *out)
{
	char line[RGA_LINE_MAX];
	int r = rga_query(ins, query, line);
	return r < 0 ? r : read_byte(ins, line, out);
}

int rga_read_status(struct assay_instrument *ins, struct rga_status *status)
{
	*status = (struct rga_status){0};
	int r = query_byte(ins, "ER?", &status->status);
	for (unsigned i = 0; r == 0 && i < RGA_DETAILS; i++) {
		if (!(status->status & 1u << rga_details[i].status_bit))
			continue;
		uint8_t *detail = &status->detail[i];
		r = query_byte(ins, rga_details[i].query, detail);
		/* The query repeats the hardware's test; SRS recommends one repetition. */
		if (r == 0 && *detail != 0 && i >= RGA_QUADRUPOLE) {
			assay_retried(ins);
			r = query_byte(ins, rga_details[i].query, detail);
		}
		if (r == 0 && *detail == 0 && i >= RGA_QUADRUPOLE)
			status->status &= (uint8_t) ~(1u << rga_details[i].status_bit);
	}
	return r;
}

int rga_recover(struct assay_instrument *ins)
{
	int r = 0;
	for (int i = 0; i < RECOVERIES; i++) {
		uint8_t status;
		assay_retried(ins);
		r = assay_drain(ins, QUIET_MS, DRAIN_MS);
		if (r == 0)
			r = rga_command(ins, "IN0", RECOVER_MS, &status);
		if (r == 0 || is_final(r) || assay_stopping(ins))
			return r;
	}
	return r;
}

int rga_clear_errors(struct assay_instrument *ins)
{
	struct rga_status status;
	uint8_t again = 0;
	int r = rga_read_status(ins, &status);
	if (r == 0 && status.status & 1u << rga_details[RGA_COMMUNICATION].status_bit)
		r = query_byte(ins, rga_details[RGA_COMMUNICATION].query, &again);
	if (r == 0 && again != 0)
		r = rga_command(ins, "IN0", RECOVER_MS, &again);
	return r;
}

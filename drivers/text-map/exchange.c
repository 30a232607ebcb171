/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "frame.h"
#include "rows.h"

#define POLL_MS  200 /* a request to stop is seen after this time */
#define BYTE_MS  50  /* the deadline moves on by this per byte: 300 Bd take 34 ms */
#define WRITE_MS 5000
#define ASK_MAX  512

static int timeout_of(const struct assay_instrument *ins, const struct assay_settings *row)
{
	bool is_own = row != NULL && assay_has(row, "timeout");
	return (int)(assay_number(is_own ? row : ins->settings, "timeout") * 1000);
}

static bool is_line_end(char c)
{
	return c == '\r' || c == '\n';
}

/* --- requests --------------------------------------------------------------------------------- */

/*
 * A line does not name the request that it replies to.  After an exchange that failed, and if bytes
 * have come without a request, a late reply may still be on its way: waits until there was silence
 * for as long as a reply can take.
 */
static int settle(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	int quiet = timeout_of(ins, NULL), r = 0;
	bool is_end_fixed = assay_has(ins->settings, "end");
	while (st->is_silent && r == 0 && st->len < sizeof(st->text)) {
		ssize_t n = assay_read(ins, st->text + st->len, sizeof(st->text) - st->len, 0);
		st->len += n > 0 ? (size_t)n : 0;
		if (n == -ETIMEDOUT)
			break;
		r = n < 0 ? (int)n : 0;
	}
	for (; st->at < st->len; st->at++)
		if (is_end_fixed || !is_line_end(st->text[st->at]))
			st->is_silent = false;
	if (r < 0 || st->is_silent)
		return r;
	r = assay_drain(ins, quiet, 4 * quiet + 1000);
	st->is_silent = r == 0;
	if (r == -EBADMSG)
		assay_explain(ins, "the instrument sends without a request: set it to send on "
				   "request only, or use a profile for one that sends by itself");
	return r;
}

struct ask {
	const char *address, *value;
	unsigned index;
};

/* Appends the text with its escapes and {address}, {index} and {value} replaced. */
static size_t put_ask(char out[ASK_MAX], size_t len, const char *text, const struct ask *ask)
{
	char index[16];
	snprintf(index, sizeof(index), "%u", ask->index);
	const char *const words[][2] = {
		{"{address}", ask->address}, {"{index}", index}, {"{value}", ask->value}};
	while (text != NULL && *text != '\0' && len < ASK_MAX) {
		size_t i = 0;
		while (i < 3 && strncmp(text, words[i][0], strlen(words[i][0])) != 0)
			i++;
		if (i < 3) {
			len += (size_t)snprintf(out + len, ASK_MAX - len, "%s", words[i][1]);
			text += strlen(words[i][0]);
			continue;
		}
		size_t n = pattern_character(text, out + len++);
		text += n > 0 ? n : 1;
	}
	return len < ASK_MAX ? len : ASK_MAX;
}

static int send_ask(struct assay_instrument *ins, const struct assay_settings *row, unsigned index)
{
	const struct assay_settings *s = ins->settings;
	const struct assay_settings *axis = rows_find(s, "axes", "name", assay_text(row, "each"));
	char out[ASK_MAX], echo[ASK_MAX], value[32] = "";
	if (axis != NULL)
		snprintf(value, sizeof(value), "%.*f", (int)assay_int(axis, "decimals"),
			assay_number(axis, "first") + index * assay_number(axis, "step"));
	const char *address = assay_text(s, "address");
	const struct ask ask = {address != NULL ? address : "", value, index};
	size_t len = put_ask(out, 0, assay_text(row, "ask"), &ask);
	len = put_ask(out, len, assay_text(s, "ask_end"), &ask);
	if (len == ASK_MAX) {
		assay_explain(ins, "a request of more than %d characters", ASK_MAX - 1);
		return -EINVAL;
	}
	int r = assay_write(ins, out, len, WRITE_MS);
	if (r < 0 || !assay_flag(s, "echo"))
		return r;
	r = assay_read_exact(ins, echo, len, timeout_of(ins, row) + BYTE_MS * (int)len);
	if (r == 0 && memcmp(out, echo, len) != 0) {
		char shown[WHY_MAX];
		assay_explain(ins, "the echo of a request is '%s', not the request",
			reply_escaped(echo, len, shown));
		r = -EBADMSG;
	}
	return r;
}

/* --- replies ---------------------------------------------------------------------------------- */

/* Receives one reply at st->at.  Returns its length; 0: the run must stop and nothing has come. */
static ssize_t receive(struct assay_instrument *ins, const struct assay_settings *row)
{
	struct state *st = ins->state;
	struct reply_form form;
	char shown[WHY_MAX];
	int timeout = timeout_of(ins, row);
	bool may_stop = rows_is_unsolicited(ins->settings);
	uint64_t start = assay_now_ms(ins);
	size_t before = st->len;
	reply_form_read(ins->settings, row, &form);
	for (;;) {
		while (form.length == 0 && form.end_len == 0 && st->at < st->len &&
			is_line_end(st->text[st->at]))
			st->at++;
		ssize_t n = reply_length(&form, st->text + st->at, st->len - st->at);
		if (n == 0 && st->len == sizeof(st->text))
			n = -EBADMSG;
		if (n == -EBADMSG)
			assay_explain(ins, "a reply without an end: '%s'",
				reply_escaped(st->text + st->at, st->len - st->at, shown));
		if (n != 0 || (may_stop && st->at == st->len && assay_stopping(ins)))
			return n;
		uint64_t end = start + (uint64_t)timeout + BYTE_MS * (st->len - before);
		uint64_t now = assay_now_ms(ins);
		if (now >= end) {
			assay_explain(ins, "no reply to '%s' within %d ms; received: '%s'",
				assay_has(row, "ask") ? assay_text(row, "ask") : "", timeout,
				reply_escaped(st->text + st->at, st->len - st->at, shown));
			return -ETIMEDOUT;
		}
		n = assay_read(ins, st->text + st->len, sizeof(st->text) - st->len,
			end - now < POLL_MS ? (int)(end - now) : POLL_MS);
		if (n < 0 && n != -ETIMEDOUT)
			return n;
		st->len += n > 0 ? (size_t)n : 0;
	}
}

/* The whole `wait` of the row, of which the protocol needs all: a request to stop ends a pause early. */
static int wait_before(struct assay_instrument *ins, const struct assay_settings *row)
{
	uint64_t end = assay_now_ms(ins) + (uint64_t)(assay_number(row, "wait") * 1000);
	int r = 0;
	for (uint64_t now; r == 0 && (now = assay_now_ms(ins)) < end;)
		r = assay_pause(ins, (int)(end - now));
	return r;
}

/*
 * One row of `requests`: sends, receives, reads the parts.  Returns the length of the reply, which
 * ends at st->at; 0: it has none, or the run must stop.
 */
static ssize_t exchange(struct assay_instrument *ins, const struct assay_settings *row,
	unsigned index, bool *is_checked)
{
	struct state *st = ins->state;
	ssize_t n = 0;
	if (assay_has(row, "ask")) {
		if (assay_has(row, "wait"))
			n = wait_before(ins, row);
		if (n == 0)
			n = settle(ins);
		if (n < 0)
			return n;
		n = send_ask(ins, row, index);
	}
	if (n == 0 && assay_has(row, "reply"))
		n = receive(ins, row);
	if (n <= 0) {
		st->is_silent = n == 0 && !assay_has(row, "reply");
		return n;
	}
	int r = reply_read(
		ins->settings, row, st->text + st->at, (size_t)n, &st->parts, is_checked, st->why);
	st->at += (size_t)n;
	st->is_silent = r == 0;
	if (r == 0)
		r = frame_words(ins->settings, &st->parts, st->why);
	if (r < 0)
		assay_explain(ins, "%s", st->why);
	return r < 0 ? r : n;
}

/* Drops the replies that have been read, and their parts. */
static void begin_round(struct state *st)
{
	st->len -= st->at;
	memmove(st->text, st->text + st->at, st->len);
	st->at = 0;
	st->parts.count = 0;
}

/* --- the slots -------------------------------------------------------------------------------- */

/* Silences an instrument that sends by itself; replies to this are dropped before the next request. */
int exchange_stop(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	int r = 0;
	for (size_t i = 0; i < assay_count(ins->settings, "requests") && r == 0; i++) {
		const struct assay_settings *row = assay_row(ins->settings, "requests", i);
		if (rows_use(row) != USE_STOP)
			continue;
		st->is_silent = false;
		r = send_ask(ins, row, 0);
	}
	return r;
}

/* The rows of one use, once for each value of their axis. */
static int exchange_all(struct assay_instrument *ins, enum request_use use)
{
	const struct assay_settings *s = ins->settings;
	bool is_checked;
	for (size_t i = 0; i < assay_count(s, "requests"); i++) {
		const struct assay_settings *row = assay_row(s, "requests", i);
		const struct assay_settings *axis = rows_find(
			s, "axes", "name", assay_text(row, "each"));
		unsigned count = axis != NULL ? (unsigned)assay_int(axis, "count") : 1;
		for (unsigned n = 0; rows_use(row) == use && n < count; n++) {
			if (use == USE_START)
				begin_round(ins->state);
			ssize_t r = exchange(ins, row, n, &is_checked);
			if (r < 0)
				return (int)r;
		}
	}
	return 0;
}

static void put_identity(const struct parts *parts, const char *name, char out[64])
{
	const struct part *part = parts_find(parts, name);
	for (size_t i = 0; part != NULL && i < part->len && i < 63; i++)
		out[i] = part->text[i] >= ' ' && part->text[i] <= '~' ? part->text[i] : '?';
}

int exchange_identify(struct assay_instrument *ins, struct assay_identity *id)
{
	struct state *st = ins->state;
	st->at = st->len = st->parts.count = 0;
	st->is_silent = false;
	int r = exchange_stop(ins);
	if (r == 0)
		r = exchange_all(ins, USE_IDENTITY);
	if (r < 0)
		return r;
	put_identity(&st->parts, "make", id->make);
	put_identity(&st->parts, "model", id->model);
	put_identity(&st->parts, "serial", id->serial);
	put_identity(&st->parts, "fw", id->fw);
	id->declared = st->parts.count == 0;
	return 0;
}

int exchange_start(struct assay_instrument *ins)
{
	struct state *st = ins->state;
	int r = 0;
	st->readings = 0;
	st->is_at_line = false;
	if (rows_is_unsolicited(ins->settings)) {
		st->at = st->len;
		r = assay_drain(ins, 0, 0);
	}
	return r < 0 ? r : exchange_all(ins, USE_START);
}

/*
 * An instrument that sends by itself is in the middle of a reply when it is first heard: drops that,
 * and, if a frame has several replies, those up to the first one of a frame.
 */
static ssize_t find_first(struct assay_instrument *ins, const struct assay_settings *row)
{
	struct state *st = ins->state;
	size_t rows = assay_count(ins->settings, "requests");
	bool is_checked, is_first = false;
	ssize_t n = receive(ins, row);
	for (size_t i = 0; n > 0 && i < rows && !is_first; i++) {
		st->at += (size_t)n;
		begin_round(st);
		n = receive(ins, row);
		is_first = n > 0 && reply_read(ins->settings, row, st->text + st->at, (size_t)n,
					    &st->parts, &is_checked, st->why) == 0;
	}
	begin_round(st);
	st->is_at_line = n > 0;
	return n;
}

/* Returns 1, 0 if the run must stop, or an error. */
static int read_round(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	const struct assay_settings *s = ins->settings;
	begin_round(st);
	for (size_t i = 0; i < assay_count(s, "requests"); i++) {
		const struct assay_settings *row = assay_row(s, "requests", i);
		bool is_checked, is_lost = rows_is_unsolicited(s) && !st->is_at_line;
		if (rows_use(row) != USE_FRAME)
			continue;
		ssize_t n = is_lost ? find_first(ins, row) : 1;
		if (n > 0)
			n = exchange(ins, row, 0, &is_checked);
		if (n < 0 || (n == 0 && assay_has(row, "reply")))
			return (int)n;
		const char *media = assay_int(row, "length") > 0 ? "application/octet-stream"
								 : "text/plain";
		int r = n > 0 ? assay_raw_add(raw, media, NULL, st->text + st->at - n, (size_t)n)
			      : 0;
		if (r < 0)
			return r;
	}
	int r = frame_build(s, &st->parts, true, NULL, st->why);
	if (r < 0)
		assay_explain(ins, "%s", st->why);
	return r < 0 ? r : 1;
}

int exchange_acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	struct state *st = ins->state;
	uint64_t readings = (uint64_t)assay_int(ins->settings, "readings");
	if (assay_stopping(ins))
		return ASSAY_DONE;
	int r = read_round(ins, raw);
	if (r <= 0) {
		st->is_at_line = false;
		st->at = st->len;
		return r == 0 ? ASSAY_DONE : r;
	}
	st->readings++;
	bool is_last = (readings > 0 && st->readings >= readings) || assay_stopping(ins);
	return is_last ? ASSAY_LAST : ASSAY_FRAME;
}

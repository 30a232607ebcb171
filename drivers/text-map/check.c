/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "reply.h"
#include "rows.h"

#define ROWS_MAX 64 /* of requests for a frame: blocks of one */

struct checker {
	const struct assay_settings *settings;
	struct assay_check *out;
	struct assay_instrument *ins; /* without `out`: the first error becomes its explanation */
	const char *table;            /* of the findings */
	long row;
	size_t errors;
	struct part parts[256]; /* of frames, so far */
	size_t part_count;
	bool sends_address;
};

__attribute__((format(printf, 4, 5))) static void report(
	struct checker *c, enum assay_level level, const char *column, const char *format, ...)
{
	char text[WHY_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	bool is_error = level == ASSAY_LOG_ERROR;
	if (c->out != NULL)
		c->out->host->finding(c->out, level, c->table, c->row, column, "%s", text);
	else if (is_error && c->errors == 0)
		assay_explain(c->ins, "%s, row %ld: %s", c->table, c->row + 1, text);
	c->errors += is_error;
}

#define error(c, column, ...) report((c), ASSAY_LOG_ERROR, (column), __VA_ARGS__)

static void note_part(void *arg, const struct part *part)
{
	struct checker *c = arg;
	if (c->part_count < sizeof(c->parts) / sizeof(*c->parts))
		c->parts[c->part_count++] = *part;
}

static const struct part *find_part(const struct checker *c, const char *name)
{
	for (size_t i = 0; i < c->part_count; i++)
		if (strlen(name) == c->parts[i].name_len &&
			memcmp(name, c->parts[i].name, c->parts[i].name_len) == 0)
			return &c->parts[i];
	return NULL;
}

static void check_escapes(
	struct checker *c, const struct assay_settings *row, const char *column, long most)
{
	char plain[MARK_MAX + 1];
	const char *text = assay_text(row, column);
	long n = text != NULL ? pattern_unescape(text, plain, sizeof(plain)) : 0;
	if (n < 0)
		error(c, column, "a wrong escape: expected \\r \\n \\t \\\\ or \\x and two digits");
	else if (text != NULL && most > 0 && (n == 0 || n > most))
		error(c, column, "expected 1 to %ld characters", most);
}

static bool has_address(const char *text)
{
	return text != NULL && strstr(text, "{address}") != NULL;
}

static void check_request(struct checker *c, const struct assay_settings *row)
{
	const struct assay_settings *s = c->settings;
	enum request_use use = rows_use(row);
	struct reply_form form;
	char why[WHY_MAX];
	bool has_reply = assay_has(row, "reply");
	check_escapes(c, row, "ask", 0);
	if (has_address(assay_text(row, "ask"))) {
		c->sends_address = true;
		if (!assay_has(s, "address"))
			error(c, "ask", "the setting 'address' is missing");
	}
	check_escapes(c, row, "begin", MARK_MAX);
	check_escapes(c, row, "end", MARK_MAX);
	for (size_t i = 0; i < assay_count(row, "reply"); i++) {
		const char *pattern = assay_text_at(row, "reply", i);
		const char *fault = pattern_fault(
			pattern, assay_text(s, "address"), why, sizeof(why));
		if (fault != NULL)
			error(c, "reply", "%s", fault);
		else if (use == USE_FRAME)
			pattern_names(pattern, note_part, c);
	}
	reply_form_read(s, row, &form);
	if (!assay_has(row, "ask") && !has_reply)
		error(c, NULL, "neither 'ask' nor 'reply': this row does nothing");
	else if (!assay_has(row, "ask") && use == USE_STOP)
		error(c, "use", "this use needs an 'ask'");
	if (use == USE_STOP && has_reply)
		report(c, ASSAY_LOG_WARN, "reply", "the reply to a stop is not read");
	if (form.length > 0 && (assay_has(row, "end") || form.is_lines))
		error(c, "length", "a reply of fixed length has no 'end' and no 'lines'");
	if (form.is_lines && form.end_len == 0)
		error(c, "lines", "a reply of several lines needs an 'end' of its own");
	if (form.checksum > 0 && has_reply && form.is_after_end && form.end_len == 0)
		error(c, "end", "a checksum after the end of the reply needs an 'end'");
	if (assay_has(row, "each") &&
		(use != USE_START || rows_find(s, "axes", "name", assay_text(row, "each")) == NULL))
		error(c, "each", "expected the name of a row of 'axes', in a row of use: start");
	if (use == USE_IDENTITY && rows_is_unsolicited(s) && assay_count(s, "requests") > 0)
		report(c, ASSAY_LOG_WARN, "use",
			"an instrument that sends by itself can be identified only if a row of "
			"use: stop silences it");
}

static void check_requests(struct checker *c)
{
	size_t frames = 0;
	bool is_unsolicited = rows_is_unsolicited(c->settings);
	c->table = "requests";
	c->sends_address = has_address(assay_text(c->settings, "ask_end"));
	for (c->row = 0; c->row < (long)assay_count(c->settings, "requests"); c->row++) {
		const struct assay_settings *row = assay_row(
			c->settings, "requests", (size_t)c->row);
		check_request(c, row);
		if (rows_use(row) != USE_FRAME)
			continue;
		frames += assay_has(row, "reply");
		if (is_unsolicited && assay_has(row, "ask"))
			error(c, "ask",
				"the first row of a frame has none: the instrument sends by "
				"itself");
		if (frames > ROWS_MAX)
			error(c, NULL, "more replies than a frame can have, which is %d", ROWS_MAX);
	}
	c->row = 0;
	if (c->out != NULL && assay_has(c->settings, "address") && !c->sends_address)
		assay_check_warn(c->out, "address", "no 'ask' has {address}: it is not sent");
	if (frames == 0)
		error(c, NULL, "there is no row of use: frame with a 'reply'");
}

static bool is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void check_name(struct checker *c, const struct assay_settings *row)
{
	const char *name = assay_text(row, "name");
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (n == 0 || n > PART_NAME_MAX || name[n] != '\0' || name[0] < 'a')
		error(c, "name",
			"'%.60s': a name is a-z, 0-9 and _, starts with a letter, at most 32",
			name);
	if (strcmp(name, "missing") == 0 || strcmp(name, "status_text") == 0)
		error(c, "name", "'%s' is reserved for the driver", name);
	for (long i = 0; i < c->row; i++) {
		const struct assay_settings *other = assay_row(c->settings, c->table, (size_t)i);
		bool is_value = strcmp(c->table, "values") == 0;
		if (is_same(name, assay_text(other, "name")) &&
			(!is_value || (is_same(assay_text(row, "analyte"),
					       assay_text(other, "analyte")) &&
					      is_same(assay_text(row, "basis"),
						      assay_text(other, "basis")))))
			error(c, "name", "'%s': there is already such a row", name);
	}
}

static void check_value(struct checker *c, const struct assay_settings *row)
{
	bool has_part = assay_has(row, "part"), has_axis = assay_has(row, "axis");
	const char *name = assay_text(row, has_part ? "part" : "name");
	const struct part *part = find_part(c, name);
	bool is_array = part != NULL && part->kind >= PART_NUMBERS && part->kind <= PART_FLOAT32BE;
	check_name(c, row);
	if (part == NULL)
		error(c, has_part ? "part" : "name", "no reply of a frame has a part '%.60s'",
			name);
	if (assay_has(row, "unit") == assay_has(row, "unit_from"))
		error(c, assay_has(row, "unit") ? "unit_from" : "name",
			"expected one of 'unit' and 'unit_from'; the unit of a text is 1");
	else if (assay_has(row, "unit_from") && find_part(c, assay_text(row, "unit_from")) == NULL)
		error(c, "unit_from", "no reply of a frame has a part '%.60s'",
			assay_text(row, "unit_from"));
	else if (assay_has(row, "unit_from") && assay_count(c->settings, "units") == 0)
		error(c, "unit_from", "the table 'units' is missing");
	if (part != NULL && is_array != has_axis)
		error(c, has_axis ? "axis" : "name",
			is_array ? "several numbers need an 'axis'" : "one value has no 'axis'");
	else if (has_axis &&
		 rows_find(c->settings, "axes", "name", assay_text(row, "axis")) == NULL)
		error(c, "axis", "there is no row '%.60s' of 'axes'", assay_text(row, "axis"));
	if (is_array && strcmp(assay_text(c->settings, "frame"), "scalars") == 0)
		error(c, "axis",
			"several numbers need 'frame: spectrum', or another kind with an axis");
}

static void check_word(struct checker *c, const struct assay_settings *row)
{
	const struct part *part = find_part(c, assay_text(row, "part"));
	for (size_t i = 0; i < assay_count(row, "text"); i++)
		if (pattern_unescape(assay_text_at(row, "text", i), NULL, 0) < 0)
			error(c, "text", "a wrong escape in '%.40s'",
				assay_text_at(row, "text", i));
	if (part == NULL)
		error(c, "part", "no reply of a frame has a part '%.60s'", assay_text(row, "part"));
	else if (assay_has(row, "bit") && part->kind != PART_INTEGER && part->kind != PART_HEX)
		error(c, "bit", "bits are of an integer or hex part");
	if (assay_has(row, "bit") && assay_has(row, "text"))
		error(c, "bit", "expected one of 'bit' and 'text'");
}

static void check_unit(struct checker *c, const struct assay_settings *row)
{
	check_escapes(c, row, "text", 0);
	if (rows_find(c->settings, "units", "text", assay_text(row, "text")) != row)
		error(c, "text", "'%.40s' is there twice", assay_text(row, "text"));
}

static void check_rows(struct checker *c, const char *table,
	void (*check)(struct checker *, const struct assay_settings *))
{
	c->table = table;
	for (c->row = 0; c->row < (long)assay_count(c->settings, table); c->row++)
		check(c, assay_row(c->settings, table, (size_t)c->row));
}

static size_t check_all(struct checker *c)
{
	const struct assay_settings *s = c->settings;
	check_requests(c);
	check_rows(c, "values", check_value);
	check_rows(c, "words", check_word);
	check_rows(c, "units", check_unit);
	check_rows(c, "axes", check_name);
	c->row = -1;
	if (pattern_unescape(assay_text(s, "ask_end"), NULL, 0) < 0) {
		c->table = "ask_end";
		error(c, NULL, "a wrong escape: expected \\r \\n \\t \\\\ or \\x and two digits");
	}
	return c->errors;
}

void check_settings(const struct assay_settings *settings, struct assay_check *out)
{
	struct checker c = {.settings = settings, .out = out};
	check_all(&c);
}

int check_configure(struct assay_instrument *ins)
{
	struct checker c = {.settings = ins->settings, .ins = ins};
	return check_all(&c) > 0 ? -EINVAL : 0;
}

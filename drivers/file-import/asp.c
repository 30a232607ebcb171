/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `.asp`, an infrared spectrum as text: the number of points, the first and the last wavenumber, three
 * numbers of unknown meaning (1, 2, 4), then the values, one number a line.  No unit and no other fact
 * is in it.  It is whole when it has as many values as it states, and its last line is ended.
 */
#include <errno.h>
#include <stdio.h>

#include "bytes.h"

#define SIZE_MAX_BYTES (8u << 20)
#define POINTS_MAX     (1u << 20)
#define LINE_MAX_BYTES 40
#define HEAD_LINES     6
#define PIECE          4096

struct asp {
	bool is_given; /* the one frame, by next() */
};

/* The lines of a file, piece by piece. */
struct lines {
	struct source *s;
	uint64_t at;
	size_t used, have;
	char piece[PIECE], line[LINE_MAX_BYTES + 1];
	size_t len;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* [+-]digits[.digits][e[+-]digits] */
static bool is_number(const char *text, size_t len)
{
	size_t i = 0, digits = 0;
	i += i < len && (text[i] == '-' || text[i] == '+');
	for (; i < len && is_digit(text[i]); i++)
		digits++;
	if (i < len && text[i] == '.')
		for (i++; i < len && is_digit(text[i]); i++)
			digits++;
	if (digits > 0 && i < len && (text[i] | 0x20) == 'e') {
		i++;
		i += i < len && (text[i] == '-' || text[i] == '+');
		for (digits = 0; i < len && is_digit(text[i]); i++)
			digits++;
	}
	return digits > 0 && i == len;
}

/* The next line without its end: 1; 0: there is no further whole one; -EBADMSG: longer than a number. */
static int take_line(struct lines *l)
{
	l->len = 0;
	for (;;) {
		if (l->used == l->have) {
			uint64_t left = l->s->file[0].size - l->at;
			l->have = left < PIECE ? (size_t)left : PIECE;
			l->used = 0;
			if (left == 0)
				return 0;
			int r = l->s->read(l->s, 0, l->at, l->piece, l->have);
			if (r < 0)
				return r;
			l->at += l->have;
		}
		char c = l->piece[l->used++];
		if (c == '\n')
			break;
		if (l->len == LINE_MAX_BYTES)
			return -EBADMSG;
		l->line[l->len++] = c;
	}
	l->len -= l->len > 0 && l->line[l->len - 1] == '\r';
	l->line[l->len] = '\0';
	return 1;
}

static bool fits(struct source *s)
{
	return s->files == 1 && !s->is_folder && name_ends(s->name, ".asp");
}

/* A count of points, 2 to POINTS_MAX; 0: it is none. */
static uint32_t count_of(const char *text, size_t len)
{
	uint32_t n = 0;
	if (len == 0 || len > 7)
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return 0;
		n = n * 10 + (uint32_t)(text[i] - '0');
	}
	return n >= 2 && n <= POINTS_MAX ? n : 0;
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	(void)state;
	struct lines l = {.s = s};
	uint32_t points = 0, count = 0;
	int r;
	if (s->file[0].size > SIZE_MAX_BYTES)
		return FORMAT_FOREIGN;
	while ((r = take_line(&l)) == 1) {
		if (count == 0 && (points = count_of(l.line, l.len)) == 0)
			return FORMAT_FOREIGN;
		if (!is_number(l.line, l.len)) {
			bool is_empty = memchr(l.line, '\0', l.len) != NULL;
			snprintf(facts->why, sizeof facts->why, "line %u is %s", count + 1,
				is_empty ? "not written yet" : "not a number");
			return is_empty ? FORMAT_INCOMPLETE : FORMAT_DAMAGED;
		}
		count++;
	}
	bool is_empty = r == -EBADMSG && memchr(l.line, '\0', l.len) != NULL;
	if (r < 0 && r != -EBADMSG)
		return r;
	if (count == 0) {
		bool may_begin_so = l.len == 0 || is_digit(l.line[0]) || l.line[0] == '\0';
		return r == 0 && may_begin_so ? FORMAT_INCOMPLETE : FORMAT_FOREIGN;
	}
	if (r == -EBADMSG && !is_empty) {
		snprintf(facts->why, sizeof facts->why, "line %u is not a number", count + 1);
		return FORMAT_DAMAGED;
	}
	bool is_whole = r == 0 && l.len == 0 && count == HEAD_LINES + points;
	if (!is_whole)
		snprintf(facts->why, sizeof facts->why, "it has %u lines of %u", count,
			HEAD_LINES + points);
	return is_whole                      ? FORMAT_WHOLE
	       : count > HEAD_LINES + points ? FORMAT_DAMAGED
					     : FORMAT_INCOMPLETE;
}

static int next(struct source *s, void *state, bool rewind, struct format_plan *plan)
{
	struct asp *asp = state;
	if (rewind)
		asp->is_given = false;
	if (asp->is_given)
		return 0;
	asp->is_given = true;
	plan->part = "spectrum";
	plan->slice[0] = (struct format_slice){0, 0, s->file[0].size};
	plan->count = 1;
	return 1;
}

/* Reads the number of the next line: 0 or -EBADMSG. */
static int take_number(
	const struct assay_decoding *in, const char **at, const char *end, double *to)
{
	const char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));
	if (stop == NULL)
		return -EBADMSG;
	*at = stop + 1;
	size_t len = (size_t)(stop - line);
	len -= len > 0 && line[len - 1] == '\r';
	return assay_parse_number(in->host, line, len, to);
}

static int decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	(void)part;
	const char *at = (const char *)in->raw[0].data, *end = at + in->raw[0].len;
	double head[HEAD_LINES];
	for (int i = 0; i < HEAD_LINES; i++)
		if (take_number(in, &at, end, &head[i]) < 0)
			return -EBADMSG;
	if (!(head[0] >= 2 && head[0] <= POINTS_MAX))
		return -EBADMSG;
	size_t n = (size_t)head[0];
	double *values = assay_frame_scratch(out, n * sizeof *values);
	if (values == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (take_number(in, &at, end, &values[i]) < 0)
			return -EBADMSG;
	if (at != end)
		return -EBADMSG;
	assay_frame_kind(out, ASSAY_SPECTRUM);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	assay_add_linear_axis(
		out, "wavenumber", "cm-1", head[1], (head[2] - head[1]) / (double)(n - 1), n);
	assay_frame_add(out, &(struct assay_variable){.name = "ordinate",
				     .role = ASSAY_DATA,
				     .dims = {"wavenumber"},
				     .unit = "1",
				     .type = ASSAY_F64,
				     .data = values,
				     .count = n});
	return 0;
}

const struct format format_asp = {
	.name = "asp",
	.summary = "infrared spectrum as text, one number a line: *.asp",
	.techniques = "ftir",
	.state_size = sizeof(struct asp),
	.fits = fits,
	.look = look,
	.next = next,
	.decode = decode,
};

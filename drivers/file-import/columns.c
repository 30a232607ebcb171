/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports as CSV or text by a profile: each row with a value is a frame, or each column that is a spectrum.
 *
 * A report has no end mark: it is whole if its last line is ended, and each line has as many cells as the
 * header; and if the line is there that the profile names as the last one.
 *
 * Of a row, the frame has the header's bytes and its own.  Of a spectrum it has the whole file, and its
 * first bytes up to the spectrum's cell in the header, which has thus its place.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "piece.h"
#include "reading.h"
#include "sheet.h"

#define FRAMES_MAX    16384
#define SPECTRA_BYTES (64u << 20) /* of a file, for each of its spectra */

struct place {
	uint32_t offset, len;
};

struct columns {
	bool is_spectra;
	uint32_t header; /* where the lines begin that have readings */
	unsigned count, given;
	struct place places[FRAMES_MAX];
};

static bool fits(struct source *s)
{
	char head[512];
	if (!report_is_set(s->settings))
		return false;
	size_t n = piece_peek(s, head, sizeof head);
	bool is_utf_16 = n >= 2 &&
			 (memcmp(head, "\xff\xfe", 2) == 0 || memcmp(head, "\xfe\xff", 2) == 0);
	bool is_named = name_ends(s->name, ".csv") ||
			name_ends(s->name, ".txt"); /* zeros: not written yet */
	return n > 0 && (is_named || is_utf_16 || memchr(head, '\0', n) == NULL);
}

/* --- look and next ---------------------------------------------------------------------------- */

static int explain(struct format_facts *facts, const struct sheet *sheet, size_t at, int found,
	const char *why)
{
	snprintf(facts->why, sizeof facts->why, "line %u: %.200s", sheet_line_of(sheet, at), why);
	return found;
}

/* A line of the body: 1; 0: there is none; or an enum format_found. */
static int take_line(struct sheet *sheet, size_t *at, struct report_cell *cells,
	char first[REPORT_TEXT], struct format_facts *facts)
{
	size_t start = *at, n;
	bool is_ended;
	int r = report_line(sheet->r, sheet->bytes, sheet->len, at, cells, &n, &is_ended);
	if (r == 0)
		return 0;
	if (r < 0)
		return explain(facts, sheet, start, FORMAT_INCOMPLETE,
			"a quote is not closed, or it has too many cells");
	report_text(sheet->r, sheet->bytes, cells[0], first);
	if (!is_ended)
		return explain(facts, sheet, start, FORMAT_INCOMPLETE, "its end is missing");
	char why[80];
	snprintf(why, sizeof why, "it has %zu cells, the header has %zu", n, sheet->count);
	bool is_other = report_is_ignored(sheet->r, first) ||
			(sheet->r->end != NULL && strcmp(first, sheet->r->end) == 0) ||
			(n == 1 && first[0] == '\0');
	if (n != sheet->count && !is_other)
		return explain(facts, sheet, start, FORMAT_DAMAGED, why);
	for (; n < sheet->count; n++)
		cells[n] = (struct report_cell){start, 0};
	return FORMAT_WHOLE;
}

static int keep(struct columns *c, size_t offset, size_t len, struct format_facts *facts)
{
	if (c->count == FRAMES_MAX) {
		snprintf(facts->why, sizeof facts->why, "it has more than %d readings", FRAMES_MAX);
		return FORMAT_UNDECODED;
	}
	c->places[c->count++] = (struct place){(uint32_t)offset, (uint32_t)len};
	return FORMAT_WHOLE;
}

/* The facts of all readings: the first one's, but a sample only if all have it. */
static void take_facts(
	const struct columns *c, const struct reading *rd, struct format_facts *facts)
{
	struct format_facts own = {.why = ""};
	reading_facts(rd, &own);
	if (c->count == 0)
		*facts = own;
	else if (strcmp(facts->sample, own.sample) != 0)
		facts->sample[0] = '\0';
}

static int look_rows(struct sheet *sheet, struct reading *rd, struct columns *c, struct source *s,
	struct format_facts *facts)
{
	char first[REPORT_TEXT], text[REPORT_TEXT];
	bool has_end = sheet->r->end == NULL;
	int found;
	for (size_t at = sheet->body, start = at;
		(found = take_line(sheet, &at, sheet->cells, first, facts)) != 0; start = at) {
		if (found != FORMAT_WHOLE)
			return found;
		if (sheet->r->end != NULL && strcmp(first, sheet->r->end) == 0)
			has_end = true;
		if (has_end && sheet->r->end != NULL)
			break;
		if (report_is_ignored(sheet->r, first))
			continue;
		int r = 0;
		reading_begin(rd, sheet->r, s->name);
		for (size_t i = 0; i < sheet->count && r == 0; i++) {
			report_text(sheet->r, sheet->bytes, sheet->cells[i], text);
			r = reading_take(rd, sheet->titles[i], text);
		}
		r = r == 0 ? reading_end(rd) : r;
		if (r < 0)
			return explain(facts, sheet, start, FORMAT_UNDECODED, rd->why);
		if (r == 0)
			continue;
		take_facts(c, rd, facts);
		found = keep(c, start, at - start, facts);
		if (found != FORMAT_WHOLE)
			return found;
	}
	if (!has_end || c->count == 0) {
		snprintf(facts->why, sizeof facts->why, "%s",
			has_end ? "it has no reading yet" : "its last line is missing");
		return FORMAT_INCOMPLETE;
	}
	return FORMAT_WHOLE;
}

/* Reads one spectrum of the sheet: as reading_end(), or an enum format_found + 1000. */
static int read_spectrum(struct sheet *sheet, struct reading *rd, size_t column, const char *file,
	struct format_facts *facts)
{
	char first[REPORT_TEXT], text[REPORT_TEXT];
	size_t at = sheet->body, start = at;
	int found, r = 0;
	reading_begin(rd, sheet->r, file);
	while (r == 0 && (found = take_line(sheet, &at, sheet->cells, first, facts)) != 0) {
		if (found != FORMAT_WHOLE)
			return found + 1000;
		report_text(sheet->r, sheet->bytes, sheet->cells[column], text);
		r = reading_take(rd, first, text);
		if (r < 0)
			explain(facts, sheet, start, 0, rd->why);
		start = at;
	}
	if (r == 0 && (r = reading_end(rd)) < 0)
		snprintf(facts->why, sizeof facts->why, "%s", rd->why);
	return r;
}

static int look_spectra(struct sheet *sheet, struct reading *rd, struct columns *c,
	struct source *s, struct format_facts *facts)
{
	struct report_cell header[REPORT_CELLS];
	memcpy(header, sheet->cells, sizeof header);
	if (sheet->count * (uint64_t)sheet->len > SPECTRA_BYTES) {
		snprintf(facts->why, sizeof facts->why,
			"%zu spectra in %zu bytes: save fewer spectra in a file", sheet->count,
			sheet->len);
		return FORMAT_UNDECODED;
	}
	for (size_t i = 1; i < sheet->count; i++) {
		int r = read_spectrum(sheet, rd, i, s->name, facts);
		if (r < 0)
			return FORMAT_UNDECODED;
		if (r > 1000)
			return r - 1000;
		if (r == 0)
			continue;
		take_facts(c, rd, facts);
		r = keep(c, 0, header[i].offset + header[i].len, facts);
		if (r != FORMAT_WHOLE)
			return r;
	}
	if (c->count == 0)
		snprintf(facts->why, sizeof facts->why, "it has no spectrum yet");
	return c->count > 0 ? FORMAT_WHOLE : FORMAT_INCOMPLETE;
}

static bool has_zeros(const struct report *r, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i + r->width <= len; i += r->width)
		if (report_char(r, bytes, i) == 0)
			return true;
	return false;
}

static int look_sheet(struct sheet *sheet, struct report *r, struct source *s, struct columns *c,
	struct format_facts *facts)
{
	struct reading *rd = calloc(1, sizeof *rd);
	int found = rd != NULL ? FORMAT_UNDECODED : -ENOMEM;
	if (rd == NULL)
		return found;
	sheet->r = r;
	if (!report_find_encoding(r, sheet->bytes, sheet->len, facts->why, sizeof facts->why))
		;
	else if (has_zeros(r, sheet->bytes, sheet->len)) {
		snprintf(facts->why, sizeof facts->why, "a part of it is not written yet");
		found = FORMAT_INCOMPLETE;
	} else if (!sheet_find_header(sheet))
		memcpy(facts->why, sheet->why, sizeof sheet->why);
	else {
		c->is_spectra = r->is_spectra;
		c->header = (uint32_t)sheet->body;
		found = r->is_spectra ? look_spectra(sheet, rd, c, s, facts)
				      : look_rows(sheet, rd, c, s, facts);
	}
	free(rd);
	return found;
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	struct report r;
	struct piece text;
	int found = piece_load(s, 0, &text);
	if (found < 0)
		return found == -EFBIG ? FORMAT_FOREIGN : found;
	struct sheet *sheet = calloc(1, sizeof *sheet);
	found = -ENOMEM;
	if (sheet != NULL) {
		sheet->bytes = (const uint8_t *)text.text;
		sheet->len = text.len;
		report_read(s->settings, &r);
		found = look_sheet(sheet, &r, s, state, facts);
	}
	free(sheet);
	free((void *)(uintptr_t)text.text);
	return found;
}

static int next(struct source *s, void *state, bool rewind, struct format_plan *plan)
{
	struct columns *c = state;
	if (rewind)
		c->given = 0;
	if (c->given == c->count)
		return 0;
	const struct place *p = &c->places[c->given++];
	plan->part = c->is_spectra ? "spectrum" : "row";
	plan->slice[0] = (struct format_slice){0, 0, c->is_spectra ? s->file[0].size : c->header};
	plan->slice[1] = (struct format_slice){0, p->offset, p->len};
	plan->count = 2;
	return 1;
}

/* --- decode ----------------------------------------------------------------------------------- */

static int read_row(
	struct sheet *sheet, struct reading *rd, const struct assay_bytes *row, const char *file)
{
	char text[REPORT_TEXT];
	size_t at = 0, n;
	bool is_ended;
	int r = 0;
	if (report_line(sheet->r, row->data, row->len, &at, sheet->cells, &n, &is_ended) != 1 ||
		n != sheet->count)
		return -EBADMSG;
	reading_begin(rd, sheet->r, file);
	for (size_t i = 0; i < n && r == 0; i++) {
		report_text(sheet->r, row->data, sheet->cells[i], text);
		r = reading_take(rd, sheet->titles[i], text);
	}
	return r == 0 ? reading_end(rd) : r;
}

/* The place of a spectrum: the cell of the header at which its first bytes end. */
static size_t column_of(const struct sheet *sheet, size_t end)
{
	size_t i = 1;
	while (i < sheet->count && sheet->cells[i].offset + sheet->cells[i].len != end)
		i++;
	return i;
}

static int decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	struct report r;
	struct format_facts facts = {.why = ""};
	struct sheet *sheet = assay_frame_scratch(out, sizeof *sheet);
	struct reading *rd = assay_frame_scratch(out, sizeof *rd);
	if (sheet == NULL || rd == NULL)
		return -ENOMEM;
	if (in->raw_count < 2 || !report_is_set(in->settings))
		return -EBADMSG;
	report_read(in->settings, &r);
	bool is_spectra = strcmp(part, "spectrum") == 0;
	sheet->r = &r;
	sheet->bytes = in->raw[0].data;
	sheet->len = in->raw[0].len;
	if (is_spectra != r.is_spectra ||
		!report_find_encoding(&r, sheet->bytes, sheet->len, facts.why, sizeof facts.why) ||
		!sheet_find_header(sheet)) {
		assay_explain_decode(in, "the settings report are not those of the run");
		return -EBADMSG;
	}
	int n;
	if (is_spectra) {
		rd->room = sheet->len / 2 < READING_CHANNELS ? sheet->len / 2 : READING_CHANNELS;
		rd->counts = assay_frame_scratch(out, (rd->room + 1) * sizeof *rd->counts);
		size_t column = column_of(sheet, in->raw[1].len);
		if (rd->counts == NULL)
			return -ENOMEM;
		n = column < sheet->count
			    ? read_spectrum(sheet, rd, column, in->raw[0].name, &facts)
			    : -EBADMSG;
	} else
		n = read_row(sheet, rd, &in->raw[1], in->raw[0].name);
	return n == 1 ? reading_add(rd, out) : -EBADMSG;
}

const struct format format_columns = {
	.name = "columns",
	.summary = "reports as CSV or text, by a profile: *.csv, *.txt",
	.techniques = "xrf ftir nir raman uv-vis gc ms gcms weighing ph environment other",
	.state_size = sizeof(struct columns),
	.fits = fits,
	.look = look,
	.next = next,
	.decode = decode,
};

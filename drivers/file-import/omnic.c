/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thermo/Nicolet OMNIC: .spa has one spectrum, .spg a group of them.  A head, a table of sections, and the
 * sections.  One section is the header of a spectrum, the sections up to the next one belong to it.
 */
#include "omnic.h"

#include <stdio.h>

#include "bytes.h"
#include "curve.h"
#include "date.h"
#include "text.h"

#define ENTRY      16
#define MAGIC      "Spectral Data File"
#define MAGIC_SIZE (sizeof(MAGIC) - 1)

#define EXPERIMENT_SIZE 932
#define HISTORY_MAX     4096

enum key {
	KEY_END = 1, /* and 0 */
	KEY_HEADER = 0x02,
	KEY_VALUES = 0x03,
	KEY_HISTORY = 0x1b,
	KEY_INTERFEROGRAM = 0x66,
	KEY_BACKGROUND_INTERFEROGRAM = 0x67,
	KEY_MEMBER = 0x6b,
	KEY_EXPERIMENT = 0x82,
};

struct section {
	uint8_t key;
	uint64_t offset, len;
};

struct state {
	uint32_t count; /* of entries before the end of the list */
	uint32_t at;    /* of next() */
};

/* --- the table -------------------------------------------------------------------------------- */

static int read_section(struct source *s, uint32_t i, struct section *out)
{
	uint8_t entry[ENTRY];
	int error = s->read(s, 0, OMNIC_HEAD + (uint64_t)i * ENTRY, entry, sizeof entry);
	if (error >= 0)
		*out = (struct section){entry[0], get_le32(entry + 2), get_le32(entry + 6)};
	return error;
}

static bool has_values(const struct section *t)
{
	return t->key == KEY_VALUES || t->key == KEY_INTERFEROGRAM ||
	       t->key == KEY_BACKGROUND_INTERFEROGRAM;
}

/* Sections that are never zeros; others may be. */
static bool is_checked(const struct section *t)
{
	return t->len > 0 && (has_values(t) || t->key == KEY_HEADER || t->key == KEY_HISTORY ||
				     t->key == KEY_MEMBER || t->key == KEY_EXPERIMENT);
}

/*
 * 1: the section begins and ends with zeros, or the end that counts does: it was not written; 0: it was.  Of
 * the last section only the end may be missing.
 */
static int is_unwritten(struct source *s, const struct section *t, bool is_last)
{
	uint8_t ends[2][64];
	size_t n = t->len < sizeof(ends[0]) ? t->len : sizeof(ends[0]);
	int error = s->read(s, 0, t->offset, ends[0], n);
	if (error >= 0)
		error = s->read(s, 0, t->offset + t->len - n, ends[1], n);
	if (error < 0)
		return error;
	bool begins = true, finishes = true;
	for (size_t i = 0; i < n; i++) {
		begins = begins && ends[0][i] == 0;
		finishes = finishes && ends[1][i] == 0;
	}
	if (is_last && has_values(t))
		return finishes || (n < sizeof(ends[0]) && bytes_end_in_zeros(ends[1], n));
	if (t->key == KEY_MEMBER) /* its time is at its end */
		return finishes;
	return begins && finishes;
}

/* --- look ------------------------------------------------------------------------------------- */

static int found(struct format_facts *facts, enum format_found result, const char *why, uint64_t a,
	uint64_t b)
{
	snprintf(facts->why, sizeof facts->why, "%s: %llu of %llu", why, (unsigned long long)a,
		(unsigned long long)b);
	return result;
}

/* "Bench Serial Number:APW0900134" in the lines of the history. */
static int read_history(struct source *s, const struct section *t, struct format_facts *facts)
{
	static const char before[] = "Bench Serial Number:";
	char text[HISTORY_MAX + 1];
	size_t n = t->len < HISTORY_MAX ? t->len : HISTORY_MAX;
	int error = s->read(s, 0, t->offset, text, n);
	if (error < 0)
		return error;
	text[n] = '\0';
	const char *at = strstr(text, before);
	if (at == NULL || facts->serial[0] != '\0')
		return 0;
	at += sizeof(before) - 1;
	text_set(facts->serial, TEXT_CP1252, (const uint8_t *)at, strcspn(at, "\r\n\t"));
	return 0;
}

/* A text of the experiment's section: its title, or its file. */
static int read_experiment(struct source *s, const struct section *t, struct format_facts *facts)
{
	uint8_t bytes[254];
	int error = s->read(s, 0, t->offset, bytes, sizeof bytes);
	if (error < 0 || facts->method[0] != '\0')
		return error;
	text_set(facts->method, TEXT_CP1252, bytes + 90, 254 - 90);
	if (facts->method[0] == '\0')
		text_set(facts->method, TEXT_CP1252, bytes + 10, 90 - 10);
	return 0;
}

static int read_facts(struct source *s, const struct section *t, struct format_facts *facts)
{
	uint8_t time[4];
	if (t->key == KEY_HISTORY)
		return read_history(s, t, facts);
	if (t->key == KEY_EXPERIMENT && t->len == EXPERIMENT_SIZE)
		return read_experiment(s, t, facts);
	if (t->key != KEY_MEMBER || t->len < OMNIC_MEMBER || facts->acquired[0] != '\0')
		return 0;
	int error = s->read(s, 0, t->offset + OMNIC_MEMBER_TIME, time, sizeof time);
	if (error >= 0)
		omnic_date(facts->acquired, time);
	return error;
}

static int check_spectrum(struct source *s, const struct section *header,
	const struct section *values, struct format_facts *facts)
{
	uint8_t bytes[OMNIC_HEADER];
	struct curve curve = {0};
	if (header->len < sizeof bytes)
		return found(facts, FORMAT_DAMAGED, "bytes of the header of a spectrum",
			header->len, sizeof bytes);
	int error = s->read(s, 0, header->offset, bytes, sizeof bytes);
	if (error < 0)
		return error;
	return (int)omnic_read_curve(bytes, NULL, values->len, &curve, facts->why);
}

/* The other sections of the spectrum whose header is entry i, and the entry behind them. */
static int read_set(struct source *s, const struct state *state, uint32_t i, struct section *values,
	struct section *member, uint32_t *end)
{
	struct section t;
	*values = *member = (struct section){0};
	for (i++; i < state->count; i++) {
		int error = read_section(s, i, &t);
		if (error < 0)
			return error;
		if (t.key == KEY_HEADER)
			break;
		if (t.key == KEY_VALUES && values->key == 0)
			*values = t;
		else if (t.key == KEY_MEMBER && member->key == 0 && t.len >= OMNIC_MEMBER)
			*member = t;
	}
	*end = i;
	return 0;
}

static int look_sections(struct source *s, const struct state *state, struct format_facts *facts)
{
	uint64_t size = s->file[0].size, end = 0, checked_end = 0, sum = 0;
	uint64_t table_end = OMNIC_HEAD + (uint64_t)state->count * ENTRY;
	struct section t;
	for (uint32_t i = 0; i < state->count; i++) {
		int error = read_section(s, i, &t);
		if (error < 0)
			return error;
		if (t.len > 0 && t.offset < table_end)
			return found(facts, FORMAT_DAMAGED, "a section lies in the table, at byte",
				t.offset, size);
		uint64_t behind = t.offset + t.len;
		end = behind > end ? behind : end;
		if (is_checked(&t) && behind > checked_end)
			checked_end = behind;
		sum += t.len;
	}
	if (end != size)
		return found(facts, end > size ? FORMAT_INCOMPLETE : FORMAT_DAMAGED,
			"its sections do not end with the file", end, size);
	if (sum > size)
		return found(facts, FORMAT_DAMAGED, "its sections overlap", sum, size);
	for (uint32_t i = 0; i < state->count; i++) {
		int result = read_section(s, i, &t);
		if (result >= 0 && has_values(&t) && t.key != KEY_VALUES &&
			(t.len % 4 != 0 || t.len < 8 || t.len > CURVE_BYTES))
			return found(
				facts, FORMAT_DAMAGED, "bytes of an interferogram", t.len, size);
		if (result >= 0 && is_checked(&t))
			result = is_unwritten(s, &t, t.offset + t.len == checked_end);
		if (result > 0)
			return found(facts, FORMAT_INCOMPLETE, "a section has zeros only, at byte",
				t.offset, size);
		if (result >= 0 && t.len > 0)
			result = read_facts(s, &t, facts);
		if (result < 0)
			return result;
	}
	return FORMAT_WHOLE;
}

static int look_spectra(struct source *s, struct state *state, struct format_facts *facts)
{
	struct section header, values, member;
	unsigned spectra = 0;
	for (uint32_t i = 0, next; i < state->count; i = next) {
		next = i + 1;
		int result = read_section(s, i, &header);
		if (result >= 0 && header.key != KEY_HEADER)
			continue;
		if (result >= 0)
			result = read_set(s, state, i, &values, &member, &next);
		if (result >= 0)
			result = check_spectrum(s, &header, &values, facts);
		if (result != FORMAT_WHOLE)
			return result;
		spectra++;
	}
	return spectra > 0
		       ? FORMAT_WHOLE
		       : found(facts, FORMAT_DAMAGED, "spectra in its sections", 0, state->count);
}

static bool omnic_fits(struct source *s)
{
	static const char *const ends[] = {".spa", ".spg", NULL};
	return curve_fits(s, MAGIC, MAGIC_SIZE, ends);
}

static int omnic_look(struct source *s, void *memory, struct format_facts *facts)
{
	struct state *state = memory;
	uint64_t size = s->file[0].size;
	uint8_t head[OMNIC_HEAD] = {0};
	int error = s->read(s, 0, 0, head, size < OMNIC_HEAD ? size : OMNIC_HEAD);
	if (error < 0)
		return error;
	uint32_t count = get_le16(head + 294);
	if (!bytes_fit_items(OMNIC_HEAD, count, ENTRY, size) || head[0] == 0 || count == 0)
		return found(facts, FORMAT_INCOMPLETE, "its table of sections is not there", size,
			OMNIC_HEAD + (uint64_t)count * ENTRY);
	for (uint32_t i = 0; i < count; i++) {
		struct section t;
		error = read_section(s, i, &t);
		if (error < 0)
			return error;
		if (t.key <= KEY_END)
			count = i;
	}
	state->count = count;
	text_set(facts->title, TEXT_CP1252, head + OMNIC_HEAD_TITLE, OMNIC_TITLE);
	int result = look_sections(s, state, facts);
	if (result != FORMAT_WHOLE)
		return result;
	if (facts->acquired[0] == '\0')
		omnic_date(facts->acquired, head + OMNIC_HEAD_TIME);
	snprintf(facts->zone, sizeof facts->zone, "%s", facts->acquired[0] != '\0' ? "Z" : "");
	return look_spectra(s, state, facts);
}

/* --- frames ----------------------------------------------------------------------------------- */

static struct format_slice slice_of(const struct section *t)
{
	return (struct format_slice){.offset = t->offset, .len = t->len};
}

static int omnic_next(struct source *s, void *memory, bool rewind, struct format_plan *plan)
{
	struct state *state = memory;
	struct section t, values, member;
	uint32_t end;
	if (rewind)
		state->at = 0;
	while (state->at < state->count) {
		uint32_t i = state->at++;
		int error = read_section(s, i, &t);
		if (error >= 0 && t.key == KEY_HEADER)
			error = read_set(s, state, i, &values, &member, &end);
		if (error < 0)
			return error;
		plan->slice[0] = slice_of(&t);
		plan->count = 1;
		if (t.key == KEY_INTERFEROGRAM) {
			plan->part = "interferogram";
		} else if (t.key == KEY_BACKGROUND_INTERFEROGRAM) {
			plan->part = "background";
		} else if (t.key == KEY_HEADER) {
			bool is_member = member.key == KEY_MEMBER;
			plan->part = is_member ? "member" : "spectrum";
			plan->slice[0] = is_member ? slice_of(&member)
						   : (struct format_slice){.len = OMNIC_HEAD};
			plan->slice[1] = slice_of(&t);
			plan->slice[2] = slice_of(&values);
			plan->count = 3;
		} else {
			continue;
		}
		return 1;
	}
	return 0;
}

const struct format format_omnic = {
	.name = "omnic",
	.summary = "Thermo/Nicolet OMNIC: .spa, .spg",
	.techniques = "ftir nir raman",
	.state_size = sizeof(struct state),
	.fits = omnic_fits,
	.look = omnic_look,
	.next = omnic_next,
	.decode = omnic_decode,
};

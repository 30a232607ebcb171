/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Galactic `.spc`, new (0x4B) and old (0x4D): a header, perhaps an array of places, then subfiles of one
 * curve each, then a log.  With places of its own, each subfile is found by a directory.  The end of all is
 * computed; a file may have further bytes behind it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "spc-head.h"
#include "text.h"

#define ENTRY        12
#define LOG_HEAD     64
#define LOG_TEXT_MAX 4096
#define SPECTRUM_MAX (8u << 20)
#define OLD_UNKNOWN  (SPC_16_BIT | SPC_OWN_X | SPC_X)

struct spc {
	struct spc_head head;
	uint64_t index, at;           /* of the next subfile */
	uint64_t size;                /* of all subfiles so far: they do not overlap */
	bool has_points;              /* one of them */
	uint8_t subhead[SPC_SUBHEAD]; /* of the last one */
};

static bool fits(struct source *s)
{
	uint8_t start[2];
	return s->files == 1 && !s->is_folder && name_ends(s->name, ".spc") &&
	       s->read(s, 0, 0, start, sizeof start) == 0 && spc_head_size(start) > 0;
}

static int found(struct format_facts *facts, enum format_found what, const char *why)
{
	snprintf(facts->why, sizeof facts->why, "%s", why);
	return what;
}

/* The place of subfile spc->index, and of the one behind it: 0; -ENODATA: not in the file; or an error. */
static int find_subfile(struct source *s, struct spc *spc, struct format_slice *sub)
{
	uint8_t entry[ENTRY];
	uint64_t at = spc->at, size = s->file[0].size, stated = UINT64_MAX;
	if (spc->head.directory > 0) {
		if (!bytes_fit_items(spc->head.directory, spc->index + 1, ENTRY, size))
			return -ENODATA;
		int r = s->read(
			s, 0, spc->head.directory + spc->index * ENTRY, entry, sizeof entry);
		if (r < 0)
			return r;
		at = get_le32(entry);
		stated = get_le32(entry + 4);
		if (at < spc->head.data)
			return -ENODATA;
	}
	if (!bytes_fit(at, SPC_SUBHEAD, size))
		return -ENODATA;
	int r = s->read(s, 0, at, spc->subhead, sizeof spc->subhead);
	if (r < 0)
		return r;
	*sub = (struct format_slice){0, at, spc_subfile_size(&spc->head, spc->subhead)};
	if (!bytes_fit(at, sub->len, size) || sub->len > stated)
		return -ENODATA;
	spc->at = at + sub->len;
	spc->size += sub->len;
	spc->index++;
	return 0;
}

/* All subfiles are in the file: 0, and the last of them by its place; or an enum format_found, or an error. */
static int find_all(
	struct source *s, struct spc *spc, struct format_slice *last, struct format_facts *facts)
{
	struct format_slice sub;
	*spc = (struct spc){.head = spc->head, .at = spc->head.data};
	*last = (struct format_slice){0};
	while (spc->index < spc->head.subfiles) {
		int r = find_subfile(s, spc, &sub);
		if (r == -ENODATA) {
			snprintf(facts->why, sizeof facts->why, "subfile %llu of %llu is not in it",
				(unsigned long long)spc->index + 1,
				(unsigned long long)spc->head.subfiles);
			return FORMAT_INCOMPLETE;
		}
		if (r < 0)
			return r;
		const char *why = spc_refuses(&spc->head, spc->subhead);
		if (why != NULL)
			return found(facts, FORMAT_UNDECODED, why);
		if (spc->size > s->file[0].size)
			return found(facts, FORMAT_DAMAGED, "its subfiles overlap");
		spc->has_points = spc->has_points || sub.len > SPC_SUBHEAD;
		if (sub.offset >= last->offset)
			*last = sub;
	}
	return spc->has_points ? 0 : found(facts, FORMAT_DAMAGED, "its subfiles have no points");
}

/* The value of "KEY = value" in the log. */
static void read_log_line(const char *text, const char *key, char *to, size_t size)
{
	size_t len = strlen(key);
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) != 0 || strncmp(line + len, " = ", 3) != 0)
			continue;
		const char *value = line + len + 3;
		text_convert(to, size, TEXT_CP1252, (const uint8_t *)value, strcspn(value, "\r\n"));
		return;
	}
}

/*
 * The log, if there is one: 0, and whether it was written; or an enum format_found, or an error.  Its first
 * number is its size.
 */
static int read_log(struct source *s, const struct spc_head *head, struct format_facts *facts)
{
	uint8_t log[LOG_HEAD];
	char text[LOG_TEXT_MAX + 1] = "";
	uint64_t size = s->file[0].size;
	if (!bytes_fit(head->log, sizeof log, size))
		return found(facts, FORMAT_INCOMPLETE, "its log is not in it");
	int r = s->read(s, 0, head->log, log, sizeof log);
	if (r < 0)
		return r;
	uint32_t len = get_le32(log), from = get_le32(log + 8);
	if (len < sizeof log)
		return found(facts, FORMAT_INCOMPLETE, "its log has no size yet");
	if (!bytes_fit(head->log, len, size))
		return found(facts, FORMAT_INCOMPLETE, "it ends before its log does");
	if (from >= len)
		return 0;
	size_t have = len - from < LOG_TEXT_MAX ? len - from : LOG_TEXT_MAX;
	r = s->read(s, 0, head->log + from, text, have);
	if (r == 0 && facts->model[0] == '\0')
		read_log_line(text, "MODEL", facts->model, sizeof facts->model);
	return r;
}

/* Whether the end was written, where no log and no directory behind the values shows it. */
static int check_end(struct source *s, const struct spc *spc, const struct format_slice *last,
	struct format_facts *facts)
{
	uint8_t tail[64];
	uint64_t end = last->offset + last->len;
	if (spc->head.log >= end || spc->head.directory >= end)
		return 0;
	uint64_t values = last->len - SPC_SUBHEAD;
	size_t len = values < sizeof tail ? (size_t)values : sizeof tail;
	int r = s->read(s, 0, end - len, tail, len);
	if (r == 0 && (len == 0 || bytes_end_in_zeros(tail, len)))
		return found(facts, FORMAT_INCOMPLETE,
			"its last values are 0: they may not be written yet");
	return r;
}

static void read_facts(const uint8_t *p, const struct spc_head *head, struct format_facts *facts)
{
	spc_date(head, facts->acquired);
	if (head->version == SPC_OLD) {
		text_set(facts->title, TEXT_CP1252, p + 64, 130);
		return;
	}
	text_set(facts->model, TEXT_CP1252, p + 45, 9);
	text_set(facts->title, TEXT_CP1252, p + 88, 130);
	text_set(facts->method, TEXT_CP1252, p + 264, 48);
}

/* A header that contradicts itself, or has what no known file has: 0 or an enum format_found. */
static int check_head(const struct spc_head *head, struct format_facts *facts)
{
	bool is_old = head->version == SPC_OLD;
	if (is_old && head->flags & OLD_UNKNOWN)
		return found(
			facts, FORMAT_UNDECODED, "an old file with flags that no known one has");
	if (is_old && !(head->flags & SPC_MULTI) && head->subfiles > 1)
		return found(
			facts, FORMAT_DAMAGED, "an old file of one curve that goes on behind it");
	if (head->flags & SPC_OWN_X && head->directory == 0 && head->subfiles != 1)
		return found(facts, FORMAT_UNDECODED, "its subfiles have no directory");
	if (head->flags & SPC_OWN_X && head->directory > 0 && head->directory < head->data)
		return found(facts, FORMAT_DAMAGED, "its directory is in the header");
	if (!(head->flags & SPC_OWN_X) && (head->points == 0 || head->points > NUMBERS_MAX))
		return found(facts, FORMAT_DAMAGED, "it states no points, or too many");
	return head->subfiles == 0 ? found(facts, FORMAT_DAMAGED, "it states no subfiles") : 0;
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	struct spc *spc = state;
	uint8_t head[SPC_HEAD_MAX] = {0};
	struct format_slice last;
	uint64_t size = s->file[0].size;
	int r = s->read(s, 0, 0, head, size < sizeof head ? (size_t)size : sizeof head);
	if (r < 0)
		return r;
	if (spc_head_size(head) > size)
		return found(facts, FORMAT_INCOMPLETE, "it ends in its header");
	if (head[1] == SPC_NEW_BIG_ENDIAN)
		return found(facts, FORMAT_UNDECODED,
			"big-endian (0x4C): no file to learn from is known");
	spc_head_read(head, size, &spc->head);
	read_facts(head, &spc->head, facts);
	r = check_head(&spc->head, facts);
	if (r == 0)
		r = find_all(s, spc, &last, facts);
	if (r == 0 && spc->head.log > 0)
		r = read_log(s, &spc->head, facts);
	if (r == 0)
		r = check_end(s, spc, &last, facts);
	return r == 0 ? FORMAT_WHOLE : r;
}

static int next(struct source *s, void *state, bool rewind, struct format_plan *plan)
{
	struct spc *spc = state;
	if (rewind)
		*spc = (struct spc){.head = spc->head, .at = spc->head.data};
	do {
		if (spc->index >= spc->head.subfiles)
			return 0;
		int r = find_subfile(s, spc, &plan->slice[1]);
		if (r < 0)
			return r == -ENODATA ? -EBADMSG : r;
	} while (plan->slice[1].len == SPC_SUBHEAD); /* a scan without peaks */
	if (spc->head.subfiles == 1 && spc->head.directory == 0 &&
		s->file[0].size <= SPECTRUM_MAX) {
		plan->part = "spectrum";
		plan->slice[0] = (struct format_slice){0, 0, s->file[0].size};
		plan->count = 1;
	} else {
		plan->part = "subfile";
		plan->slice[0] = (struct format_slice){0, 0, spc->head.data};
		plan->count = 2;
	}
	return 1;
}

const struct format format_spc = {
	.name = "spc",
	.summary = "Galactic GRAMS and programs that export for it: *.spc",
	.techniques = "ftir nir raman uv-vis ms gcms gc",
	.state_size = sizeof(struct spc),
	.fits = fits,
	.look = look,
	.next = next,
	.decode = spc_decode,
};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bruker OPUS (`.0`, `.1` ...): a directory of blocks, each with parameters or with numbers.  OPUS appends
 * blocks, and then writes another directory, so the same name comes again with further results.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "opus-decode.h"

#define HEADER         24
#define ENTRY          12
#define BLOCKS_MAX     1024
#define PARAMETERS_MAX (64u << 10)

struct block {
	uint32_t type;
	struct format_slice place;
};

struct opus {
	struct block block[BLOCKS_MAX];
	unsigned count;
	unsigned row, at; /* of the next frame */
};

static const uint8_t magic[] = {0x0a, 0x0a, 0xfe, 0xfe};

static bool fits(struct source *s)
{
	uint8_t start[sizeof magic];
	return s->files == 1 && !s->is_folder && s->read(s, 0, 0, start, sizeof start) == 0 &&
	       memcmp(start, magic, sizeof magic) == 0;
}

static int found(struct format_facts *facts, enum format_found what, const char *why)
{
	snprintf(facts->why, sizeof facts->why, "%s", why);
	return what;
}

/* --- the directory ---------------------------------------------------------------------------- */

static int read_directory(struct source *s, struct opus *file, struct format_facts *facts)
{
	uint8_t header[HEADER], entry[ENTRY];
	uint64_t size = s->file[0].size, bytes = 0;
	int r = size < sizeof header ? -ENODATA : s->read(s, 0, 0, header, sizeof header);
	if (r < 0)
		return r == -ENODATA ? found(facts, FORMAT_INCOMPLETE, "it ends in its header") : r;
	uint64_t at = get_le32(header + 12), count = get_le32(header + 20);
	if (count == 0 || !bytes_fit_items(at, count, ENTRY, size))
		return found(facts, FORMAT_INCOMPLETE, "its directory is not in it");
	if (count > BLOCKS_MAX)
		return found(facts, FORMAT_DAMAGED, "its directory has more than 1024 blocks");
	for (file->count = 0; file->count < count; file->count++) {
		r = s->read(s, 0, at + file->count * ENTRY, entry, sizeof entry);
		if (r < 0)
			return r;
		struct block *b = &file->block[file->count];
		*b = (struct block){get_le32(entry),
			{0, get_le32(entry + 8), 4 * (uint64_t)get_le32(entry + 4)}};
		if (b->place.len == 0)
			return found(facts, FORMAT_INCOMPLETE, "its directory has empty blocks");
		if (!bytes_fit(b->place.offset, b->place.len, size))
			return found(facts, FORMAT_INCOMPLETE, "it ends before its blocks do");
		bytes += b->place.len;
	}
	return bytes > size ? found(facts, FORMAT_DAMAGED, "its blocks overlap") : 0;
}

/* A block of numbers of a row; derivatives and the imaginary half of a result are none. */
static bool is_of_row(const struct block *b, const struct opus_row *row, unsigned about)
{
	return opus_about(b->type) == about && opus_data(b->type) == row->data &&
	       opus_of(b->type) == row->of && opus_extra(b->type) == 0 &&
	       opus_complex(b->type) != OPUS_IMAGINARY;
}

/* The parameters of the numbers in block `i`: of several of one type, in the same order.  NULL: none. */
static const struct block *find_about(
	const struct opus *file, const struct opus_row *row, unsigned i)
{
	unsigned before = 0;
	for (unsigned k = 0; k < i; k++)
		before += is_of_row(&file->block[k], row, OPUS_NUMBERS);
	for (unsigned k = 0; k < file->count; k++)
		if (is_of_row(&file->block[k], row, OPUS_ABOUT_NUMBERS) && before-- == 0)
			return &file->block[k];
	return NULL;
}

/* Parameters of the measurement: those of the reference have its bits, those of the sample none. */
static const struct block *find_parameters(
	const struct opus *file, enum opus_about about, enum opus_of of)
{
	for (unsigned i = 0; i < file->count; i++) {
		const struct block *b = &file->block[i];
		bool is_reference = opus_of(b->type) == OPUS_REFERENCE;
		if (opus_about(b->type) == about && opus_data(b->type) == 0 &&
			opus_extra(b->type) == 0 && is_reference == (of == OPUS_REFERENCE))
			return b;
	}
	return NULL;
}

/* --- whether it is whole ---------------------------------------------------------------------- */

static bool is_parameters(const struct block *b)
{
	unsigned about = opus_about(b->type);
	return (about >= 1 && about <= 6) || about == OPUS_SAMPLE_FACTS;
}

/* Reads a block of parameters into `to`, PARAMETERS_MAX bytes: 0, an enum format_found, or an error. */
static int read_parameters(struct source *s, const struct block *b, uint8_t *to,
	struct opus_parameters *list, struct format_facts *facts)
{
	if (b->place.len > PARAMETERS_MAX)
		return found(facts, FORMAT_DAMAGED, "a list of parameters of more than 64 KiB");
	int r = s->read(s, 0, b->place.offset, to, b->place.len);
	*list = (struct opus_parameters){to, b->place.len};
	if (r == 0 && !opus_is_ended(*list))
		return found(facts, FORMAT_INCOMPLETE, "a list of parameters has no end");
	return r;
}

static void read_facts(struct opus_parameters list, unsigned about, struct format_facts *facts)
{
	char date[32], time[64];
	if (about == OPUS_SAMPLE_FACTS) {
		opus_text(list, "SNM", facts->sample, sizeof facts->sample);
		opus_text(list, "CNM", facts->person, sizeof facts->person);
	}
	if (about == OPUS_INSTRUMENT) {
		opus_text(list, "INS", facts->model, sizeof facts->model);
		opus_text(list, "SRN", facts->serial, sizeof facts->serial);
	}
	/* Day/month/year, with a zone that the file's own Unix time contradicts: as the file has it. */
	if (about == OPUS_ABOUT_NUMBERS && facts->acquired[0] == '\0' &&
		opus_text(list, "DAT", date, sizeof date) && date[0] != '\0' &&
		opus_text(list, "TIM", time, sizeof time))
		snprintf(facts->acquired, sizeof facts->acquired, "%s %s", date, time);
}

/* The lists of parameters, each ended; facts of the sample's only. */
static int check_parameters(
	struct source *s, const struct opus *file, uint8_t *bytes, struct format_facts *facts)
{
	for (unsigned i = 0; i < file->count; i++) {
		const struct block *b = &file->block[i];
		struct opus_parameters list;
		int r = is_parameters(b) ? read_parameters(s, b, bytes, &list, facts) : 0;
		if (r != 0)
			return r;
		if (is_parameters(b) && opus_of(b->type) != OPUS_REFERENCE)
			read_facts(list, opus_about(b->type), facts);
	}
	return 0;
}

/* Each block that will be a frame has its points; and there is one. */
static int check_numbers(
	struct source *s, const struct opus *file, uint8_t *bytes, struct format_facts *facts)
{
	unsigned frames = 0;
	for (unsigned n = 0; n < OPUS_ROWS * file->count; n++) {
		const struct opus_row *row = &opus_rows[n / file->count];
		const struct block *b = &file->block[n % file->count], *about_block;
		struct opus_parameters list;
		struct opus_numbers about;
		if (!is_of_row(b, row, OPUS_NUMBERS) ||
			(about_block = find_about(file, row, n % file->count)) == NULL)
			continue;
		int r = read_parameters(s, about_block, bytes, &list, facts);
		if (r != 0)
			return r;
		if (!opus_about_numbers(list, &about) || b->place.len < 4 * (uint64_t)about.points)
			return found(facts, FORMAT_DAMAGED,
				"a block of numbers does not have the points that are stated");
		if (b->place.len >= 8 * (uint64_t)about.points)
			return found(facts, FORMAT_UNDECODED,
				"a block has the numbers of several curves: not decoded");
		frames++;
	}
	return frames == 0
		       ? found(facts, FORMAT_UNDECODED, "no block of numbers that can be decoded")
		       : 0;
}

/* Whether the end was written: a list of parameters shows it, numbers and texts by their last bytes. */
static int check_end(struct source *s, const struct opus *file, struct format_facts *facts)
{
	const struct block *last = &file->block[0];
	uint8_t tail[64];
	for (unsigned i = 1; i < file->count; i++)
		if (file->block[i].place.offset > last->place.offset)
			last = &file->block[i];
	if (is_parameters(last))
		return 0;
	size_t len = last->place.len < sizeof tail ? (size_t)last->place.len : sizeof tail;
	int r = s->read(s, 0, last->place.offset + last->place.len - len, tail, len);
	if (r == 0 && (len == 0 || bytes_end_in_zeros(tail, len)))
		return found(facts, FORMAT_INCOMPLETE,
			"its last bytes are 0: they may not be written yet");
	return r;
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	struct opus *file = state;
	uint8_t *bytes = malloc(PARAMETERS_MAX);
	int r = bytes != NULL ? read_directory(s, file, facts) : -ENOMEM;
	if (r == 0)
		r = check_parameters(s, file, bytes, facts);
	if (r == 0)
		r = check_end(s, file, facts);
	if (r == 0)
		r = check_numbers(s, file, bytes, facts);
	free(bytes);
	strcpy(facts->make, "Bruker");
	return r == 0 ? FORMAT_WHOLE : r;
}

/* --- frames ----------------------------------------------------------------------------------- */

static void add_slice(struct format_plan *plan, const struct block *b)
{
	if (b != NULL)
		plan->slice[plan->count++] = b->place;
}

static int next(struct source *s, void *state, bool rewind, struct format_plan *plan)
{
	struct opus *file = state;
	(void)s;
	if (rewind)
		file->row = file->at = 0;
	for (; file->row < OPUS_ROWS; file->row++, file->at = 0) {
		const struct opus_row *row = &opus_rows[file->row];
		while (file->at < file->count) {
			unsigned i = file->at++;
			const struct block *about = find_about(file, row, i);
			if (!is_of_row(&file->block[i], row, OPUS_NUMBERS) || about == NULL)
				continue;
			plan->part = row->part;
			plan->count = 0;
			add_slice(plan, &file->block[i]);
			add_slice(plan, about);
			add_slice(plan, find_parameters(file, OPUS_INSTRUMENT, row->of));
			add_slice(plan, find_parameters(file, OPUS_ACQUISITION, row->of));
			add_slice(plan, find_parameters(file, OPUS_FOURIER, row->of));
			return 1;
		}
	}
	return 0;
}

const struct format format_opus = {
	.name = "opus",
	.summary = "Bruker OPUS: *.0, *.1 and so on",
	.techniques = "ftir nir raman",
	.state_size = sizeof(struct opus),
	.fits = fits,
	.look = look,
	.next = next,
	.decode = opus_decode,
};

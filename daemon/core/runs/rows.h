/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runs in the journal: one row each, in memory, for numbers, listing and finding.  Kept up by
 * the core while it writes, rebuilt from the journal at start.  Runs of former journals are known
 * too, but only for numbers and to the functions at the end.
 *
 * Threads: main, which alone changes rows; the functions at the end: any.
 */
#ifndef ASSAY_CORE_RUNS_RUNS_H
#define ASSAY_CORE_RUNS_RUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/runs/numbers.h"
#include "core/runs/run.h"
#include "core/runs/taken.h"

struct published;
struct runs;

struct runs_row {
	uint8_t id[16];
	uint8_t journal[16]; /* set by runs_put() */
	uint8_t ctx[32];     /* SHA-256(0x00 || run-start entry) */
	char number[RUN_NUMBER_MAX + 1];
	char instrument[33], topic[161];
	char sample[RUN_TEXT_MAX + 1], operator[RUN_TEXT_MAX + 1];
	char status[16];      /* "" open */
	uint64_t start;       /* UTC */
	uint64_t first, last; /* seqs; last 0: open */
	uint64_t frames;
	unsigned quality; /* the worst of its frames; 0: it has none, or it is not known */
	bool sim;
	struct taken_file file; /* the data set of a folder that it records; zero: none */
};

/*
 * Reads the runs of journal `id` below `path`, up to seq `head`.  The index file <path>/runs/<id>
 * holds the runs up to some seq, so only the entries after that are read.  Owned through `out`;
 * -ENOMEM, or an error of the journal's reader.
 */
int runs_load(struct runs **out, const char *path, const uint8_t *id, uint64_t head);
void runs_destroy(struct runs *runs);

/*
 * To be called now and then: notes that everything up to seq `head` is accounted for, so that the
 * next start need not read it again.
 */
void runs_checkpoint(struct runs *runs, uint64_t head);

/* Adds a row (copied), or replaces the one with its id.  -ENOMEM. */
int runs_put(struct runs *runs, const struct runs_row *row);

/*
 * Notes that the entry `seq` of the current journal is an amend of this run, whichever journal the
 * run is in, or the run-end of one in a former journal.  -ENOMEM.
 */
int runs_put_amend(struct runs *runs, const uint8_t run[16], uint64_t seq);

/* The seq up to which runs_load() looked. */
uint64_t runs_head(const struct runs *runs);

/* Numbers are reserved by `numbers`, borrowed. */
void runs_reserve(struct runs *runs, struct numbers *numbers);

/*
 * The days of numbers are those of this zone of tzdata from now on, and that of the whole process:
 * call it before there are threads.
 */
void runs_use_zone(const char *name);

/*
 * The next free number <node>/<instrument>/<yyyymmdd>-<nnn> of the day of `utc` in the laboratory's
 * zone; runs of former journals count too.  A number is free if none with the same day was given, so
 * it stays so when the zone or the clock changes.
 */
void runs_next_number(const struct runs *runs, const char *node, const char *instrument,
	uint64_t utc, char number[RUN_NUMBER_MAX + 1]);

/*
 * A run that was open when the core ended: reads its frames from its journal, up to seq `head`, for
 * row->frames, row->quality, their digest and counts.  0 or a negative errno.
 */
int runs_digest(const struct runs *runs, struct runs_row *row, uint64_t head, uint8_t digest[32],
	struct quality_counts *counts);

/* Sets status and frames of a run in a former journal, whose run-end is in a later one. */
void runs_end_former(struct runs *runs, const uint8_t run[16], const char *status, uint64_t frames);

/*
 * Appends the keys of the data sets that complete runs of this instrument recorded, in any journal, for
 * SETUP; the newest if there are more than WIRE_TAKEN_MAX.
 */
void runs_list_taken(const struct runs *runs, const char *instrument, bool sim, struct buffer *out);

/* The last complete run of the same path, if it recorded another content. */
bool runs_find_superseded(
	const struct runs *runs, const struct taken_file *file, struct runs_row *row);

/*
 * From now on the functions below show only what is committed, as `published` (borrowed) has it: a
 * run from its run-start on, open until its run-end.
 */
void runs_follow(struct runs *runs, struct published *published);

/* A frame with this quality of this open run is committed. */
void runs_count_frame(struct runs *runs, const uint8_t run[16], unsigned quality);

/* --- for any thread: copies of rows, also of former journals --- */

/* The last committed seq of the current journal. */
uint64_t runs_committed(struct runs *runs);

/* Criteria; NULL and 0: any.  `at` is the position of the search, 0 at its start. */
struct runs_search {
	const uint8_t *id, *ctx;
	const char *number, *instrument, *sample;
	uint64_t since, until; /* of its start, inclusive */
	size_t at;
};

/* The next row that fits, newest first.  1: copied to `row`; 0: there are no more. */
int runs_search(struct runs *runs, struct runs_search *search, struct runs_row *row);

struct runs_amend {
	uint8_t run[16], journal[16];
	uint64_t seq;
};

/* Copies the run's amends, oldest first, at most `size`.  Returns how many there are. */
size_t runs_amends(
	struct runs *runs, const uint8_t run[16], struct runs_amend *amends, size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts of a run that each format puts into its comments, one list for all formats: texts that
 * have no control or invisible characters, with the corrections applied and named.
 */
#ifndef ASSAY_EXPORT_FACTS_H
#define ASSAY_EXPORT_FACTS_H

#include <assay/record.h>

#include "base/buffer.h"

struct export;
struct export_item;
struct export_run;

enum fact_id {
	FACT_RUN,       /* its number */
	FACT_SIMULATED, /* of a simulated instrument only: that this is no measurement */
	FACT_NOT_VALID, /* of a run that a correction declares invalid only */
	FACT_STATUS,
	FACT_QUALITY, /* "good 12, suspect 1": of its frames */
	FACT_STARTED, /* "2026-11-22 20:15:03.125 UTC, clock ntp" */
	FACT_SAMPLE,
	FACT_OPERATOR,
	FACT_NOTE,
	FACT_METHOD,      /* "SOP-014, version 3" */
	FACT_CALIBRATION, /* "CAL-1; CAL-2" */
	FACT_LABORATORY,  /* "site/node" */
	FACT_INSTRUMENT,  /* its key in the configuration */
	FACT_MAKE,
	FACT_MODEL,
	FACT_SERIAL,
	FACT_FIRMWARE,
	FACT_TECHNIQUE, /* "xrf": of the topic */
	FACT_CORRECTED, /* "sample, note: wrong label" */
	FACT_SOURCE,    /* "journal HEX, entries 5 to 99" */
	FACT_DIGEST,    /* "sha256 HEX" of run-end, or why there is none */
	FACT_PROGRAM,
	FACTS_COUNT
};

#define FACT_SIZE 400

struct facts {
	char texts[FACTS_COUNT][FACT_SIZE]; /* "": the run does not have it */
	uint64_t started;                   /* ns since 1970 */
	uint64_t qualities[ASSAY_QUALITY_MISSING + 1];
};

/* "run", "SIMULATED" ... */
extern const char *const fact_names[FACTS_COUNT];

/* The facts of the row of the run; then the rest, by its entries. */
void facts_begin(struct facts *facts, const struct export_run *run);
void facts_take(struct facts *facts, const struct export_run *run, const struct export_item *item);

/* "suspect: cal-expired late": the frame's quality and its reasons; the reasons alone. */
void facts_put_quality(struct buffer *to, const struct assay_frame_view *frame);
void facts_put_reasons(struct buffer *to, const struct assay_frame_view *frame);

/* The hexadecimal digest alone, or why there is none. */
const char *facts_digest(const struct facts *facts);

/* A line of comment per fact: BEFORE name BETWEEN text AFTER, for formats that are ASCII. */
struct facts_style {
	const char *before, *between, *after;
	const char *const *marks;
	size_t max; /* characters of a text in one line; the rest is in the next */
};

/* All facts that the run has; of a frame also its number, time, step and quality (NULL: none). */
void facts_put_comments(struct buffer *to, const struct facts *facts,
	const struct assay_frame_view *frame, const struct facts_style *style);

/* "SIMULATED 24-0815": the mark, then the sample, or the number of a run without sample. */
void facts_put_title(
	struct buffer *to, const struct facts *facts, const char *const *marks, size_t max);

/* The survey of formats that need the facts only. */
int facts_only(struct export *e, const struct export_item *item);

/*
 * Appends the text for a format that is ASCII: other characters as "\u00e4", cut to `max` characters.
 * Each of the `marks` ("##", ": "; ends with NULL) gets its first character replaced by '-', or by
 * ' ' if it is a '-'.
 */
void facts_put_ascii(struct buffer *to, const char *text, const char *const *marks, size_t max);

#endif

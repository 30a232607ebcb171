/* SPDX-License-Identifier: Apache-2.0 */
/* The labelled records of a JCAMP-DX file: ##LABEL= text, with its data up to the next one. */
#ifndef FILE_IMPORT_JCAMP_SCAN_H
#define FILE_IMPORT_JCAMP_SCAN_H

#include "format.h"

#define JCAMP_LABEL 32
#define JCAMP_PIECE 8192

struct jcamp_record {
	uint64_t at;             /* of its "##" */
	uint64_t after;          /* of its first line */
	char label[JCAMP_LABEL]; /* in capitals, without blanks, '-', '/' and '_' */
	char text[FORMAT_FACT];  /* of its first line, without a comment */
};

struct jcamp_scan {
	struct source *s;
	uint64_t end; /* of the piece */
	size_t used, have;
	bool is_inside; /* of a line */
	uint8_t piece[JCAMP_PIECE];
};

/* From the start of file 0. */
void jcamp_scan_init(struct jcamp_scan *scan, struct source *s);

/* The next record: 1; 0: there is none; or an error of source.read. */
int jcamp_scan_next(struct jcamp_scan *scan, struct jcamp_record *record);

/* How a table lists its numbers. */
enum jcamp_form {
	JCAMP_NO_FORM = 0,
	JCAMP_LIST,  /* (X++(Y..Y)): a place, then values at even places from there on */
	JCAMP_PAIRS, /* (XY..XY) */
};

#define JCAMP_SYMBOL 8

/* The form of a record that is a table, and its symbols. */
enum jcamp_form jcamp_form_of(
	const struct jcamp_record *record, char x[JCAMP_SYMBOL], char y[JCAMP_SYMBOL]);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* One reading of a report: a row, or a column that is a spectrum. */
#ifndef FILE_IMPORT_READING_H
#define FILE_IMPORT_READING_H

#include "report.h"

#define READING_ENTRIES  200 /* a frame has 256 variables at most */
#define READING_EXTRAS   32
#define READING_CHANNELS (1u << 17)

/* A value of a substance, or of none. */
struct entry {
	char analyte[REPORT_TEXT];
	const char *name, *unit; /* unit NULL: that of the reading */
	bool has_value, is_below, has_error;
	double value, error;
};

struct reading {
	const struct report *report;
	bool is_ignored;
	const char *file; /* its name, for a date; NULL: none */
	struct entry entries[READING_ENTRIES];
	size_t entry_count;
	struct extra {
		const struct report_rule *rule;
		double number;
		char text[REPORT_TEXT]; /* of a setting */
	} extras[READING_EXTRAS];
	size_t extra_count;
	const char *unit;                      /* of all values; NULL: not stated */
	char texts[USE_TIME + 1][REPORT_TEXT]; /* from USE_SAMPLE on */
	double sigma, first, step, points;     /* NAN: not stated */
	const char *energy_unit;
	double *counts; /* NULL: they are only counted */
	size_t room, count;
	char why[FORMAT_FACT];
};

void reading_begin(struct reading *rd, const struct report *r, const char *file);

/* Takes a cell with its title: 0, or -EBADMSG and rd->why. */
int reading_take(struct reading *rd, const char *title, const char *cell);

/* After the last cell: 1: there is something in it; 0: there is not; -EBADMSG and rd->why. */
int reading_end(struct reading *rd);

/* The facts that it states. */
void reading_facts(const struct reading *rd, struct format_facts *facts);

/* Adds all to a frame: 0 or -ENOMEM. */
int reading_add(const struct reading *rd, struct assay_frame *out);

#endif

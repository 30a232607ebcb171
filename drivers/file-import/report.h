/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reports as CSV or text, by the settings of a profile: cells of a file, the meaning of a column, numbers and
 * times.  A text whose meaning the profile leaves open is an error with a reason, never a guess.
 */
#ifndef FILE_IMPORT_REPORT_H
#define FILE_IMPORT_REPORT_H

#include "format.h"
#include "text.h"

#define REPORT_CELLS 1024
#define REPORT_TEXT  128 /* bytes of a cell's text: a longer one is cut */
#define REPORT_RULES 96
#define REPORT_WORDS 32

enum report_use {
	USE_VALUE,
	USE_ERROR,
	USE_UNIT,
	USE_SIGMA,
	USE_AUX,
	USE_SETTING,
	USE_SAMPLE,
	USE_PERSON,
	USE_METHOD,
	USE_TITLE,
	USE_SERIAL,
	USE_MODEL,
	USE_DATE,
	USE_TIME,
	USE_FIRST,
	USE_STEP,
	USE_POINTS,
	USE_COUNTS,
	USE_IGNORE,
};

/* A row of report_columns.  Its column is `before`, a substance if there is one, `after`. */
struct report_rule {
	const char *pattern, *after;
	size_t before;
	enum { HAS_NO_SUBSTANCE, HAS_ANALYTE, HAS_ELEMENT } substance;
	enum report_use use;
	const char *name, *unit; /* NULL: none */
};

struct report {
	const struct assay_settings *settings;
	bool is_spectra; /* one column per spectrum */
	enum text_encoding encoding;
	unsigned width;          /* bytes of a character: 1, or of UTF-16 2 */
	char separator;          /* '\0': blanks */
	char decimal, thousands; /* thousands '\0': none */
	const char *header;      /* a cell of the header line */
	const char *end;         /* the first cell of the last line; NULL: none */
	bool has_two_lines;      /* of header */
	bool error_is_limit;
	double sigma;
	const char *order; /* of a date: "ymd", "mdy", "dmy"; NULL: not known */
	const char *below[REPORT_WORDS], *ignore[REPORT_WORDS];
	size_t below_count, ignore_count, rule_count;
	struct report_rule rules[REPORT_RULES];
};

/* True if the settings have a profile. */
bool report_is_set(const struct assay_settings *settings);

/* The settings; borrows their texts. */
void report_read(const struct assay_settings *settings, struct report *to);

/* Finds settings that cannot work. */
void report_check(const struct assay_settings *settings, struct assay_check *out);

/* --- cells --- */

struct report_cell {
	size_t offset, len; /* bytes, without quotes */
};

/*
 * The encoding by the file's first bytes, which they state if they have a mark; 0: the one of the settings
 * holds.  False: the text needs a mark and has none, or another one than the settings state: `why`.
 */
bool report_find_encoding(
	struct report *r, const uint8_t *bytes, size_t len, char *why, size_t size);

/* The length of that mark. */
size_t report_mark(const struct report *r, const uint8_t *bytes, size_t len);

/* The character at a place; one that is not ASCII is 0x7f. */
unsigned report_char(const struct report *r, const uint8_t *bytes, size_t at);

/*
 * Splits the line at *at, and moves it behind: 1; 0: the text has ended; -EBADMSG: a quote that is not
 * closed, or more cells than REPORT_CELLS.  `is_ended`: its line end is there.
 */
int report_line(const struct report *r, const uint8_t *bytes, size_t len, size_t *at,
	struct report_cell cells[REPORT_CELLS], size_t *n, bool *is_ended);

/* A cell as UTF-8. */
void report_text(const struct report *r, const uint8_t *bytes, struct report_cell cell,
	char to[REPORT_TEXT]);

/* --- meaning --- */

/* The rule of a column; NULL: none.  The substance of its title goes to `analyte`, or "". */
const struct report_rule *report_match(
	const struct report *r, const char *title, char analyte[REPORT_TEXT]);

/* A number by the signs of the profile: 0, or -EBADMSG for all that is not certainly one. */
int report_number(const struct report *r, const char *text, double *to);

bool report_is_below(const struct report *r, const char *text);
/* True if a cell begins with a word of report_ignore. */
bool report_is_ignored(const struct report *r, const char *cell);

/* The unit of a word of the file; NULL: the profile does not have it. */
const char *report_unit(const struct report *r, const char *word);

/*
 * Date and time as "2016-07-06T19:43:13"; the texts as they are if the order of the date is not certain.  The
 * name of the file decides if it has one of the days that the date can be.
 */
void report_time(const struct report *r, const char *date, const char *time, const char *file,
	char to[FORMAT_FACT]);

/* The rows of the driver's table of settings. */
extern const char *const report_layouts[],
	*const report_encodings[], *const report_separators[],
					   *const report_decimals[],
						   *const report_thousands[],
							   *const report_errors[],
								   *const report_orders[];
extern const struct assay_setting report_columns[], report_units[];

/* clang-format off */
#define REPORT_SETTINGS \
	{.name = "report", .type = ASSAY_CHOICE, .choices = report_layouts, .fallback = "none", \
		.help = "layout of reports as CSV or text: one row per reading, or one column per spectrum"}, \
	{.name = "report_encoding", .type = ASSAY_CHOICE, .choices = report_encodings, .fallback = "utf-8", \
		.help = "encoding of reports; the mark at the beginning of a file comes first"}, \
	{.name = "report_separator", .type = ASSAY_CHOICE, .choices = report_separators, \
		.help = "between the cells of a report"}, \
	{.name = "report_decimal", .type = ASSAY_CHOICE, .choices = report_decimals, .fallback = "point", \
		.help = "decimal sign of numbers"}, \
	{.name = "report_thousands", .type = ASSAY_CHOICE, .choices = report_thousands, .fallback = "none", \
		.help = "sign between groups of three digits"}, \
	{.name = "report_header", .type = ASSAY_TEXT, \
		.help = "a cell of the header line, which is the first line that has it; of spectra the first cell"}, \
	{.name = "report_header_lines", .type = ASSAY_INT, .min = 1, .max = 2, .fallback = "1", \
		.help = "2: the line before has a word for several columns, which goes before their titles"}, \
	{.name = "report_columns", .type = ASSAY_TABLE, .columns = report_columns, \
		.help = "meaning of the columns of a report; the first row that fits counts"}, \
	{.name = "report_units", .type = ASSAY_TABLE, .columns = report_units, \
		.help = "units as a report has them; one that is not here is an error"}, \
	{.name = "report_below", .type = ASSAY_TEXT, .flags = ASSAY_LIST, \
		.help = "words for a value below the limit of detection"}, \
	{.name = "report_below_error", .type = ASSAY_CHOICE, .choices = report_errors, .fallback = "nothing", \
		.help = "meaning of the error of such a value"}, \
	{.name = "report_sigma", .type = ASSAY_NUMBER, .min = 0.5, .max = 10, .fallback = "1", \
		.help = "standard deviations of the errors, if no column states them"}, \
	{.name = "report_ignore", .type = ASSAY_TEXT, .flags = ASSAY_LIST, \
		.help = "beginnings of the first cell, or of one of use ignore, in lines that are no readings"}, \
	{.name = "report_end", .type = ASSAY_TEXT, \
		.help = "first cell of the last line, without which a report is not complete"}, \
	{.name = "report_date", .type = ASSAY_CHOICE, .choices = report_orders, \
		.help = "order of dates such as 1/10/2022"}
/* clang-format on */

#endif

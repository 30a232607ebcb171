/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "piece.h"
#include "xray.h"

#define ELEMENT "{element}"
#define ANALYTE "{analyte}"

const char *const report_layouts[] = {"none", "rows", "spectra", NULL};
const char *const report_encodings[] = {"utf-8", "cp1252", "latin-1", "shift-jis", "utf-16", NULL};
const char *const report_separators[] = {"comma", "semicolon", "tab", "blanks", NULL};
const char *const report_decimals[] = {"point", "comma", NULL};
const char *const report_thousands[] = {"none", "point", "comma", "apostrophe", NULL};
const char *const report_errors[] = {"nothing", "limit", NULL};
const char *const report_orders[] = {"ymd", "mdy", "dmy", NULL};

/* In the order of enum report_use. */
static const char *const uses[] = {"value", "error", "unit", "sigma", "aux", "setting", "sample",
	"person", "method", "title", "serial", "model", "date", "time", "axis-first", "axis-step",
	"points", "counts", "ignore", NULL};

/* clang-format off */
const struct assay_setting report_columns[] = {
	{.name = "column", .type = ASSAY_TEXT, .flags = ASSAY_REQUIRED,
		.help = "its title; {element} stands for a symbol, {analyte} for any word; of spectra the first cell"},
	{.name = "use", .type = ASSAY_CHOICE, .choices = uses, .fallback = "value", .help = "its meaning"},
	{.name = "name", .type = ASSAY_TEXT, .flags = ASSAY_VARIABLE, .help = "name of the variable or setting"},
	{.name = "unit", .type = ASSAY_TEXT, .flags = ASSAY_UNIT, .help = "UCUM code, if no column states it"},
	{.name = NULL},
};

const struct assay_setting report_units[] = {
	{.name = "text", .type = ASSAY_TEXT, .flags = ASSAY_REQUIRED, .help = "as the report has it"},
	{.name = "unit", .type = ASSAY_TEXT, .flags = ASSAY_REQUIRED | ASSAY_UNIT, .help = "UCUM code"},
	{.name = NULL},
};
/* clang-format on */

bool report_is_set(const struct assay_settings *settings)
{
	return settings != NULL && strcmp(assay_text(settings, "report"), "none") != 0;
}

static char sign_of(const char *name)
{
	static const struct {
		const char *name;
		char sign;
	} signs[] = {{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}, {"point", '.'},
		{"apostrophe", '\''}};
	for (size_t i = 0; name != NULL && i < sizeof signs / sizeof signs[0]; i++)
		if (strcmp(signs[i].name, name) == 0)
			return signs[i].sign;
	return '\0';
}

static int place_of(const char *const *names, const char *name)
{
	int i = 0;
	while (names[i] != NULL && strcmp(names[i], name) != 0)
		i++;
	return i;
}

static size_t read_words(
	const struct assay_settings *settings, const char *name, const char **words)
{
	size_t n = assay_count(settings, name);
	n = n < REPORT_WORDS ? n : REPORT_WORDS;
	for (size_t i = 0; i < n; i++)
		words[i] = assay_text_at(settings, name, i);
	return n;
}

static void read_rule(const struct assay_settings *row, struct report_rule *rule)
{
	const char *column = assay_text(row, "column");
	const char *element = strstr(column, ELEMENT), *analyte = strstr(column, ANALYTE);
	*rule = (struct report_rule){.pattern = column,
		.use = (enum report_use)place_of(uses, assay_text(row, "use")),
		.name = assay_text(row, "name"),
		.unit = assay_text(row, "unit"),
		.before = strlen(column),
		.after = ""};
	const char *at = element != NULL ? element : analyte;
	if (at == NULL)
		return;
	rule->substance = element != NULL ? HAS_ELEMENT : HAS_ANALYTE;
	rule->before = (size_t)(at - column);
	rule->after = at + strlen(element != NULL ? ELEMENT : ANALYTE);
}

void report_read(const struct assay_settings *settings, struct report *to)
{
	static const enum text_encoding encodings[] = {
		TEXT_UTF_8, TEXT_CP1252, TEXT_LATIN_1, TEXT_SHIFT_JIS, TEXT_UTF_16_LE};
	*to = (struct report){.settings = settings,
		.is_spectra = strcmp(assay_text(settings, "report"), "spectra") == 0,
		.encoding = encodings[place_of(
			report_encodings, assay_text(settings, "report_encoding"))],
		.width = 1,
		.separator = sign_of(assay_text(settings, "report_separator")),
		.decimal = sign_of(assay_text(settings, "report_decimal")),
		.thousands = sign_of(assay_text(settings, "report_thousands")),
		.header = assay_text(settings, "report_header"),
		.end = assay_text(settings, "report_end"),
		.has_two_lines = assay_int(settings, "report_header_lines") == 2,
		.error_is_limit = strcmp(assay_text(settings, "report_below_error"), "limit") == 0,
		.sigma = assay_number(settings, "report_sigma"),
		.order = assay_text(settings, "report_date")};
	to->below_count = read_words(settings, "report_below", to->below);
	to->ignore_count = read_words(settings, "report_ignore", to->ignore);
	size_t n = assay_count(settings, "report_columns");
	to->rule_count = n < REPORT_RULES ? n : REPORT_RULES;
	for (size_t i = 0; i < to->rule_count; i++)
		read_rule(assay_row(settings, "report_columns", i), &to->rules[i]);
	if (to->header == NULL)
		to->header = "";
}

/* Names that a frame of a report has by itself. */
static const char *const own_names[] = {
	"energy", "channel", "counts", "detection_limit", "below_detection", NULL};

static bool needs_name(enum report_use use)
{
	return use == USE_VALUE || use == USE_ERROR || use == USE_AUX || use == USE_SETTING;
}

static void check_rules(const struct report *r, struct assay_check *out)
{
	bool has_data = false;
	for (size_t i = 0; i < r->rule_count; i++) {
		const struct report_rule *rule = &r->rules[i];
		has_data = has_data || rule->use == (r->is_spectra ? USE_COUNTS : USE_VALUE);
		if (needs_name(rule->use) && rule->name == NULL)
			assay_check_row(out, ASSAY_LOG_ERROR, "report_columns", (int)i, "name",
				"a column of use %s needs the name of a variable", uses[rule->use]);
		if (rule->use == USE_AUX && rule->unit == NULL)
			assay_check_row(out, ASSAY_LOG_ERROR, "report_columns", (int)i, "unit",
				"a column of use aux needs a unit");
		if ((rule->use == USE_FIRST || rule->use == USE_STEP) && rule->unit == NULL)
			assay_check_row(out, ASSAY_LOG_ERROR, "report_columns", (int)i, "unit",
				"the axis needs a unit");
		bool is_variable = rule->use == USE_VALUE || rule->use == USE_AUX;
		if (is_variable && rule->name != NULL &&
			own_names[place_of(own_names, rule->name)] != NULL)
			assay_check_row(out, ASSAY_LOG_ERROR, "report_columns", (int)i, "name",
				"a frame has %s by itself", rule->name);
		for (size_t k = 0; k < r->rule_count; k++)
			if (rule->use == USE_AUX && r->rules[k].use == USE_VALUE &&
				rule->name != NULL && r->rules[k].name != NULL &&
				strcmp(rule->name, r->rules[k].name) == 0)
				assay_check_row(out, ASSAY_LOG_ERROR, "report_columns", (int)i,
					"name", "%s is the name of a value, too", rule->name);
		if (rule->substance != HAS_NO_SUBSTANCE && rule->use > USE_UNIT)
			assay_check_row(out, ASSAY_LOG_ERROR, "report_columns", (int)i, "column",
				"only values, their errors and their units are of a substance");
	}
	if (!has_data)
		assay_check_error(out, "report_columns", "no column is of use %s",
			r->is_spectra ? "counts" : "value");
}

void report_check(const struct assay_settings *settings, struct assay_check *out)
{
	struct report r;
	if (!report_is_set(settings))
		return;
	report_read(settings, &r);
	if (assay_text(settings, "report_separator") == NULL)
		assay_check_error(
			out, "report_separator", "a report needs it: it is never guessed");
	if (r.header[0] == '\0')
		assay_check_error(out, "report_header",
			"a report needs it: a cell by which its header is found");
	if (r.separator != '\0' && r.separator == r.thousands)
		assay_check_warn(out, "report_thousands",
			"it is the separator, too: such numbers need quotes");
	if (r.decimal == r.thousands)
		assay_check_error(out, "report_thousands", "it is the decimal sign, too");
	if (r.is_spectra && r.has_two_lines)
		assay_check_error(out, "report_header_lines",
			"spectra have their titles in the first column");
	if (assay_count(settings, "report_columns") > REPORT_RULES)
		assay_check_error(out, "report_columns", "more than %d rows", REPORT_RULES);
	if (assay_count(settings, "report_below") > REPORT_WORDS)
		assay_check_error(out, "report_below", "more than %d words", REPORT_WORDS);
	if (assay_count(settings, "report_ignore") > REPORT_WORDS)
		assay_check_error(out, "report_ignore", "more than %d words", REPORT_WORDS);
	check_rules(&r, out);
}

/* --- meaning --- */

static bool take_substance(
	const struct report_rule *rule, const char *title, char analyte[REPORT_TEXT])
{
	size_t len = strlen(title), after = strlen(rule->after);
	if (len <= rule->before + after || strncmp(title, rule->pattern, rule->before) != 0 ||
		strcmp(title + len - after, rule->after) != 0)
		return false;
	len -= rule->before + after;
	title += rule->before;
	if (len >= REPORT_TEXT || memchr(title, ' ', len) != NULL ||
		(rule->substance == HAS_ELEMENT && xray_element_find(title, len) == 0))
		return false;
	memcpy(analyte, title, len);
	analyte[len] = '\0';
	return true;
}

const struct report_rule *report_match(
	const struct report *r, const char *title, char analyte[REPORT_TEXT])
{
	for (size_t i = 0; i < r->rule_count; i++) {
		const struct report_rule *rule = &r->rules[i];
		analyte[0] = '\0';
		if (rule->substance == HAS_NO_SUBSTANCE ? strcmp(rule->pattern, title) == 0
							: take_substance(rule, title, analyte))
			return rule;
	}
	return NULL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits in groups of three behind the first group of one to three. */
static bool is_grouped(const char *text, size_t len, char sign)
{
	size_t first = 0;
	while (first < len && is_digit(text[first]))
		first++;
	if (first == 0 || first > 3 || (len - first) % 4 != 0)
		return false;
	for (size_t i = first; i < len; i++)
		if ((i - first) % 4 == 0 ? text[i] != sign : !is_digit(text[i]))
			return false;
	return true;
}

int report_number(const struct report *r, const char *text, double *to)
{
	char plain[64];
	size_t n = 0, whole = 0, sign = text[0] == '-' || text[0] == '+';
	while (is_digit(text[sign + whole]) ||
		(r->thousands != '\0' && text[sign + whole] == r->thousands))
		whole++;
	bool has_groups = r->thousands != '\0' && memchr(text + sign, r->thousands, whole) != NULL;
	if (has_groups && !is_grouped(text + sign, whole, r->thousands))
		return -EBADMSG;
	for (const char *c = text; *c != '\0'; c++) {
		if (has_groups && *c == r->thousands && c < text + sign + whole)
			continue;
		if ((*c == '.' || *c == ',') && *c != r->decimal)
			return -EBADMSG;
		if (n + 1 >= sizeof plain)
			return -EBADMSG;
		plain[n++] = *c == r->decimal ? '.' : *c;
	}
	struct piece p = {plain, n};
	*to = piece_number(r->settings->host, p);
	return piece_is_number(p) && *to - *to == 0 ? 0 : -EBADMSG;
}

bool report_is_below(const struct report *r, const char *text)
{
	for (size_t i = 0; i < r->below_count; i++)
		if (strcmp(r->below[i], text) == 0)
			return true;
	return false;
}

bool report_is_ignored(const struct report *r, const char *cell)
{
	for (size_t i = 0; i < r->ignore_count; i++)
		if (strncmp(r->ignore[i], cell, strlen(r->ignore[i])) == 0)
			return true;
	return false;
}

const char *report_unit(const struct report *r, const char *word)
{
	for (size_t i = 0; i < assay_count(r->settings, "report_units"); i++) {
		const struct assay_settings *row = assay_row(r->settings, "report_units", i);
		if (strcmp(assay_text(row, "text"), word) == 0)
			return assay_text(row, "unit");
	}
	return NULL;
}

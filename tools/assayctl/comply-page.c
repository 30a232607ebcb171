/* SPDX-License-Identifier: Apache-2.0 */
/* The report as one page: no scripts, nothing from elsewhere, and every text escaped. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "comply.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	"'unsafe-inline'\">\n"
	"<title>assayctl comply</title>\n<style>\n"
	"body{font:15px/1.45 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111}\n"
	"table{border-collapse:collapse;width:100%;margin:.5em 0 1.5em}\n"
	"td,th{border:1px solid #999;padding:.3em .5em;text-align:left;vertical-align:top}\n"
	"th{background:#eee}\ntd.n{text-align:right;white-space:nowrap}\n"
	".passed{color:#060;font-weight:bold}.failed{color:#a00;font-weight:bold}\n"
	".not{color:#666;font-weight:bold}small{color:#444}\n"
	"p.sign{margin-top:3em}\n"
	"@media print{body{margin:0;max-width:none}tr{break-inside:avoid}}\n"
	"</style></head><body>\n";

static void put_text(FILE *to, const char *text)
{
	static const char special[] = "&<>\"'";
	static const char *const escaped[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
	char *copy = strdup(text != NULL ? text : "");
	if (copy == NULL)
		return;
	text_make_printable(copy);
	for (const char *at = copy; *at != '\0'; at++) {
		const char *found = strchr(special, *at);
		if (found != NULL)
			fputs(escaped[found - special], to);
		else
			putc(*at, to);
	}
	free(copy);
}

/* A scalar, or an object as JSON. */
static void put_value(FILE *to, const json_t *value)
{
	char *dump = NULL;
	if (json_is_string(value)) {
		put_text(to, json_string_value(value));
		return;
	}
	if (json_is_real(value)) {
		fprintf(to, "%.6g", json_real_value(value));
		return;
	}
	if (json_is_boolean(value)) {
		fputs(json_is_true(value) ? "yes" : "no", to);
		return;
	}
	dump = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	put_text(to, dump);
	free(dump);
}

static void put_row(FILE *to, const char *name, const json_t *value)
{
	if (value == NULL)
		return;
	fputs("<tr><th>", to);
	put_text(to, name);
	fputs("</th><td>", to);
	put_value(to, value);
	fputs("</td></tr>\n", to);
}

static void put_facts(FILE *to, const char *title, json_t *object)
{
	const char *key;
	json_t *value;
	fprintf(to, "<h2>%s</h2>\n<table>\n", title);
	json_object_foreach(object, key, value) put_row(to, key, value);
	fputs("</table>\n", to);
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL ? text : "";
}

static const char *class_of(const char *verdict)
{
	return strncmp(verdict, "passed", 6) == 0 ? "passed"
	       : strcmp(verdict, "failed") == 0   ? "failed"
						  : "not";
}

static void put_measured(FILE *to, const json_t *list)
{
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one)
	{
		fputs("<br><small>", to);
		put_text(to, text_at(one, "name"));
		fprintf(to, ": %.4g ", json_number_value(json_object_get(one, "value")));
		put_text(to, text_at(one, "unit"));
		fputs("</small>", to);
	}
}

static void put_test(FILE *to, const json_t *test)
{
	const char *verdict = text_at(test, "verdict");
	fputs("<tr><td>", to);
	put_text(to, text_at(test, "id"));
	fprintf(to, "</td><td class=\"%s\">", class_of(verdict));
	put_text(to, verdict);
	fputs("</td><td>It makes sure that ", to);
	put_text(to, text_at(test, "assures"));
	fputs(".<br><small>If it fails: ", to);
	put_text(to, text_at(test, "failure"));
	fputs(".</small></td><td>", to);
	put_text(to, text_at(test, "text"));
	put_measured(to, json_object_get(test, "measured"));
	fputs("</td></tr>\n", to);
}

static void put_spread(FILE *to, const json_t *rows)
{
	static const char *const columns[] = {"n", "mean", "sd", "rsd", "min", "max"};
	size_t i;
	json_t *row;
	if (json_array_size(rows) == 0)
		return;
	fputs("<h2>Spread</h2>\n<table>\n<tr><th>value</th><th>n</th><th>mean</th><th>standard "
	      "deviation</th><th>%</th><th>least</th><th>largest</th><th>unit</th></tr>\n",
		to);
	json_array_foreach(rows, i, row)
	{
		fputs("<tr><td>", to);
		put_text(to, text_at(row, "name"));
		fputs("</td>", to);
		for (size_t k = 0; k < sizeof columns / sizeof *columns; k++) {
			const json_t *value = json_object_get(row, columns[k]);
			fputs("<td class=\"n\">", to);
			if (value != NULL)
				fprintf(to, "%.6g", json_number_value(value));
			fputs("</td>", to);
		}
		fputs("<td>", to);
		put_text(to, text_at(row, "unit"));
		fputs("</td></tr>\n", to);
	}
	fputs("</table>\n", to);
}

static void put_tests(FILE *to, const json_t *tests)
{
	size_t i;
	json_t *test;
	fputs("<h2>Tests</h2>\n<table>\n<tr><th>test</th><th>verdict</th><th>purpose</th>"
	      "<th>found</th></tr>\n",
		to);
	json_array_foreach(tests, i, test) put_test(to, test);
	fputs("</table>\n", to);
	json_array_foreach(tests, i, test) put_spread(to, json_object_get(test, "spread"));
}

static void put_runs(FILE *to, const json_t *runs)
{
	size_t i;
	json_t *run;
	fputs("<h2>Runs</h2>\n<table>\n<tr><th>number</th><th>status</th><th>frames</th></tr>\n",
		to);
	json_array_foreach(runs, i, run)
	{
		fputs("<tr><td>", to);
		put_text(to, text_at(run, "number"));
		fputs("</td><td>", to);
		put_text(to, text_at(run, "status"));
		fprintf(to, "</td><td class=\"n\">%lld</td></tr>\n",
			(long long)json_integer_value(json_object_get(run, "frames")));
	}
	fputs("</table>\n", to);
}

int comply_page(const json_t *report, const char *path)
{
	FILE *to = fopen(path, "wxe");
	const char *verdict = text_at(report, "verdict");
	json_t *instrument = json_object_get(report, "instrument");
	if (to == NULL)
		return -errno;
	fputs(head, to);
	fputs("<h1>Qualification of ", to);
	put_text(to, text_at(instrument, "make"));
	putc(' ', to);
	put_text(to, text_at(instrument, "model"));
	fprintf(to, "</h1>\n<p class=\"%s\">", class_of(verdict));
	put_text(to, verdict);
	fputs("</p>\n", to);
	if (json_is_true(json_object_get(instrument, "simulated")))
		fputs("<p class=\"failed\">SIMULATED: no instrument was tried</p>\n", to);
	fputs("<table>\n", to);
	put_row(to, "begin", json_object_get(report, "begin"));
	put_row(to, "end", json_object_get(report, "end"));
	put_row(to, "operator", json_object_get(report, "operator"));
	fputs("</table>\n", to);
	put_facts(to, "Instrument", instrument);
	put_facts(to, "Software", json_object_get(report, "software"));
	put_facts(to, "Conditions", json_object_get(report, "conditions"));
	put_tests(to, json_object_get(report, "tests"));
	put_runs(to, json_object_get(report, "runs"));
	fputs("<p class=\"sign\">Reviewed by ______________________ &nbsp; Date "
	      "______________________ &nbsp; Signature ______________________</p>\n"
	      "</body></html>\n",
		to);
	int r = ferror(to) != 0 ? -EIO : 0;
	if (fclose(to) != 0 && r == 0)
		r = -errno;
	return r;
}

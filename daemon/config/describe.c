/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/catalog.h"
#include "config/link.h"
#include "config/quantity.h"

#define INDENT  24
#define COLUMNS 80

/* Words from column INDENT on, lines of at most COLUMNS. */
static void wrap(FILE *to, const char *text, int at)
{
	int column = at;
	while (*text != '\0') {
		int len = (int)strcspn(text, " ");
		if (column > INDENT && column + 1 + len > COLUMNS) {
			fprintf(to, "\n%*s", INDENT, "");
			column = INDENT;
		} else if (column > at) {
			fputc(' ', to);
			column++;
		}
		fprintf(to, "%.*s", len, text);
		column += len;
		text += len + strspn(text + len, " ");
	}
	fputc('\n', to);
}

static const char *const type_names[] = {
	[ASSAY_BOOL] = "true or false",
	[ASSAY_INT] = "whole number",
	[ASSAY_NUMBER] = "number",
	[ASSAY_TEXT] = "text",
	[ASSAY_CHOICE] = "",
	[ASSAY_TABLE] = "list of rows",
};

static void print_bounds(FILE *to, const struct assay_setting *s, const char *unit)
{
	if (s->min == 0 && s->max == 0)
		return;
	if ((s->flags & ASSAY_HEX) != 0)
		fprintf(to, ", 0x%llx to 0x%llx", (unsigned long long)s->min,
			(unsigned long long)s->max);
	else
		fprintf(to, ", %.10g to %.10g%s%s", s->min, s->max, unit[0] != '\0' ? " " : "",
			unit);
}

/* "number in s, 0 to 3600 s; default 60 s" */
static void print_kind(FILE *to, const struct assay_setting *s)
{
	const char *unit = quantity_is_plain(s->unit) ? "" : s->unit;
	if ((s->flags & ASSAY_LIST) != 0)
		fprintf(to, "list of: ");
	fprintf(to, "%s", type_names[s->type]);
	for (size_t i = 0; s->type == ASSAY_CHOICE && s->choices[i] != NULL; i++)
		fprintf(to, "%s%s", i == 0 ? "" : " | ", s->choices[i]);
	if (unit[0] != '\0')
		fprintf(to, " in %s", unit);
	print_bounds(to, s, unit);
	if (s->fallback != NULL)
		fprintf(to, "; default %s", s->fallback);
	if ((s->flags & ASSAY_REQUIRED) != 0)
		fprintf(to, "; must be given");
	if ((s->flags & ASSAY_LIVE) != 0)
		fprintf(to, "; assayctl set");
	if ((s->flags & ASSAY_HAZARD) != 0)
		fprintf(to, "; HAZARD: switches on something that can do harm");
}

static void print_setting(FILE *to, const struct assay_setting *s, int indent)
{
	char *kind = NULL;
	size_t size = 0;
	FILE *text = open_memstream(&kind, &size);
	if (text == NULL)
		return;
	print_kind(text, s);
	fclose(text);
	int n = fprintf(to, "%*s%s ", indent, "", s->name);
	if (n < INDENT)
		n += fprintf(to, "%*s", INDENT - n, "");
	wrap(to, s->help != NULL ? s->help : "", n);
	fprintf(to, "%*s", INDENT, "");
	wrap(to, kind, INDENT);
	free(kind);
	for (const struct assay_setting *c = s->columns; c != NULL && c->name != NULL; c++)
		print_setting(to, c, indent + 2);
}

static void print_settings(
	FILE *to, const struct catalog_driver *driver, unsigned flags, const char *title)
{
	bool any = false;
	for (const struct assay_setting *s = driver->settings; s != NULL && s->name != NULL; s++) {
		if ((s->flags & ASSAY_CALIBRATION) != flags)
			continue;
		if (!any)
			fprintf(to, "\n%s\n", title);
		any = true;
		print_setting(to, s, 2);
	}
}

static void print_links(FILE *to, const struct catalog_driver *driver)
{
	const struct link_type *type;
	fprintf(to, "\nlink\n");
	for (size_t i = 0; (type = link_type_at(i)) != NULL; i++) {
		if ((driver->links & type->link) == 0)
			continue;
		const struct assay_link_defaults *d = driver->link_defaults;
		while (d != NULL && d->link != 0 && d->link != type->link)
			d++;
		bool has_defaults = d != NULL && d->link != 0;
		int n = fprintf(to, "  %s ", type->name);
		n += fprintf(to, "%*s", n < INDENT ? INDENT - n : 0, "");
		wrap(to, has_defaults ? d->defaults : "(nothing is preset)", n);
	}
}

void catalog_describe(const struct catalog_driver *driver, FILE *to)
{
	fprintf(to, "%s %s: %s\n", driver->name, driver->version, driver->summary);
	fprintf(to, "technique: %s\n",
		driver->technique != NULL ? driver->technique : "as configured");
	if (driver->make != NULL && driver->make[0] != '\0')
		fprintf(to, "make: %s\n", driver->make);
	print_links(to, driver);
	print_settings(to, driver, 0, "settings");
	print_settings(to, driver, ASSAY_CALIBRATION, "calibration");
}

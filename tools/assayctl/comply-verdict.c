/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "comply.h"

bool comply_has_verdict(const struct comply *c)
{
	return json_object_get(c->row, "verdict") != NULL;
}

static void set_text(struct comply *c, const char *format, va_list args)
{
	char text[COMPLY_TEXT];
	vsnprintf(text, sizeof text, format, args);
	text_make_printable(text);
	json_object_set_new(c->row, "text", json_string(text));
}

static void conclude(struct comply *c, const char *verdict, const char *format, va_list args)
{
	if (comply_has_verdict(c))
		return;
	json_object_set_new(c->row, "verdict", json_string(verdict));
	set_text(c, format, args);
}

void comply_fail(struct comply *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	conclude(c, "failed", format, args);
	va_end(args);
}

void comply_skip(struct comply *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	conclude(c, "not run", format, args);
	va_end(args);
}

void comply_note(struct comply *c, const char *format, ...)
{
	va_list args;
	if (comply_has_verdict(c))
		return;
	va_start(args, format);
	set_text(c, format, args);
	va_end(args);
}

void comply_measured(struct comply *c, const char *name, double value, const char *unit)
{
	json_array_append_new(json_object_get(c->row, "measured"),
		json_pack("{s:s, s:f, s:s}", "name", name, "value", value, "unit", unit));
}

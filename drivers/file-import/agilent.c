/* SPDX-License-Identifier: Apache-2.0 */
#include "agilent.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "date.h"
#include "text.h"

#define BEGIN   32 /* bytes */
#define CENTURY 70 /* years of two digits from here on are of the last century */

/* A number of at most `digits`, and the blanks and separators behind it; -1: none. */
static int take_number(const char **at, int digits)
{
	int value = 0, n = 0;
	for (; **at >= '0' && **at <= '9' && n < digits; n++, ++*at)
		value = 10 * value + (**at - '0');
	if (n == 0 || (**at >= '0' && **at <= '9'))
		return -1;
	return value;
}

static void skip(const char **at, const char *separators)
{
	*at += strspn(*at, separators);
}

/* Behind the time: am or pm, and the distance from UTC, "-0500". */
static void take_half_and_zone(const char **at, int *hour, struct format_facts *facts)
{
	skip(at, " ");
	bool is_pm = strncmp(*at, "pm", 2) == 0 || strncmp(*at, "PM", 2) == 0;
	bool is_am = strncmp(*at, "am", 2) == 0 || strncmp(*at, "AM", 2) == 0;
	if ((is_am || is_pm) && *hour >= 1 && *hour <= 12)
		*hour = *hour % 12 + (is_pm ? 12 : 0);
	else if (is_am || is_pm)
		*hour = -1;
	*at += is_am || is_pm ? 2 : 0;
	skip(at, " ");
	if ((**at == '+' || **at == '-') && strspn(*at + 1, "0123456789") == 4) {
		snprintf(facts->zone, sizeof facts->zone, "%.3s:%.2s", *at, *at + 3);
		*at += 5;
	}
}

/* 2013-11-25T03:37:13Z, 2023-02-07T14:07:39.1234567+01:00 */
static bool take_iso(const char *at, struct format_facts *facts)
{
	char date[DATE_TEXT];
	int value[6];
	static const char behind[] = "--T::";
	for (int i = 0; i < 6; i++) {
		value[i] = take_number(&at, i == 0 ? 4 : 2);
		if (value[i] < 0 || (i < 5 && *at++ != behind[i]))
			return false;
	}
	if (*at == '.')
		at += 1 + strspn(at + 1, "0123456789");
	bool is_utc = strcmp(at, "Z") == 0;
	bool has_zone = strlen(at) == 6 && (*at == '+' || *at == '-') && at[3] == ':' &&
			strspn(at + 1, "0123456789:") == 5;
	if ((!is_utc && !has_zone && *at != '\0') ||
		!date_write(date, value[0], value[1], value[2], value[3], value[4], value[5]))
		return false;
	snprintf(facts->acquired, sizeof facts->acquired, "%s", date);
	snprintf(facts->zone, sizeof facts->zone, "%s", at);
	return true;
}

void agilent_date(const char *text, struct format_facts *facts)
{
	const char *at = text;
	char date[DATE_TEXT];
	if (take_iso(text, facts))
		return;
	int month, day = take_number(&at, 2);
	bool is_numeric = *at == '/';
	skip(&at, "/- ");
	size_t letters = strcspn(at, "/- ,");
	if (is_numeric) {
		month = take_number(&at, 2);
	} else {
		month = date_month(at, letters);
		at += letters;
	}
	skip(&at, "/- ");
	int year = take_number(&at, 4);
	if (year >= 0 && year < 100)
		year += year < CENTURY ? 2000 : 1900;
	skip(&at, ", ");
	int hour = take_number(&at, 2), minute = -1, second = 0;
	if (*at == ':') {
		at++;
		minute = take_number(&at, 2);
	}
	if (*at == ':') {
		at++;
		second = take_number(&at, 2);
	}
	take_half_and_zone(&at, &hour, facts);
	if (is_numeric && day <= 12 && month > 12) {
		int swap = day;
		day = month;
		month = swap;
	} else if (is_numeric && day <= 12 && month != day) {
		month = -1; /* the order depends on the settings of the PC */
	}
	if (*at != '\0' || !date_write(date, year, month, day, hour, minute, second))
		snprintf(facts->acquired, sizeof facts->acquired, "%s", text);
	else
		snprintf(facts->acquired, sizeof facts->acquired, "%s", date);
}

void agilent_why(struct format_facts *facts, const char *path, const char *format, ...)
{
	char text[2 * FORMAT_FACT];
	int n = snprintf(text, FORMAT_FACT / 2, "%s", path);
	size_t len = n < FORMAT_FACT / 2 ? (size_t)n : FORMAT_FACT / 2 - 1;
	len += (size_t)snprintf(text + len, 3, ": ");
	va_list args;
	va_start(args, format);
	vsnprintf(text + len, sizeof text - len, format, args);
	va_end(args);
	text_set(facts->why, TEXT_UTF_8, (const uint8_t *)text, strlen(text));
}

void agilent_add(struct assay_frame *out, const char *name, enum assay_role role, const char *axis,
	const char *unit, enum assay_value type, const void *data, size_t count)
{
	struct assay_variable v = {.name = name,
		.role = role,
		.dims = {axis},
		.unit = unit,
		.type = type,
		.data = data,
		.count = count};
	assay_frame_add(out, &v);
}

int agilent_is_empty(struct source *s, unsigned file)
{
	static const uint8_t zeros[BEGIN];
	uint8_t begin[BEGIN];
	if (s->file[file].size < BEGIN)
		return 1;
	int e = s->read(s, file, 0, begin, BEGIN);
	return e < 0 ? e : memcmp(begin, zeros, BEGIN) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waters MassLynx, TurboMass: a folder NAME.raw, bytes only.  _HEADER.TXT has lines "$$ Key: value" in
 * Latin-1; its times are local.
 */
#include <stdio.h>

#include "bytes.h"
#include "date.h"
#include "text.h"

#define HEADER_MAX (64u << 10)

static bool fits(struct source *s)
{
	return s->is_folder && name_ends(s->name, ".raw") && source_find(s, "_header.txt") >= 0 &&
	       source_find(s, "_functns.inf") >= 0;
}

struct value {
	const char *at;
	size_t len;
};

/* Of a line that begins with "$$ KEY:"; len 0: there is none. */
static struct value value_of(const char *text, size_t len, const char *key)
{
	size_t n = strlen(key);
	for (size_t i = 0; i < len;) {
		const char *line = text + i, *end = memchr(line, '\n', len - i);
		size_t length = end != NULL ? (size_t)(end - line) : len - i;
		if (length > n + 4 && memcmp(line, "$$ ", 3) == 0 &&
			memcmp(line + 3, key, n) == 0 && line[3 + n] == ':')
			return (struct value){line + 4 + n, length - 4 - n};
		i += length + 1;
	}
	return (struct value){text, 0};
}

static void take(char to[FORMAT_FACT], const char *text, size_t len, const char *key)
{
	struct value v = value_of(text, len, key);
	text_convert(to, FORMAT_FACT, TEXT_LATIN_1, (const uint8_t *)v.at, v.len);
}

/* Digits at *at: their number; -1: there are none. */
static int number_at(const char **at)
{
	int n = -1;
	for (int i = 0; i < 4 && **at >= '0' && **at <= '9'; i++)
		n = (n < 0 ? 0 : n * 10) + (*(*at)++ - '0');
	return n;
}

/* 10-May-2022 and 15:39:24; both as they are if they are written in another way. */
static void take_time(char to[FORMAT_FACT], const char *date, const char *time)
{
	char iso[DATE_TEXT];
	const char *at = date, *t = time;
	int day = number_at(&at), month = 0;
	if (*at == '-') {
		size_t len = strcspn(at + 1, "-");
		month = date_month(at + 1, len);
		at += 1 + len + (at[1 + len] == '-');
	}
	int year = number_at(&at), hour = number_at(&t);
	t += *t == ':';
	int minute = number_at(&t);
	t += *t == ':';
	int second = number_at(&t);
	if (*at == '\0' && *t == '\0' && date_write(iso, year, month, day, hour, minute, second))
		snprintf(to, FORMAT_FACT, "%s", iso);
	else
		snprintf(to, FORMAT_FACT, "%.120s %.120s", date, time);
	if (strcmp(to, " ") == 0)
		to[0] = '\0';
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	(void)state;
	char text[HEADER_MAX], date[FORMAT_FACT], time[FORMAT_FACT];
	unsigned file = (unsigned)source_find(s, "_header.txt");
	size_t len = s->file[file].size < HEADER_MAX ? (size_t)s->file[file].size : HEADER_MAX;
	int r = s->read(s, file, 0, text, len);
	if (r < 0)
		return r;
	take(facts->sample, text, len, "SampleID");
	take(facts->title, text, len, "Sample Description");
	take(facts->person, text, len, "User Name");
	take(facts->method, text, len, "MS Method");
	take(facts->model, text, len, "Instrument");
	take(date, text, len, "Acquired Date");
	take(time, text, len, "Acquired Time");
	take_time(facts->acquired, date, time);
	snprintf(facts->make, sizeof facts->make, "Waters");
	return FORMAT_UNDECODED;
}

const struct format format_waters = {
	.name = "waters-raw",
	.summary = "Waters MassLynx: folders *.raw, bytes only",
	.techniques = "gcms ms",
	.fits = fits,
	.look = look,
};

/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/clock.h"
#include "message.h"
#include "record/text.h"

#define TIME_SIZE 48

static void print(struct buffer *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print(struct buffer *to, const char *format, ...)
{
	char line[900]; /* a line of mail has at most 998 bytes */
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	size_t len = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
	buffer_append(to, line, len);
}

/* "2026-11-30 09:12:05 UTC (18:12 JST)". */
static void time_text(char to[TIME_SIZE], uint64_t utc)
{
	time_t seconds = (time_t)(utc / NS_PER_S);
	struct tm tm, local;
	size_t len = 0;
	if (gmtime_r(&seconds, &tm) != NULL)
		len = strftime(to, TIME_SIZE, "%Y-%m-%d %H:%M:%S UTC", &tm);
	if (localtime_r(&seconds, &local) != NULL && local.tm_gmtoff != 0)
		len += strftime(to + len, TIME_SIZE - len, " (%H:%M %Z)", &local);
	to[len] = '\0';
}

static void rfc3339(char to[TIME_SIZE], uint64_t utc)
{
	time_t seconds = (time_t)(utc / NS_PER_S);
	struct tm tm;
	to[0] = '\0';
	if (gmtime_r(&seconds, &tm) != NULL)
		strftime(to, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void print_note(struct buffer *to, const struct note *note)
{
	static const char *const heads[NOTE_EVENTS] = {
		"ALERT", "STILL THERE", "ENDED", "LOST", "TEST"};
	char when[TIME_SIZE];
	time_text(when, note->utc);
	print(to, "%s %s%s%s\n  %s\n", heads[note->event], note->about,
		note->subject[0] != '\0' ? " " : "", note->subject, note->text);
	print(to, "  %s", when);
	if (note->since != 0) {
		time_text(when, note->since);
		print(to, ", since %s", when);
	}
	print(to, "\n");
	if (note->remedy[0] != '\0')
		print(to, "  remedy: %s\n", note->remedy);
	print(to, "\n");
}

static void print_notes(struct buffer *to, const char *lab, const struct note *notes, size_t count)
{
	print(to, "assayd %s\n\n", lab[0] != '\0' ? lab : "(laboratory not known yet)");
	for (size_t i = 0; i < count; i++)
		print_note(to, &notes[i]);
}

/* A word that may stand in a header: instruments and methods are not always tokens. */
static const char *header_word(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~')
			return "?";
	}
	return text;
}

void message_mail(struct buffer *to, const struct alert_options *options, const char *lab,
	const struct note *notes, size_t count)
{
	char date[64];
	time_t now = (time_t)(clock_utc() / NS_PER_S);
	struct tm tm;
	print(to, "From: %s\n", options->from);
	for (size_t i = 0; i < options->to_count; i++)
		print(to, "%s%s", i == 0 ? "To: " : ",\n ", options->to[i]);
	print(to, "\nSubject: [assayd%s%s] %s %s%s%.80s", lab[0] != '\0' ? " " : "", lab,
		note_event_name(notes[0].event), notes[0].about,
		notes[0].subject[0] != '\0' ? " " : "", header_word(notes[0].subject));
	if (count > 1)
		print(to, ", %zu more", count - 1);
	if (gmtime_r(&now, &tm) != NULL &&
		strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm) > 0)
		print(to, "\nDate: %s", date);
	print(to, "\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n"
		  "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n");
	print_notes(to, lab, notes, count);
}

static json_t *note_json(const struct note *note)
{
	char time[TIME_SIZE], since[TIME_SIZE];
	rfc3339(time, note->utc);
	rfc3339(since, note->since);
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s*, s:s*}", "id", (json_int_t)note->id,
		"event", note_event_name(note->event), "about", note->about, "subject",
		note->subject, "text", note->text, "time", time, "since",
		note->since != 0 ? since : NULL, "remedy",
		note->remedy[0] != '\0' ? note->remedy : NULL);
}

void message_json(struct buffer *to, const char *lab, const struct note *notes, size_t count)
{
	struct buffer text = {0};
	json_t *list = json_array();
	print_notes(&text, lab, notes, count);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, note_json(&notes[i]));
	json_t *all = json_pack("{s:s, s:s%, s:o}", "lab", lab, "text", (const char *)text.data,
		text.len, "alerts", list);
	char *bytes = all != NULL ? json_dumps(all, JSON_COMPACT) : NULL;
	buffer_append(to, bytes != NULL ? bytes : "{}", bytes != NULL ? strlen(bytes) : 2);
	free(bytes);
	json_decref(all);
	buffer_finish(&text);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/printable.h"
#include "look.h"
#include "options.h"
#include "record/keys.h"
#include "record/text.h"

#define SEEN_MAX 2048
#define DAY_NS   (86400 * NS_PER_S)

struct instrument {
	struct assay_string key, state, text;
	bool simulated;
};

struct dated {
	struct assay_string instrument, method, step, id;
	uint64_t until;
};

struct reply {
	struct assay_string site, node, config_errors;
	struct {
		struct assay_string disk, error;
		uint64_t free;
	} journal;
	struct {
		struct assay_string sync;
	} clock;
	struct assay_span instruments, calibrations;
};

#define TEXT(type, name, member)                                      \
	{                                                             \
		name, KEY_TEXT, KEY_AT(type, member), .lenient = true \
	}

static const struct keys instrument_keys = {
	.rows = (const struct key[]){TEXT(struct instrument, "key", key),
		TEXT(struct instrument, "state", state), TEXT(struct instrument, "text", text),
		{"simulated", KEY_BOOL, KEY_AT(struct instrument, simulated), .lenient = true},
		{0}},
	.open = true};

static const struct keys calibration_keys = {
	.rows = (const struct key[]){TEXT(struct dated, "instrument", instrument),
		TEXT(struct dated, "method", method), TEXT(struct dated, "step", step),
		TEXT(struct dated, "id", id),
		{"until", KEY_UINT, KEY_AT(struct dated, until), .lenient = true}, {0}},
	.open = true};

static const struct keys journal_keys = {
	.rows = (const struct key[]){TEXT(__typeof__(((struct reply *)0)->journal), "disk", disk),
		TEXT(__typeof__(((struct reply *)0)->journal), "error", error),
		{"free", KEY_UINT, KEY_AT(__typeof__(((struct reply *)0)->journal), free)}, {0}},
	.open = true};

static const struct keys clock_keys = {
	.rows = (const struct key[]){TEXT(__typeof__(((struct reply *)0)->clock), "sync", sync),
		{0}},
	.open = true};

static const struct keys reply_keys = {
	.rows = (const struct key[]){TEXT(struct reply, "site", site),
		TEXT(struct reply, "node", node),
		TEXT(struct reply, "config_errors", config_errors),
		{"journal", KEY_MAP, KEY_AT(struct reply, journal), .required = true,
			.keys = &journal_keys},
		{"clock", KEY_MAP, KEY_AT(struct reply, clock), .keys = &clock_keys},
		{"calibrations", KEY_RAW_LIST, KEY_AT(struct reply, calibrations)},
		{"instruments", KEY_RAW_LIST, KEY_AT(struct reply, instruments), .required = true},
		{0}},
	.open = true};

static void see(struct look *look, enum condition_kind kind, const char *subject,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

static void see(
	struct look *look, enum condition_kind kind, const char *subject, const char *format, ...)
{
	if (look->count == look->size) {
		size_t size = look->size == 0 ? 16 : look->size * 2;
		struct seen *items = size <= SEEN_MAX ? realloc(look->items, size * sizeof *items)
						      : NULL;
		if (items == NULL)
			return;
		look->items = items;
		look->size = size;
	}
	struct seen *seen = &look->items[look->count++];
	*seen = (struct seen){.kind = kind};
	va_list args;
	va_start(args, format);
	vsnprintf(seen->text, sizeof seen->text, format, args);
	va_end(args);
	snprintf(seen->subject, sizeof seen->subject, "%s", subject);
	text_make_printable(seen->text);
	text_make_printable(seen->subject);
}

/* Cut to the size: for "%.*s". */
#define CUT(string, most)                                     \
	(int)((string).len < (most) ? (string).len : (most)), \
		((string).data != NULL ? (string).data : "")

static void see_instrument(
	struct look *look, const struct instrument *i, const struct alert_options *options)
{
	char key[40];
	bool is_bad = assay_string_is(i->state, "fault") ||
		      assay_string_is(i->state, "connecting") || assay_string_is(i->state, "off");
	text_copy(key, sizeof key, i->key);
	if (is_bad && (!i->simulated || options->simulated))
		see(look, CONDITION_FAULT, key, "%.*s%s%.*s", CUT(i->state, 20),
			i->text.len > 0 ? ": " : "", CUT(i->text, 250));
}

static void see_calibration(
	struct look *look, const struct dated *c, const struct alert_options *options)
{
	char subject[80], day[16] = "";
	time_t last = (time_t)((c->until - 1) / NS_PER_S);
	struct tm tm;
	if (c->until == 0)
		return;
	if (gmtime_r(&last, &tm) != NULL)
		strftime(day, sizeof day, "%Y-%m-%d", &tm);
	if (c->method.len > 0)
		snprintf(
			subject, sizeof subject, "%.*s/%.*s", CUT(c->method, 40), CUT(c->step, 32));
	else
		snprintf(subject, sizeof subject, "%.*s", CUT(c->instrument, 40));
	if (look->utc >= c->until)
		see(look, CONDITION_CALIBRATION_ENDED, subject, "calibration %.*s ended on %s",
			CUT(c->id, 64), day);
	if (look->utc + options->calibration >= c->until)
		see(look, CONDITION_CALIBRATION_ENDS, subject, "calibration %.*s %s on %s",
			CUT(c->id, 64), look->utc < c->until ? "ends" : "ended", day);
}

/* Opens a list of maps and calls each() for them; false: it is malformed. */
static bool read_instruments(
	struct look *look, struct assay_span list, const struct alert_options *options)
{
	struct reader r;
	size_t left;
	read_init(&r, list.data, list.len);
	if (read_array(&r, &left) < 0)
		return false;
	for (; left > 0; left--) {
		struct instrument instrument = {0};
		if (keys_read(&r, &instrument_keys, &instrument, NULL) < 0)
			return false;
		see_instrument(look, &instrument, options);
	}
	return true;
}

static bool read_calibrations(
	struct look *look, struct assay_span list, const struct alert_options *options)
{
	struct reader r;
	size_t left;
	if (list.data == NULL)
		return true;
	read_init(&r, list.data, list.len);
	if (read_array(&r, &left) < 0)
		return false;
	for (; left > 0; left--) {
		struct dated calibration = {0};
		if (keys_read(&r, &calibration_keys, &calibration, NULL) < 0)
			return false;
		see_calibration(look, &calibration, options);
	}
	return true;
}

static void read_daemon(struct look *look, const struct reply *reply)
{
	struct assay_string disk = reply->journal.disk, sync = reply->clock.sync;
	if (token_is_valid(reply->site) && token_is_valid(reply->node))
		snprintf(look->lab, sizeof look->lab, "%.*s/%.*s", CUT(reply->site, 32),
			CUT(reply->node, 32));
	if (reply->journal.error.len > 0)
		see(look, CONDITION_JOURNAL, "", "the journal cannot commit: %.*s",
			CUT(reply->journal.error, 250));
	if (disk.len > 0 && !assay_string_is(disk, "ok"))
		see(look, CONDITION_DISK, "", "the disk of the journal is %.*s: %.1f GiB free",
			CUT(disk, 20), (double)reply->journal.free / 0x1p30);
	if (reply->config_errors.len > 0) {
		struct assay_string first = reply->config_errors;
		const char *end = memchr(first.data, '\n', first.len);
		first.len = end != NULL ? (size_t)(end - first.data) : first.len;
		see(look, CONDITION_CONFIG, "",
			"the last good configuration is in use, because the files have errors: "
			"%.*s",
			CUT(first, 250));
	}
	if (sync.len == 0)
		look->unknown |= 1u << CONDITION_CLOCK;
	else if (!assay_string_is(sync, "ntp") && !assay_string_is(sync, "ptp"))
		see(look, CONDITION_CLOCK, "", "the clock is not synchronised: %.*s",
			CUT(sync, 20));
	/* Without a date nothing is known of an end. */
	if (sync.len == 0 || assay_string_is(sync, "none"))
		look->unknown |= 1u << CONDITION_CALIBRATION_ENDS |
				 1u << CONDITION_CALIBRATION_ENDED;
}

void look_read(struct look *look, struct assay_span bytes, const struct alert_options *options,
	uint64_t utc)
{
	struct reply reply = {0};
	*look = (struct look){.utc = utc};
	if (keys_decode(&reply_keys, bytes.data, bytes.len, &reply) == 0) {
		read_daemon(look, &reply);
		bool dated = (look->unknown >> CONDITION_CALIBRATION_ENDS & 1) == 0;
		if (read_instruments(look, reply.instruments, options) &&
			(!dated || read_calibrations(look, reply.calibrations, options)))
			return;
	}
	look_finish(look);
	look_silent(look, "its reply to a request cannot be read", utc);
}

void look_silent(struct look *look, const char *why, uint64_t utc)
{
	*look = (struct look){.utc = utc, .unknown = ~(1u << CONDITION_SILENT)};
	see(look, CONDITION_SILENT, "", "assayd does not answer: %s", why);
}

const struct seen *look_find(const struct look *look, enum condition_kind kind, const char *subject)
{
	for (size_t i = 0; i < look->count; i++) {
		if (look->items[i].kind == kind && strcmp(look->items[i].subject, subject) == 0)
			return &look->items[i];
	}
	return NULL;
}

void look_finish(struct look *look)
{
	free(look->items);
	*look = (struct look){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The tests of settings: read back, put back, borrowed, and kept by the instrument. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "comply.h"
#include "record/json.h"

#define TOLERANCE 0.02 /* of a setting that was read back, relative */

static bool same_bytes(struct assay_span a, struct assay_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static struct assay_span bytes_of(const struct buffer *buffer)
{
	return (struct assay_span){buffer->data, buffer->len};
}

/* The run-start has for each setting the value that was read back, or else the one in force. */
static void check_settings(struct comply *c, struct assay_span recorded)
{
	struct control_reply reply;
	struct reader list;
	unsigned compared = 0, altered = 0;
	for (int left = comply_describe(c, &reply, &list); left > 0; left--) {
		struct comply_setting one = {0};
		if (keys_read(&list, &comply_setting_keys, &one, NULL) < 0)
			break;
		struct assay_span has = keys_value(recorded, string_of(one.name));
		struct assay_span expected = one.read_back.len > 0 ? one.read_back : one.value;
		if (has.len == 0 || expected.len == 0)
			continue;
		compared++;
		altered += one.read_back.len > 0;
		if (!same_bytes(has, expected))
			comply_fail(
				c, "the run-start has another %s than the instrument", one.name);
	}
	control_reply_finish(&reply);
	comply_measured(c, "settings compared", compared, "{count}");
	comply_measured(c, "other values read back", altered, "{count}");
	if (compared == 0)
		comply_skip(c, "the run-start has no settings");
	comply_note(c, "%u settings, of which the instrument changed %u", compared, altered);
}

void comply_test_read_back(struct comply *c)
{
	struct comply_run run = {0};
	if (c->how.method != NULL)
		comply_skip(c, "the runs have a method, which sets values of its own");
	else if (comply_run_short(c, NULL, &run) == 0)
		check_settings(c, comply_run_settings(&run));
	comply_run_finish(&run);
}

struct quantity {
	double v;
	char u[40];
};

static const struct keys quantity_keys = {
	.rows = (const struct key[]){
		{"v", KEY_NUMBER, KEY_AT(struct quantity, v), .required = true},
		ROW_TEXT(struct quantity, u), {0}}};

/* A value that is measured when it is read back, such as a current, is not the same twice. */
static bool same_setting(struct assay_span a, struct assay_span b)
{
	struct quantity first = {0}, second = {0};
	if (same_bytes(a, b))
		return true;
	if (keys_decode(&quantity_keys, a.data, a.len, &first) < 0 ||
		keys_decode(&quantity_keys, b.data, b.len, &second) < 0 ||
		strcmp(first.u, second.u) != 0)
		return false;
	return fabs(first.v - second.v) <= TOLERANCE * fmax(fabs(first.v), fabs(second.v));
}

/* Names the first setting that differs from the first run. */
static void check_put_back(struct comply *c, struct assay_span now)
{
	struct reader r;
	struct assay_string name;
	struct assay_span value;
	size_t pairs = 0;
	if (same_bytes(bytes_of(&c->settings), now))
		return;
	read_init(&r, c->settings.data, c->settings.len);
	if (c->settings.len > 0)
		read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &name) == 0 && read_raw(&r, &value) == 0; pairs--) {
		char text[40];
		print_safe(text, sizeof text, name);
		if (!same_setting(value, keys_value(now, name)))
			comply_fail(c, "%s is not the value of the first run", text);
	}
}

static void check_run_put_back(struct comply *c)
{
	struct comply_run run = {0};
	if (comply_wait_idle(c) == 0 && comply_run_short(c, c->how.method, &run) == 0)
		check_put_back(c, comply_run_settings(&run));
	comply_run_finish(&run);
}

/* The present value as `set` takes it; "": it has none, or one that is no single value. */
static int present_value(struct comply *c, const char *name, size_t len, char text[COMPLY_TEXT])
{
	struct control_reply reply;
	struct reader list;
	int found = 0, left = comply_describe(c, &reply, &list);
	text[0] = '\0';
	for (; left > 0; left--) {
		struct comply_setting one = {0};
		if (keys_read(&list, &comply_setting_keys, &one, NULL) < 0)
			break;
		if (strlen(one.name) != len || memcmp(one.name, name, len) != 0)
			continue;
		found = 1;
		if (one.hazard)
			comply_fail(
				c, "%s switches on something harmful: it is not tried", one.name);
		FILE *to = one.value.len > 0 && one.value.data[0] >> 5 != 4
				   ? fmemopen(text, COMPLY_TEXT, "w")
				   : NULL;
		if (to == NULL)
			continue;
		print_setting(to, one.value);
		fclose(to);
	}
	control_reply_finish(&reply);
	if (left >= 0 && found == 0)
		comply_fail(c, "the driver has no setting %.*s", (int)len, name);
	return comply_has_verdict(c) ? -1 : 0;
}

/* Sets a value, makes a run with it, and puts back the value before. */
static void try_setting(struct comply *c, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t len = (size_t)(equals - word);
	char before[COMPLY_TEXT];
	struct comply_run run = {0};
	struct assay_string name = {word, len};
	if (present_value(c, word, len, before) < 0 || comply_set(c, word, len, equals + 1) < 0)
		return;
	if (comply_wait_idle(c) == 0 && comply_run_short(c, c->how.method, &run) == 0 &&
		same_bytes(keys_value(comply_run_settings(&run), name),
			keys_value(bytes_of(&c->settings), name)))
		comply_fail(c, "after %s the run still has the value before", word);
	if (before[0] != '\0')
		comply_set(c, word, len, before);
	else
		comply_reload(c);
	comply_run_finish(&run);
}

/* A run with the settings before, if no test has made one.  0 or -1. */
static int need_first_run(struct comply *c)
{
	struct comply_run run = {0};
	int r = c->software.len > 0 ? 0 : comply_run_short(c, c->how.method, &run);
	comply_run_finish(&run);
	return r;
}

void comply_test_put_back(struct comply *c)
{
	if (c->how.sets_count == 0) {
		comply_skip(c, "no setting to try was given: NAME=VALUE");
		return;
	}
	if (need_first_run(c) < 0)
		return;
	for (size_t i = 0; i < c->how.sets_count && !comply_has_verdict(c); i++)
		try_setting(c, c->how.sets[i]);
	if (!comply_has_verdict(c))
		check_run_put_back(c);
	comply_note(c, "%zu settings were changed and put back", c->how.sets_count);
}

void comply_test_borrowed(struct comply *c)
{
	struct comply_run run = {0};
	if (c->how.borrow == NULL) {
		comply_skip(c, "no method with other settings was given: --borrow");
		return;
	}
	if (need_first_run(c) == 0 && comply_run_short(c, c->how.borrow, &run) == 0 &&
		same_bytes(bytes_of(&c->settings), comply_run_settings(&run)))
		comply_skip(c, "method %.100s has the settings of the other runs", c->how.borrow);
	comply_run_finish(&run);
	if (!comply_has_verdict(c))
		check_run_put_back(c);
	comply_note(c, "method %.100s left nothing behind", c->how.borrow);
}

void comply_test_kept(struct comply *c)
{
	struct shown_instrument now;
	if (comply_status(c, &now) < 0)
		return;
	if (strcmp(now.make, c->unit.make) != 0 || strcmp(now.model, c->unit.model) != 0 ||
		strcmp(now.serial, c->unit.serial) != 0 || strcmp(now.fw, c->unit.fw) != 0)
		comply_fail(c, "it is %.60s %.60s, serial %.60s, firmware %.60s now", now.make,
			now.model, now.serial, now.fw);
	if (now.changed && !c->unit.changed)
		comply_fail(c, "a setting is still changed");
	check_run_put_back(c);
	comply_note(c, "the same unit with the settings of the first run");
}

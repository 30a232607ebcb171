/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "comply.h"
#include "record/json.h"
#include "record/uuid.h"

/* Any CBOR value as JSON; owned.  NULL: it is none. */
static json_t *json_of(struct assay_span value)
{
	struct buffer text = {0};
	json_t *json = NULL;
	if (value.len > 0 && json_write(&text, value.data, value.len) == 0 && !text.failed)
		json = json_loadb((const char *)text.data, text.len, JSON_DECODE_ANY, NULL);
	buffer_finish(&text);
	return json;
}

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_object_set_new(object, key, json_string(text));
}

static void set_time(json_t *object, const char *key, uint64_t utc)
{
	char text[PRINT_TIME_SIZE];
	print_time(text, utc);
	set_text(object, key, text);
}

static json_t *instrument_of(const struct comply *c)
{
	const struct shown_instrument *unit = &c->unit;
	json_t *to = json_object();
	set_text(to, "key", c->how.instrument);
	set_text(to, "make", unit->make);
	set_text(to, "model", unit->model);
	set_text(to, "serial", unit->serial);
	set_text(to, "firmware", unit->fw);
	set_text(to, "technique", c->technique);
	set_text(to, "link", unit->link);
	set_text(to, "address", unit->address);
	json_object_set_new(to, "simulated", json_boolean(unit->simulated));
	return to;
}

static json_t *software_of(
	const struct comply *c, const struct shown_daemon *daemon, const char *config)
{
	char host[256] = "";
	json_t *to = json_object();
	gethostname(host, sizeof host - 1);
	set_text(to, "assayd", daemon->version);
	set_text(to, "assayctl", ASSAY_VERSION);
	json_object_set_new(
		to, "driver", json_of((struct assay_span){c->software.data, c->software.len}));
	set_text(to, "configuration", config);
	set_text(to, "site", daemon->site);
	set_text(to, "node", daemon->node);
	set_text(to, "computer", host);
	return to;
}

static json_t *conditions_of(const struct comply *c)
{
	json_t *sets = json_array(), *to = json_object();
	for (size_t i = 0; i < c->how.sets_count; i++)
		json_array_append_new(sets, json_string(c->how.sets[i]));
	json_object_set_new(to, "unattended", json_boolean(c->how.is_unattended));
	json_object_set_new(to, "frames", json_integer((json_int_t)c->how.frames));
	if (c->how.spread > 0)
		json_object_set_new(to, "spread_limit", json_real(c->how.spread));
	set_text(to, "sample", c->how.sample);
	set_text(to, "method", c->how.method);
	set_text(to, "borrowed_method", c->how.borrow);
	set_text(to, "tests", c->how.tests);
	json_object_set_new(to, "settings_tried", sets);
	json_object_set_new(to, "settings_of_first_run",
		json_of((struct assay_span){c->settings.data, c->settings.len}));
	return to;
}

json_t *comply_report(const struct comply *c, uint64_t begin, const struct shown_daemon *daemon,
	const char *config)
{
	json_t *to = json_pack("{s:s, s:i, s:s}", "format", "assay-comply", "version", 1, "verdict",
		c->failed > 0                         ? "failed"
		: c->skipped > 0 || c->is_interrupted ? "passed in part"
						      : "passed");
	if (to == NULL)
		return NULL;
	set_time(to, "begin", begin);
	set_time(to, "end", clock_utc());
	set_text(to, "operator", c->how.person);
	json_object_set_new(to, "instrument", instrument_of(c));
	json_object_set_new(to, "software", software_of(c, daemon, config));
	json_object_set_new(to, "conditions", conditions_of(c));
	json_object_set_new(to, "counts",
		json_pack("{s:i, s:i, s:i}", "passed", (int)c->passed, "failed", (int)c->failed,
			"not_run", (int)c->skipped));
	json_object_set(to, "tests", c->tests);
	json_object_set(to, "runs", c->runs);
	json_object_set(to, "frames", c->frames);
	return to;
}

/* --- the sheet -------------------------------------------------------------------------------- */

/* `energy_zero` of the section calibration is `energy: {zero: ...}` there. */
static void put_setting(json_t *to, const struct comply_setting *one, const char *text)
{
	char head[40];
	const char *rest = strchr(one->name, '_');
	if (!one->calibration || rest == NULL) {
		set_text(to, one->name, text);
		return;
	}
	snprintf(head, sizeof head, "%.*s", (int)(rest - one->name), one->name);
	if (json_object_get(to, head) == NULL)
		json_object_set_new(to, head, json_object());
	set_text(json_object_get(to, head), rest + 1, text);
}

/* A list of rows. */
static bool is_table(struct assay_span value)
{
	struct reader r;
	size_t items;
	read_init(&r, value.data, value.len);
	return read_peek(&r) == READ_ARRAY && read_array(&r, &items) == 0 &&
	       (read_peek(&r) == READ_ARRAY || read_peek(&r) == READ_MAP);
}

/* A value as a text that YAML reads again; owned.  NULL: no memory. */
static char *text_of(struct assay_span value)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	if (to == NULL)
		return NULL;
	print_setting(to, value);
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}

/* A table, whose rows are lists [name, value, name, value ...], as YAML has it. */
static json_t *rows_of(struct assay_span table)
{
	json_t *rows = json_array();
	struct reader r;
	size_t count, items;
	read_init(&r, table.data, table.len);
	read_array(&r, &count);
	for (; count > 0 && r.error == 0; count--) {
		json_t *row = json_object();
		read_array(&r, &items);
		for (; items >= 2 && r.error == 0; items -= 2) {
			char name[64];
			struct assay_string key = {NULL, 0};
			struct assay_span value = {NULL, 0};
			read_text(&r, &key);
			read_raw(&r, &value);
			char *text = r.error == 0 ? text_of(value) : NULL;
			snprintf(name, sizeof name, "%.*s", (int)key.len, key.data);
			set_text(row, name, text);
			free(text);
		}
		json_array_append_new(rows, row);
	}
	return rows;
}

struct shown_profile {
	char profile[260];
};

static const struct keys profile_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct shown_profile, profile), {0}}, .open = true};

/* The values that are not the driver's defaults; the tables of a profile are in it. */
static void put_settings(struct comply *c, json_t *section)
{
	struct control_reply reply;
	struct reader list;
	struct shown_profile found = {0};
	json_t *settings = json_object(), *calibration = json_object();
	int left = comply_describe(c, &reply, &list);
	struct assay_span unit = keys_value(reply.body, string_of("instrument"));
	keys_decode(&profile_keys, unit.data, unit.len, &found);
	set_text(section, "profile", found.profile);
	for (; left > 0; left--) {
		struct comply_setting one = {0};
		if (keys_read(&list, &comply_setting_keys, &one, NULL) < 0)
			break;
		if (one.value.len == 0 || strcmp(one.from, "default") == 0)
			continue;
		if (is_table(one.value) && found.profile[0] == '\0')
			json_object_set_new(settings, one.name, rows_of(one.value));
		if (is_table(one.value))
			continue;
		char *text = text_of(one.value);
		if (text != NULL)
			put_setting(one.calibration ? calibration : settings, &one, text);
		free(text);
	}
	control_reply_finish(&reply);
	if (json_object_size(calibration) > 0) {
		set_text(calibration, "id", "COMPLY");
		json_object_set(section, "calibration", calibration);
	}
	json_object_set_new(section, "settings", settings);
	json_decref(calibration);
}

static json_t *verdicts_of(const struct comply *c)
{
	json_t *to = json_object(), *row;
	size_t i;
	json_array_foreach(c->tests, i, row) json_object_set(
		to, json_string_value(json_object_get(row, "id")), json_object_get(row, "verdict"));
	return to;
}

json_t *comply_sheet(struct comply *c, const char *capture)
{
	json_t *section = json_object(), *to = json_object();
	size_t runs = json_array_size(c->frames) > 0 ? c->series_count : 0;
	set_text(section, "driver", c->unit.driver);
	put_settings(c, section);
	if (c->series_frames > 0)
		json_object_set_new(section, "acquire",
			json_pack("{s:I}", "frames", (json_int_t)c->series_frames));
	json_object_set_new(section, "simulated", json_true());
	json_object_set_new(
		section, "link", json_pack("{s:s, s:s}", "type", "playback", "file", capture));
	json_object_set_new(to, "format", json_string("assay-playback"));
	json_object_set_new(to, "version", json_integer(1));
	json_object_set_new(to, "instrument", section);
	json_object_set_new(to, "unit",
		json_pack("{s:s, s:s, s:s, s:s, s:b}", "make", c->unit.make, "model", c->unit.model,
			"serial", c->unit.serial, "firmware", c->unit.fw, "simulated",
			(int)c->unit.simulated));
	json_object_set_new(
		to, "driver", json_of((struct assay_span){c->software.data, c->software.len}));
	json_object_set_new(to, "runs", json_integer((json_int_t)runs));
	json_object_set(to, "frames", c->frames);
	json_object_set_new(to, "tests", verdicts_of(c));
	return to;
}

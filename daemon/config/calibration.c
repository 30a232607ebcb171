/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "config/calibration.h"
#include "config/settings.h"
#include "config/warnings.h"
#include "record/json.h"
#include "record/keys.h"

const struct field calibration_fields[] = {
	{"id", FIELD_TEXT, 0, offsetof(struct calibration_section, id),
		.help = "name or number of the calibration, as people cite it"},
	{"from", FIELD_DATE, 0, offsetof(struct calibration_section, from),
		.help = "first day it holds"},
	{"until", FIELD_DATE, FIELD_END, offsetof(struct calibration_section, to),
		.help = "last day it holds"},
	{"holds_for", FIELD_NODE, 0, offsetof(struct calibration_section, holds_for),
		.help = "values of the settings that it depends on; default: the instrument's"},
	{0},
};

/* Appends the leaves below `map` to `flat`, with the keys on the way joined by '_'. */
static void flatten(
	struct load *load, struct node *flat, const struct node *map, const char *prefix)
{
	for (const struct node *child = map->first; child != NULL; child = child->next) {
		const char *key = prefix == NULL
					  ? child->key
					  : arena_printf(load->arena, "%s_%s", prefix, child->key);
		if (child->type == NODE_MAP)
			flatten(load, flat, child, key);
		else if (node_get(flat, key) != NULL)
			load_error(load, child->key_mark, "'%.60s' is given twice", key);
		else
			node_append(load->arena, flat, child, key);
	}
}

void calibration_read(struct load *load, const struct node *map, struct calibration_section *out)
{
	*out = (struct calibration_section){0};
	if (map == NULL || !fields_expect_map(load, map, "calibration", true))
		return;
	/* Three maps out of one: keys of every calibration, settings as written, and flat. */
	struct node own = {.type = NODE_MAP, .mark = map->mark}, rest = own;
	struct node *flat = arena_copy(load->arena, &own, sizeof own);
	const struct node *child = map->type == NODE_MAP ? map->first : NULL;
	for (; child != NULL; child = child->next) {
		const struct field *f = calibration_fields;
		while (f->name != NULL && strcmp(f->name, child->key) != 0)
			f++;
		node_append(load->arena, f->name != NULL ? &own : &rest, child, child->key);
	}
	fields_read(load, &own, "calibration", map->key_mark, calibration_fields, out);
	if (out->from != 0 && out->to != 0 && out->from >= out->to)
		load_error(load, node_get(map, "until")->mark,
			"the calibration ends before it starts");
	if (flat == NULL)
		return;
	flatten(load, flat, &rest, NULL);
	out->settings = flat;
}

/* --- the settings that it holds for ---------------------------------------------------------- */

static bool is_held(
	struct load *load, const struct catalog_driver *driver, const struct node *child)
{
	char end[400];
	struct suggest near;
	const struct assay_setting *s = settings_find(driver->settings, child->key);
	if (s != NULL && (s->flags & ASSAY_CALIBRATES) != 0)
		return true;
	suggest_init(&near, child->key);
	for (s = driver->settings; s != NULL && s->name != NULL; s++) {
		if ((s->flags & ASSAY_CALIBRATES) != 0)
			suggest_offer(&near, s->name);
	}
	load_error(load, child->key_mark, "no calibration of driver %s depends on '%.60s'%s",
		driver->name, child->key, suggest_text(&near, end, sizeof end));
	return false;
}

void calibration_keep(struct load *load, const struct catalog_driver *driver,
	const struct calibration_section *section, struct config_calibration *out)
{
	*out = (struct config_calibration){
		.id = section->id, .from = section->from, .to = section->to};
	struct settings_source source = {
		.driver = driver, .settings = section->holds_for, .is_partial = true};
	if (section->holds_for == NULL ||
		!fields_expect_map(load, section->holds_for, "holds_for", false))
		return;
	bool known = true;
	for (const struct node *c = section->holds_for->first; c != NULL; c = c->next)
		known = is_held(load, driver, c) && known;
	if (known)
		settings_read(load, &source, &out->holds_for);
}

int config_holds(const struct catalog_driver *driver, const struct config_calibration *calibration,
	struct assay_span settings, struct assay_span read_back, struct buffer *out)
{
	const struct assay_setting *s;
	struct map map;
	bool is_calibrated = false;
	for (s = driver->settings; s != NULL && s->name != NULL && !is_calibrated; s++)
		is_calibrated = (s->flags & ASSAY_CALIBRATION) != 0 &&
				keys_value(settings, string_of(s->name)).len > 0;
	if (!is_calibrated)
		return 0;
	map_open(&map, out);
	for (s = driver->settings; s->name != NULL; s++) {
		struct assay_string name = string_of(s->name);
		struct assay_span value = keys_value(calibration->holds_for, name);
		if ((s->flags & ASSAY_CALIBRATES) == 0)
			continue;
		if (value.len == 0)
			value = keys_value(settings, name);
		if (value.len == 0)
			value = keys_value(read_back, name);
		if (value.len == 0)
			continue;
		map_key(&map, s->name);
		encode_raw(out, value.data, value.len);
	}
	map_close(&map);
	return out->failed ? -ENOMEM : 0;
}

/* --- warnings -------------------------------------------------------------------------------- */

/* "16", "2048", "5.6 us" */
static const char *value_text(struct load *load, struct assay_span value)
{
	struct buffer json = {0};
	struct assay_string unit = {0};
	struct assay_span number = keys_value(value, string_of("v")),
			  of = keys_value(value, string_of("u"));
	struct reader r;
	read_init(&r, of.data, of.len);
	if (of.len > 0 && read_text(&r, &unit) == 0 && assay_string_is(unit, "1"))
		unit.len = 0;
	json_write(&json, number.len > 0 ? number.data : value.data,
		number.len > 0 ? number.len : value.len);
	load->config->warnings.incomplete |= json.failed;
	const char *text = arena_printf(load->arena, "%.*s%s%.*s", (int)json.len,
		(const char *)json.data, unit.len > 0 ? " " : "", (int)unit.len,
		unit.data != NULL ? unit.data : "");
	buffer_finish(&json);
	return text;
}

/* Whether `settings` have another value of the setting than the calibration holds for. */
static bool differs(struct assay_span settings, const struct buffer *holds, const char *name,
	struct assay_span *is, struct assay_span *held)
{
	*is = keys_value(settings, string_of(name));
	*held = keys_value((struct assay_span){holds->data, holds->len}, string_of(name));
	return is->len > 0 && (is->len != held->len || memcmp(is->data, held->data, is->len) != 0);
}

/* `subject`: such as "step 'light' of method SOP-014". */
static void warn_if_other(struct load *load, const struct config_instrument *instrument,
	struct assay_span settings, struct config_mark mark, const char *subject)
{
	struct buffer holds = {0};
	struct assay_span is, held;
	const struct assay_setting *s = instrument->driver->settings;
	if (config_holds(instrument->driver, &instrument->calibration, instrument->settings,
		    (struct assay_span){0}, &holds) < 0)
		load->config->warnings.incomplete = true;
	for (; holds.len > 0 && s->name != NULL; s++) {
		if ((s->flags & ASSAY_CALIBRATES) == 0 ||
			!differs(settings, &holds, s->name, &is, &held))
			continue;
		if (held.len > 0)
			load_warning(load, mark, WARN_CALIBRATION_OTHER, subject, s->name,
				value_text(load, is), instrument->key, value_text(load, held));
		else
			load_warning(load, mark, WARN_CALIBRATION_UNNAMED, subject, s->name,
				instrument->key);
	}
	buffer_finish(&holds);
}

static void warn_of_method(struct load *load, const struct config_instrument *instrument,
	const struct config_method *method)
{
	for (size_t i = 0; i < method->step_count; i++) {
		const struct config_step *step = &method->steps[i];
		const char *subject = arena_printf(load->arena,
			step->name[0] != '\0' ? "step '%s' of method %s" : "%smethod %s",
			step->name, method->id);
		if (step->calibration == NULL)
			warn_if_other(load, instrument, step->settings, step->mark, subject);
	}
}

void calibration_warn(struct load *load)
{
	const struct config *config = load->config;
	for (size_t i = 0; i < config->instrument_count; i++) {
		const struct config_instrument *instrument = &config->instruments[i];
		warn_if_other(load, instrument, instrument->settings, instrument->mark,
			arena_printf(load->arena, "instrument %s", instrument->key));
		for (size_t k = 0; k < config->method_count; k++) {
			if (strcmp(config->methods[k].driver, instrument->driver->name) == 0)
				warn_of_method(load, instrument, &config->methods[k]);
		}
	}
}

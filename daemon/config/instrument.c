/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "base/suggest.h"
#include "config/calibration.h"
#include "config/check.h"
#include "config/driver.h"
#include "config/instrument.h"
#include "config/link.h"
#include "config/ports.h"
#include "config/profile.h"
#include "config/settings.h"
#include "config/setup.h"
#include "config/warnings.h"
#include "record/techniques.h"
#include "record/text.h"

struct instrument_section {
	const struct node *driver, *link, *profile, *settings, *setup, *calibration, *technique;
	bool simulated;
	const char *make, *model, *serial, *asset;
	unsigned otherwise, mode, raw;
	uint64_t every, new_run, frames;
};

#define AT(member) offsetof(struct instrument_section, member)

/* In the order of their enums. */
static const char *const otherwise_choices[] = {"refuse", "flag", NULL};
static const char *const mode_choices[] = {"on-demand", "repeat", "continuous", NULL};
static const char *const raw_choices[] = {"keep", "hash", "off", NULL};

static const struct field identity_fields[] = {
	{"make", FIELD_TEXT, 0, AT(make), .help = "manufacturer"},
	{"model", FIELD_TEXT, 0, AT(model), .help = "model"},
	{"serial", FIELD_TEXT, 0, AT(serial), .help = "serial number, as on its plate"},
	{"asset", FIELD_TEXT, 0, AT(asset), .help = "the laboratory's inventory number"},
	{"otherwise", FIELD_CHOICE, 0, AT(otherwise), .choices = otherwise_choices,
		.help = "if another unit answers: refuse it (the default), or flag its frames"},
	{0},
};

static const struct field acquire_fields[] = {
	{"mode", FIELD_CHOICE, 0, AT(mode), .choices = mode_choices,
		.help = "on-demand: a run for every command (the default); repeat: run after run; "
			"continuous: one long run"},
	{"every", FIELD_DURATION, 0, AT(every), 0.001, 366 * 86400.0,
		.help = "time from one frame to the next; default: as fast as the instrument"},
	{"new_run", FIELD_DURATION, 0, AT(new_run), 1, 366 * 86400.0,
		.help = "continuous: how long one run lasts before the next starts"},
	{"frames", FIELD_COUNT, 0, AT(frames), 1, 1e9,
		.help = "frames of a run; default: all of a measurement"},
	{0},
};

const struct field instrument_fields[] = {
	{"driver", FIELD_NODE, FIELD_REQUIRED, AT(driver),
		.help = "the driver of its family, see assayctl describe"},
	{"simulated", FIELD_BOOL, 0, AT(simulated),
		.help = "true for a simulator: all its data is marked as simulated"},
	{"link", FIELD_NODE, 0, AT(link), .help = "how it is connected"},
	{"identity", FIELD_SECTION, .fields = identity_fields, .help = "which unit it must be"},
	{"acquire", FIELD_SECTION, .fields = acquire_fields, .help = "when it measures"},
	{"raw", FIELD_CHOICE, 0, AT(raw), .choices = raw_choices,
		.help = "the instrument's own bytes: keep them (the default), only their hash, or "
			"nothing"},
	{"technique", FIELD_NODE, 0, AT(technique), .help = "technique, if the driver has none"},
	{"profile", FIELD_NODE, 0, AT(profile),
		.help = "a file with the values that all such instruments share: a name or a path"},
	{"settings", FIELD_NODE, 0, AT(settings), .help = "values that are sent to the instrument"},
	{"setup", FIELD_NODE, 0, AT(setup),
		.help = "facts that people declare: column, accessory, filter"},
	{"calibration", FIELD_NODE, 0, AT(calibration), .help = "the calibration in force"},
	{0},
};

/* --- parts ----------------------------------------------------------------------------------- */

/* Any token is a technique: those of the list have a term and units of their own. */
static void check_technique(struct load *load, const char *text, struct config_mark mark)
{
	char end[400];
	struct suggest near;
	const struct technique *t = technique_find(string_of(text));
	if (t != NULL && strcmp(t->token, text) == 0)
		return;
	suggest_init(&near, text);
	for (size_t i = 0; (t = technique_at(i)) != NULL; i++)
		suggest_offer(&near, t->token);
	suggest_text(&near, end, sizeof end);
	if (technique_is_valid(string_of(text)))
		load_warning(load, mark, WARN_TECHNIQUE, text, end);
	else
		load_error(load, mark, "found '%.60s': expected a technique of a-z, 0-9 and -%s",
			text, end);
}

/* The driver's, else the instrument's, else its profile's. */
static const char *read_technique(struct load *load, const struct instrument_section *s,
	const struct catalog_driver *driver, const struct profile *profile,
	struct config_mark where)
{
	const struct node *node = s->technique;
	const char *text = node != NULL && node->type == NODE_SCALAR ? node->text : "";
	if (driver->technique != NULL) {
		if (node != NULL && strcmp(text, driver->technique) != 0)
			load_error(load, node->mark, "found '%.60s', but driver %s is for '%s'",
				text, driver->name, driver->technique);
		check_technique(load, driver->technique, where);
		return driver->technique;
	}
	if (node != NULL) {
		check_technique(load, text, node->mark);
		return text;
	}
	if (profile->technique != NULL) {
		check_technique(
			load, profile->technique, node_get(profile->root, "technique")->mark);
		return profile->technique;
	}
	char end[400];
	struct suggest near;
	const struct technique *t;
	suggest_init(&near, "");
	for (size_t i = 0; (t = technique_at(i)) != NULL; i++)
		suggest_offer(&near, t->token);
	load_error(load, where, "'technique' is missing: driver %s serves several%s", driver->name,
		suggest_text(&near, end, sizeof end));
	return "";
}

/* False after an error: the values below those of the instrument are unknown then. */
static bool read_profile(struct load *load, const struct instrument_section *s,
	const struct catalog_driver *driver, struct profile *profile)
{
	*profile = (struct profile){0};
	if (s->profile == NULL)
		return true;
	if (!profile_read(load, s->profile, profile))
		return false;
	if (profile->driver == NULL || strcmp(profile->driver, driver->name) == 0)
		return true;
	load_error(load, s->profile->mark, "this profile is for driver %.40s, not for %s",
		profile->driver, driver->name);
	return false;
}

static void read_acquire(struct load *load, const struct node *node,
	const struct instrument_section *s, struct config_instrument *out)
{
	out->acquire.mode = (enum config_mode)s->mode;
	out->acquire.every_ns = s->every;
	out->acquire.new_run_ns = s->new_run;
	out->acquire.frames = s->frames;
	const struct node *acquire = node_get(node, "acquire");
	const struct node *new_run = node_get(acquire, "new_run");
	const struct node *frames = node_get(acquire, "frames");
	const struct node *mode = node_get(acquire, "mode");
	if (mode != NULL &&
		(mode->type != NODE_SCALAR || strcmp(mode->text, mode_choices[s->mode]) != 0))
		return; /* reported */
	if (new_run != NULL && s->mode != CONFIG_CONTINUOUS)
		load_error(load, new_run->key_mark,
			"'new_run' is for mode: continuous; here the mode is %s",
			mode_choices[s->mode]);
	if (frames != NULL && s->mode == CONFIG_CONTINUOUS)
		load_error(load, frames->key_mark,
			"'frames' is not for mode: continuous, whose runs end by 'new_run'");
}

/* The parts that depend on the driver. */
static void read_driven(struct load *load, const struct node *node,
	const struct instrument_section *s, struct config_instrument *out)
{
	struct profile profile;
	struct calibration_section calibration;
	const struct catalog_driver *driver = out->driver;
	calibration_read(load, s->calibration, &calibration);
	calibration_keep(load, driver, &calibration, &out->calibration);
	bool has_profile = read_profile(load, s, driver, &profile);
	bool has_link = link_read(
		load, s->link, node->key_mark, profile.link, driver, &out->port, &out->unit_id);
	if (has_link)
		out->port_name = port_name(load, &out->port, out->key);
	if (has_link && port_kind_of(out->port.kind)->is_folder &&
		out->acquire.mode == CONFIG_CONTINUOUS) {
		const struct node *at = node_get(node, "acquire");
		load_error(load, at != NULL ? at->key_mark : node->key_mark,
			"'mode: continuous' is not for a folder: each of its data sets is a run of "
			"its own, by 'mode: repeat'");
	}
	if (out->port.playback != NULL && !out->simulated)
		load_error(load, s->link->key_mark,
			"a playback link needs 'simulated: true': data of a recording must not "
			"pass for an instrument's");
	if (out->port.faults != NULL && !out->simulated)
		load_error(load, s->link != NULL ? s->link->key_mark : node->key_mark,
			"'faults' needs 'simulated: true': a real instrument's data is never "
			"spoiled");
	if (!has_profile)
		return;
	out->profile = s->profile != NULL ? s->profile->text : NULL;
	out->identity.make = s->make != NULL ? s->make : profile.make;
	out->identity.model = s->model != NULL ? s->model : profile.model;
	out->identity.serial = s->serial;
	out->identity.asset = s->asset;
	out->identity.flag_otherwise = s->otherwise == 1;
	out->technique = read_technique(load, s, driver, &profile, node->key_mark);
	const struct technique *technique = technique_find(string_of(out->technique));
	const struct node *setup = node_overlay(load->arena, profile.setup, s->setup);
	setup_read(load, setup, &out->setup);
	warn_of_setup(load, setup, technique != NULL ? technique->bit : TECHNIQUE_ALL);
	struct config_mark *origins = arena_array(
		load->arena, settings_count(driver->settings), sizeof *origins);
	out->origins = origins;
	struct settings_source source = {
		.driver = driver,
		.origins = origins,
		.settings = node_overlay(load->arena, profile.settings, s->settings),
		.calibration = calibration.settings,
		.techniques = technique != NULL ? technique->bit : 0,
		.where = s->settings != NULL ? s->settings->key_mark : node->key_mark,
	};
	if (!settings_read(load, &source, &out->settings))
		return;
	struct check_item check = {.driver = driver,
		.settings = out->settings,
		.nodes = source.settings,
		.calibration = source.calibration,
		.where = source.where,
		.of = out->key};
	check_add(load, &check);
}

static bool lacks_required(const struct assay_setting *table, const struct node *settings)
{
	for (; table->name != NULL; table++)
		if ((table->flags & ASSAY_REQUIRED) != 0 && node_get(settings, table->name) == NULL)
			return true;
	return false;
}

void instrument_check_profile(struct load *load, const struct profile *profile)
{
	struct config_mark where = profile->root->mark;
	struct assay_span setup, settings;
	const struct node *named = node_get(profile->root, "driver");
	const struct catalog_driver *driver = driver_read(load, named);
	if (named == NULL)
		load_error(load, where,
			"'driver' is missing: a profile without one can only be checked with an "
			"instrument that names it");
	if (profile->technique != NULL)
		check_technique(
			load, profile->technique, node_get(profile->root, "technique")->mark);
	link_check_profile(load, profile->link);
	const char *token = driver != NULL && driver->technique != NULL ? driver->technique
									: profile->technique;
	const struct technique *technique = technique_find(string_of(token));
	setup_read(load, profile->setup, &setup);
	warn_of_setup(load, profile->setup, technique != NULL ? technique->bit : TECHNIQUE_ALL);
	if (driver == NULL)
		return;
	struct settings_source source = {.driver = driver,
		.settings = profile->settings,
		.techniques = technique != NULL ? technique->bit : 0,
		.where = where,
		.is_profile = true};
	if (!settings_read(load, &source, &settings) ||
		lacks_required(driver->settings, profile->settings))
		return;
	check_add(load, &(struct check_item){.driver = driver,
				.settings = settings,
				.nodes = profile->settings,
				.where = where,
				.of = profile->root->mark.file});
}

/* `preset_time` or `baud` in the wrong place. */
static const char *section_of(struct load *load, const char *key, const struct field *fields)
{
	const struct port_key *k;
	if (fields != instrument_fields)
		return NULL;
	if (load->driver != NULL && settings_find(load->driver->settings, key) != NULL)
		return "settings";
	for (size_t i = 0; (k = port_key_at(i)) != NULL; i++)
		if (k->key != NULL && strcmp(k->key, key) == 0)
			return "link";
	return NULL;
}

static void check_key(struct load *load, const struct node *node)
{
	char token[SUGGEST_TOKEN];
	const char *near = suggest_token(node->key, token);
	if (token_is_valid(string_of(node->key)))
		return;
	load_error(load, node->key_mark,
		"found '%.60s', expected a name of 1 to 32 characters of a-z, 0-9 and -%s%s%s",
		node->key, near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
		near != NULL ? "'?" : "");
}

void instrument_read(struct load *load, const struct node *node, struct config_instrument *out)
{
	out->key = node->key;
	out->mark = node->key_mark;
	check_key(load, node);
	const char *name = arena_printf(load->arena, "instrument %s", node->key);
	if (!fields_expect_map(load, node, name, true))
		return;
	struct instrument_section s = {0};
	const struct node *driver = node_get(node, "driver");
	bool is_named = driver != NULL && driver->type == NODE_SCALAR;
	load->driver = is_named ? catalog_find(load->catalog, driver->text) : NULL;
	load->section_of = section_of;
	fields_read(load, node, name, node->key_mark, instrument_fields, &s);
	load->section_of = NULL;
	out->simulated = s.simulated;
	out->raw = (enum unit_raw)s.raw;
	read_acquire(load, node, &s, out);
	out->driver = driver_read(load, s.driver);
	if (out->driver != NULL)
		read_driven(load, node, &s, out);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "config/calibration.h"
#include "config/check.h"
#include "config/driver.h"
#include "config/method.h"
#include "config/settings.h"
#include "config/setup.h"
#include "config/warnings.h"
#include "record/techniques.h"
#include "record/text.h"

#define STEPS_MAX     64
#define ID_BYTES_MAX  64
#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

struct method_section {
	const char *version, *summary;
	const struct node *driver, *settings, *setup, *calibration, *steps;
};

struct step_section {
	const char *name;
	const struct node *settings, *calibration;
};

#define AT(member) offsetof(struct method_section, member)

const struct field method_fields[] = {
	{"version", FIELD_TEXT, FIELD_REQUIRED, AT(version),
		.help = "a new one for every change of the method; goes into every run"},
	{"summary", FIELD_TEXT, 0, AT(summary), .help = "one line: its purpose"},
	{"driver", FIELD_NODE, FIELD_REQUIRED, AT(driver),
		.help = "the driver whose settings it has"},
	{"settings", FIELD_NODE, 0, AT(settings), .help = "settings of all its steps"},
	{"setup", FIELD_NODE, 0, AT(setup),
		.help = "facts that people declare: column, accessory, filter"},
	{"calibration", FIELD_NODE, 0, AT(calibration),
		.help = "the calibration of its settings, in place of the instrument's"},
	{"steps", FIELD_NODE, 0, AT(steps),
		.help = "a list of steps, each with a name and its settings"},
	{0},
};

const struct field method_step_fields[] = {
	{"name", FIELD_TEXT, FIELD_REQUIRED, offsetof(struct step_section, name),
		.help = "name of the step; goes into each of its frames"},
	{"settings", FIELD_NODE, 0, offsetof(struct step_section, settings),
		.help = "settings of this step, over those of the method"},
	{"calibration", FIELD_NODE, 0, offsetof(struct step_section, calibration),
		.help = "the calibration of this step, in place of the method's or instrument's"},
	{0},
};

/* Of a step: `own` over the settings of the method, and its calibration, if it has any. */
static void read_settings(struct load *load, const struct method_section *m,
	const struct catalog_driver *driver, const struct step_section *own,
	struct config_step *out)
{
	const struct node *node = own->calibration != NULL ? own->calibration : m->calibration;
	struct calibration_section section;
	calibration_read(load, node, &section);
	struct settings_source source = {.driver = driver,
		.settings = node_overlay(load->arena, m->settings, own->settings),
		.calibration = section.settings,
		.is_partial = true};
	if (settings_read(load, &source, &out->settings))
		check_add_step(load, out, source.settings);
	if (node == NULL)
		return;
	struct config_calibration calibration;
	calibration_keep(load, driver, &section, &calibration);
	warn_of_calibration(load, node, driver, &calibration);
	out->calibration = arena_copy(load->arena, &calibration, sizeof calibration);
}

static void read_step(struct load *load, const struct method_section *m,
	const struct catalog_driver *driver, const struct node *node, struct config_method *out)
{
	struct step_section s = {0};
	if (!fields_expect_map(load, node, "a step", false))
		return;
	fields_read(load, node, "a step", node->mark, method_step_fields, &s);
	for (size_t i = 0; s.name != NULL && i < out->step_count; i++)
		if (out->steps[i].name != NULL && strcmp(out->steps[i].name, s.name) == 0)
			load_error(load, node_get(node, "name")->mark,
				"two steps of this method are named '%.60s'", s.name);
	struct config_step *step = &out->steps[out->step_count++];
	step->name = s.name;
	step->mark = node->mark;
	read_settings(load, m, driver, &s, step);
}

static void read_steps(struct load *load, const struct method_section *m,
	const struct catalog_driver *driver, struct config_method *out)
{
	const struct node *list = m->steps;
	bool is_list = list != NULL && list->type == NODE_LIST && list->count != 0 &&
		       list->count <= STEPS_MAX;
	if (list != NULL && !is_list) {
		load_found(load, list,
			"expected a list of 1 to %d steps, each starting with '- name:'",
			STEPS_MAX);
		return;
	}
	out->steps = arena_array(load->arena, is_list ? list->count : 1, sizeof *out->steps);
	if (out->steps == NULL)
		return;
	if (!is_list) {
		out->step_count = 1;
		out->steps[0].name = "";
		out->steps[0].mark = out->mark;
		read_settings(load, m, driver, &(struct step_section){0}, &out->steps[0]);
		return;
	}
	for (const struct node *node = list->first; node != NULL; node = node->next)
		read_step(load, m, driver, node, out);
}

void method_read(struct load *load, const struct node *node, struct config_method *out)
{
	out->id = node->key;
	out->mark = node->key_mark;
	size_t len = strspn(node->key, ID_CHARACTERS);
	if (len < 1 || len > ID_BYTES_MAX || node->key[len] != '\0')
		load_error(load, node->key_mark,
			"found '%.80s', expected an id of 1 to 64 letters, digits, '.', '_' and "
			"'-'",
			node->key);
	const char *name = arena_printf(load->arena, "method %s", node->key);
	if (!fields_expect_map(load, node, name, true))
		return;
	struct method_section m = {0};
	fields_read(load, node, name, node->key_mark, method_fields, &m);
	out->version = m.version;
	const struct catalog_driver *driver = driver_read(load, m.driver);
	if (driver == NULL)
		return;
	out->driver = driver->name;
	const struct technique *technique = technique_find(string_of(driver->technique));
	setup_read(load, m.setup, &out->setup);
	warn_of_setup(load, m.setup, technique != NULL ? technique->bit : TECHNIQUE_ALL);
	read_steps(load, &m, driver, out);
}

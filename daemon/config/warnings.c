/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/suggest.h"
#include "config/devices.h"
#include "config/hint.h"
#include "config/inside.h"
#include "config/ports.h"
#include "config/quantity.h"
#include "config/settings.h"
#include "config/warnings.h"
#include "record/names.h"
#include "record/techniques.h"

/* --- texts ------------------------------------------------------------------------------------ */

static void warn_of_text(struct load *load, const struct node *node)
{
	const char *text = node->text, *space = strstr(text, "\302\240");
	double number;
	const char *unit;
	if (hint_typographic(text) != 0)
		load_warning(load, node->mark, WARN_QUOTES, text);
	if (node->is_cut)
		load_warning(load, node->mark, WARN_CUT);
	if (node->plain && strstr(text, " //") != NULL)
		load_warning(load, node->mark, WARN_SLASHES, text);
	/* Between a number and a unit it is understood. */
	if (space != NULL && !(node->plain && quantity_split(text, &number, &unit) == 0))
		load_warning(load, node->mark, WARN_NO_BREAK, text);
}

void warn_of_texts(struct load *load, const struct node *root)
{
	if (root == NULL)
		return;
	if (root->type == NODE_SCALAR)
		warn_of_text(load, root);
	for (const struct node *child = root->first; child != NULL; child = child->next)
		warn_of_texts(load, child); /* at most YAML_DEPTH_MAX deep */
}

/* --- laboratory ------------------------------------------------------------------------------- */

static bool accepts(struct load *load, const char *before, const char *example, const char *after)
{
	const char *id = arena_printf(load->arena, "%s%s%s", before, example, after);
	return regexec(&load->config->inside->sample, id, 0, NULL, 0) == 0;
}

void warn_of_pattern(struct load *load, const struct node *pattern, const char *example)
{
	const char *text = pattern->text;
	size_t len = strlen(text);
	if (text[0] != '^' && accepts(load, "x", example, ""))
		load_warning(load, pattern->mark, WARN_PATTERN_START, example);
	if (text[len - 1] != '$' && accepts(load, "", example, "x"))
		load_warning(load, pattern->mark, WARN_PATTERN_END, example);
	for (size_t i = 1; i < len; i++) {
		bool is_literal = isalnum((unsigned char)text[i - 1]) || text[i - 1] == '-' ||
				  text[i - 1] == '_';
		bool is_escaped = i > 1 && text[i - 2] == '\\';
		if (text[i] == '*' && is_literal && !is_escaped)
			load_warning(load, pattern->mark, WARN_PATTERN_STAR, text[i - 1]);
	}
}

/* --- link ------------------------------------------------------------------------------------- */

static const unsigned speeds[] = {50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800,
	7200, 9600, 14400, 19200, 28800, 31250, 38400, 57600, 76800, 115200, 128000, 187500, 230400,
	250000, 256000, 375000, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000,
	2500000, 3000000, 3500000, 4000000};

static unsigned nearest_speed(unsigned baud)
{
	unsigned best = speeds[0];
	for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++)
		if (labs((long)speeds[i] - (long)baud) < labs((long)best - (long)baud))
			best = speeds[i];
	return best;
}

static void warn_of_speed(struct load *load, const struct catalog_driver *driver,
	const struct port *port, struct config_mark mark)
{
	const char *defaults = catalog_link_defaults(driver, port->kind);
	const char *usual = defaults != NULL ? strstr(defaults, "baud: ") : NULL;
	unsigned own = usual != NULL ? (unsigned)strtoul(usual + strlen("baud: "), NULL, 10) : 0;
	unsigned near = nearest_speed(port->baud);
	if (near != port->baud)
		load_warning(load, mark, WARN_SPEED_UNUSUAL, port->baud, near);
	else if (own != 0 && own != port->baud)
		load_warning(load, mark, WARN_SPEED_OTHER, driver->name, own, port->baud);
}

static bool is_below(const char *path, const char *const *folders)
{
	for (; *folders != NULL; folders++)
		if (strncmp(path, *folders, strlen(*folders)) == 0)
			return true;
	return false;
}

/* Of the device file of a serial port, or of a recording. */
static void warn_of_path(struct load *load, const char *path, struct config_mark mark)
{
	static const char *const hidden[] = {
		"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/", NULL};
	static const char *const numbered[] = {"/dev/ttyUSB", "/dev/ttyACM", NULL};
	if (access(path, F_OK) != 0)
		load_warning(load, mark, WARN_DEVICE_MISSING, path, devices_text(load->arena));
	if (is_below(path, hidden))
		load_warning(load, mark, WARN_PATH_HIDDEN, path);
	if (is_below(path, numbered))
		load_warning(load, mark, WARN_DEVICE_NUMBERED, path);
}

static void warn_of_link(
	struct load *load, const struct node *section, const struct config_instrument *instrument)
{
	const struct node *link = node_get(section, "link"), *at;
	const struct port *port = &instrument->port;
	struct config_mark mark = link != NULL ? link->key_mark : section->key_mark;
#define MARK(key) ((at = node_get(link, key)) != NULL ? at->mark : mark)
	if (port->playback != NULL)
		warn_of_path(load, port->playback, MARK("file"));
	else if (port->port != NULL)
		warn_of_path(load, port->port, MARK("port"));
	if (port->baud != 0)
		warn_of_speed(load, instrument->driver, port, MARK("baud"));
	if (port->host != NULL && port_is_loopback(port->host) && !instrument->simulated)
		load_warning(load, MARK("host"), WARN_LOOPBACK, port->host);
	if (port_kind(port)->is_searched && instrument->simulated)
		load_warning(load, node_get(section, "simulated")->mark, WARN_SIMULATED_USB);
#undef MARK
}

/* --- setup ------------------------------------------------------------------------------------ */

/* "gc gcms" */
static const char *technique_names(struct load *load, unsigned bits)
{
	const struct technique *t;
	const char *text = "";
	for (size_t i = 0; (t = technique_at(i)) != NULL; i++)
		if ((t->bit & bits) != 0)
			text = arena_printf(
				load->arena, "%s%s%s", text, text[0] != '\0' ? " " : "", t->token);
	return text;
}

static void warn_of_free_name(struct load *load, const struct node *node)
{
	struct suggest near;
	const struct name *name;
	suggest_init(&near, node->key);
	for (size_t i = 0; (name = name_at(i)) != NULL; i++)
		if (name->where == NAME_SETUP || name->where == NAME_SETTING)
			suggest_offer(&near, name->name);
	if (near.best != NULL)
		load_warning(load, node->key_mark, WARN_SETUP_NAME, node->key, near.best);
}

static void warn_of_range(struct load *load, const struct node *node, const struct name *name)
{
	char why[QUANTITY_TEXT];
	double value;
	bool has_range = name->least != 0 || name->most != 0;
	if (has_range && node->type == NODE_SCALAR &&
		quantity_read(node->text, name->unit, &value, why) == 0 &&
		(value < name->least || value > name->most))
		load_warning(load, node->mark, WARN_SETUP_RANGE, name->name, value, name->unit,
			name->least, name->most, name->unit);
}

void warn_of_setup(struct load *load, const struct node *map, unsigned techniques)
{
	const struct node *node = map != NULL && map->type == NODE_MAP ? map->first : NULL;
	for (; node != NULL; node = node->next) {
		const struct name *name = name_find(string_of(node->key));
		if (name == NULL)
			warn_of_free_name(load, node);
		else if (name->where != NAME_SETUP && name->where != NAME_SETTING)
			continue;
		else if ((name->techniques & techniques) == 0)
			load_warning(load, node->key_mark, WARN_SETUP_TECHNIQUE, node->key,
				technique_names(load, name->techniques),
				technique_names(load, techniques));
		else
			warn_of_range(load, node, name);
	}
}

/* --- calibration ------------------------------------------------------------------------------ */

static const char *day_text(struct load *load, uint64_t ns)
{
	char day[32] = "";
	time_t seconds = (time_t)(ns / NS_PER_S);
	struct tm tm;
	if (gmtime_r(&seconds, &tm) != NULL)
		strftime(day, sizeof day, "%Y-%m-%d", &tm);
	return arena_printf(load->arena, "%s", day);
}

void warn_of_calibration(struct load *load, const struct node *section,
	const struct catalog_driver *driver, const struct config_calibration *calibration)
{
	const struct node *until = node_get(section, "until"), *from = node_get(section, "from");
	const char *id = calibration->id != NULL ? calibration->id : "(without id)";
	const struct assay_setting *s = driver->settings;
	uint64_t now = clock_utc(), day = 24 * 3600 * NS_PER_S;
	if (section == NULL || section->type != NODE_MAP)
		return;
	if (until != NULL && calibration->to < now)
		load_warning(load, until->mark, WARN_CALIBRATION_OVER, id,
			day_text(load, calibration->to - 1),
			(unsigned long long)((now - calibration->to) / day));
	if (from != NULL && calibration->from > now)
		load_warning(load, from->mark, WARN_CALIBRATION_EARLY, id,
			day_text(load, calibration->from),
			(unsigned long long)((calibration->from - now) / day));
	while (s != NULL && s->name != NULL && (s->flags & ASSAY_CALIBRATION) == 0)
		s++;
	if (s == NULL || s->name == NULL)
		return;
	size_t known = (node_get(section, "id") != NULL) + (from != NULL) + (until != NULL) +
		       (node_get(section, "holds_for") != NULL);
	if (section->count == known)
		load_warning(load, section->key_mark, WARN_CALIBRATION_EMPTY, s->name);
	else if (calibration->id == NULL)
		load_warning(load, section->key_mark, WARN_CALIBRATION_ID);
}

/* --- instruments ------------------------------------------------------------------------------ */

void warn_of_instrument(
	struct load *load, const struct node *section, const struct config_instrument *instrument)
{
	warn_of_link(load, section, instrument);
	warn_of_calibration(load, node_get(section, "calibration"), instrument->driver,
		&instrument->calibration);
}

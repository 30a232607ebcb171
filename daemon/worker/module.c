/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "record/techniques.h"
#include "record/text.h"
#include "wire/describe.h"
#include "worker/fatal.h"
#include "worker/module.h"
#include "worker/value.h"

#define RAW_MAX       (15u << 20) /* the rest of a record is for the variables */
#define SETTINGS_MAX  256
#define LINKS_MAX     32
#define POLL_MS_LEAST 1000

static bool has_text(const char *text)
{
	return text != NULL && value_is_text(text, 200);
}

static const char *table_complaint(const struct assay_setting *table, unsigned depth);

static const char *setting_complaint(const struct assay_setting *s, unsigned depth)
{
	if (!name_is_valid(string_of(s->name)))
		return "a setting has no proper name";
	if (s->type < ASSAY_BOOL || s->type > ASSAY_TABLE)
		return "a setting has no known type";
	if (!has_text(s->help) || (s->unit != NULL && !has_text(s->unit)) ||
		(s->fallback != NULL && !has_text(s->fallback)))
		return "a setting lacks its help, or a text of it is not UTF-8";
	if (!isfinite(s->min) || !isfinite(s->max) || s->min > s->max)
		return "a setting has an impossible range";
	if ((s->type == ASSAY_CHOICE) != (s->choices != NULL && s->choices[0] != NULL))
		return "a choice without choices, or another setting with some";
	if ((s->type == ASSAY_TABLE) != (s->columns != NULL))
		return "a table without columns, or another setting with some";
	return s->columns != NULL ? table_complaint(s->columns, depth + 1) : NULL;
}

static const char *table_complaint(const struct assay_setting *table, unsigned depth)
{
	if (depth > DESCRIBE_COLUMNS_DEEP)
		return "tables of settings are nested too deep";
	for (size_t i = 0; table != NULL && table[i].name != NULL; i++) {
		const char *what = i < SETTINGS_MAX ? setting_complaint(&table[i], depth)
						    : "there are too many settings";
		if (what != NULL)
			return what;
	}
	return NULL;
}

const char *module_complaint(const struct assay_driver *driver, const char *name)
{
	if (!token_is_valid(string_of(driver->name)) || strcmp(driver->name, name) != 0)
		return "its name is not that of its file";
	if (!has_text(driver->version) || !has_text(driver->summary) ||
		(driver->make != NULL && !has_text(driver->make)) ||
		(driver->technique != NULL && !technique_is_valid(string_of(driver->technique))))
		return "it lacks version or summary, or a text is not UTF-8";
	if (driver->links == 0)
		return "it names no link";
	if (driver->identify == NULL || driver->acquire == NULL || driver->decode == NULL)
		return "it lacks identify, acquire or decode";
	if ((driver->prepare != NULL) != (driver->prepared_size > 0))
		return "it has prepare without prepared_size, or the other way round";
	if (driver->poll == NULL ? driver->poll_ms != 0 : driver->poll_ms < POLL_MS_LEAST)
		return "it has poll without a poll_ms of at least 1000, or the other way round";
	if (driver->raw_max > RAW_MAX)
		return "its raw_max is larger than a record";
	return table_complaint(driver->settings, 0);
}

/* --- modules of older headers ----------------------------------------------------------------- */

/* The sizes that a module declares: at least as far as this member, at most as this version has. */
static const struct {
	const char *of;
	size_t at, least, most;
} sizes[] = {
	{"struct assay_driver", offsetof(struct assay_driver, size),
		offsetof(struct assay_driver, links), sizeof(struct assay_driver)},
	{"struct assay_host", offsetof(struct assay_driver, host_size),
		offsetof(struct assay_host, write), sizeof(struct assay_host)},
	{"struct assay_setting", offsetof(struct assay_driver, setting_size),
		offsetof(struct assay_setting, flags), sizeof(struct assay_setting)},
	{"struct assay_link_defaults", offsetof(struct assay_driver, link_default_size),
		offsetof(struct assay_link_defaults, defaults), sizeof(struct assay_link_defaults)},
};

static bool has_known_sizes(const struct assay_driver *table, char why[MODULE_STRANGER])
{
	if (table->abi != ASSAY_DRIVER_ABI) {
		snprintf(why, MODULE_STRANGER,
			"it was built for driver interface %u, and this is %u: build it with the "
			"<assay/driver.h> of this version",
			table->abi, ASSAY_DRIVER_ABI);
		return false;
	}
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint32_t size;
		memcpy(&size, (const char *)table + sizes[i].at, sizeof size);
		if (size < sizes[i].least)
			snprintf(why, MODULE_STRANGER,
				"it gives %u bytes for %s: its table has to begin with "
				"ASSAY_DRIVER_HEAD",
				size, sizes[i].of);
		else if (size > sizes[i].most)
			snprintf(why, MODULE_STRANGER,
				"it was built with a later <assay/driver.h>: its %s has %u bytes, "
				"that of this version %zu",
				sizes[i].of, size, sizes[i].most);
		else
			continue;
		return false;
	}
	return true;
}

/*
 * Copies an array whose elements have `stride` bytes.  It ends with an element whose first `head`
 * bytes are zero, and so does the copy, which has at most `most` elements before.
 */
static void *copy_array(
	struct arena *arena, const void *from, size_t stride, size_t size, size_t head, size_t most)
{
	static const char zero[sizeof(void *)];
	size_t count = 0;
	while (count < most && memcmp((const char *)from + count * stride, zero, head) != 0)
		count++;
	char *copy = arena_array(arena, count + 1, size);
	for (size_t i = 0; copy != NULL && i < count; i++)
		memcpy(copy + i * size, (const char *)from + i * stride, stride);
	return copy;
}

static const struct assay_setting *copy_settings(
	struct arena *arena, const struct assay_setting *table, size_t stride, unsigned depth)
{
	struct assay_setting *copy = copy_array(
		arena, table, stride, sizeof *copy, sizeof copy->name, SETTINGS_MAX + 1);
	for (struct assay_setting *s = copy; s != NULL && s->name != NULL; s++)
		if (s->columns != NULL && depth <= DESCRIBE_COLUMNS_DEEP)
			s->columns = copy_settings(arena, s->columns, stride, depth + 1);
	return copy;
}

bool module_adopt(
	struct module *module, const struct assay_driver *table, char why[MODULE_STRANGER])
{
	struct assay_driver *own = &module->own;
	if (!has_known_sizes(table, why))
		return false;
	if (table->size % sizeof table->decode != 0) {
		snprintf(why, MODULE_STRANGER, "its table has no whole number of slots");
		return false;
	}
	memcpy(own, table, table->size);
	if (own->settings != NULL)
		own->settings = copy_settings(&module->tables, own->settings, own->setting_size, 0);
	if (own->link_defaults != NULL)
		own->link_defaults = copy_array(&module->tables, own->link_defaults,
			own->link_default_size, sizeof *own->link_defaults,
			sizeof own->link_defaults->link, LINKS_MAX);
	if (module->tables.failed)
		snprintf(why, MODULE_STRANGER, "no memory for its tables");
	return !module->tables.failed;
}

/* --- loading ---------------------------------------------------------------------------------- */

static int load(struct module *module, const char *name, char why[MODULE_WHY])
{
	fatal_enter(0, name, "a constructor");
	module->library = dlopen(module->path, RTLD_NOW | RTLD_LOCAL);
	fatal_enter(0, NULL, NULL);
	if (module->library == NULL) {
		snprintf(why, MODULE_WHY, "%s", dlerror());
		return -ELIBBAD;
	}
	const struct assay_driver *const *table = dlsym(module->library, "assay_driver");
	char stranger[MODULE_STRANGER];
	const char *what = "it exports no assay_driver";
	if (table != NULL && *table != NULL)
		what = module_adopt(module, *table, stranger) ? module_complaint(&module->own, name)
							      : stranger;
	if (what != NULL) {
		snprintf(why, MODULE_WHY, "%.150s cannot be used: %s", module->path, what);
		module_close(module);
		return -ELIBBAD;
	}
	module->driver = &module->own;
	return 0;
}

/* False if no module can have this name. */
static bool make_path(char path[MODULE_PATH], const char *dir, const char *name)
{
	int n = token_is_valid(string_of(name)) ? snprintf(path, MODULE_PATH, "%s/%s.so", dir, name)
						: -1;
	return n >= 0 && n < MODULE_PATH;
}

void module_permit(struct confine *confine, const char *dir, const char *name)
{
	char path[MODULE_PATH];
	if (make_path(path, dir, name))
		confine_may_read(confine, path);
}

int module_confine(struct confine *confine, const char *dir, const char *const *names, size_t count)
{
	char lacking[CONFINE_LACKING];
	confine_prepare(confine, &confine_plan, lacking);
	for (size_t i = 0; i < count; i++)
		module_permit(confine, dir, names[i]);
	int r = confine_files(confine);
	return r == 0 ? confine_calls(confine, CONFINE_LOADING) : r;
}

int module_open(struct module *module, const char *dir, const char *name, char why[MODULE_WHY])
{
	*module = (struct module){0};
	if (!make_path(module->path, dir, name)) {
		snprintf(why, MODULE_WHY, "'%.40s' is not a driver's name", name);
		return -ENOENT;
	}
	if (access(module->path, R_OK) < 0) {
		snprintf(why, MODULE_WHY, "%.200s: %s", module->path, strerror(errno));
		return -ENOENT;
	}
	return load(module, name, why);
}

void module_close(struct module *module)
{
	if (module->library != NULL)
		dlclose(module->library);
	module->library = NULL;
	module->driver = NULL;
	arena_finish(&module->tables);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "record/text.h"
#include "wire/describe.h"
#include "worker/fatal.h"
#include "worker/module.h"
#include "worker/value.h"

#define HEAD_BYTES   offsetof(struct assay_driver, links) /* of a module of any size */
#define RAW_MAX      (15u << 20) /* the rest of a record is for the variables */
#define SETTINGS_MAX 256

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
	if (driver->abi != ASSAY_DRIVER_ABI || driver->size != sizeof *driver)
		return "it was built for another version of <assay/driver.h>";
	if (!token_is_valid(string_of(driver->name)) || strcmp(driver->name, name) != 0)
		return "its name is not that of its file";
	if (!has_text(driver->version) || !has_text(driver->summary) ||
		(driver->make != NULL && !has_text(driver->make)) ||
		(driver->technique != NULL && !token_is_valid(string_of(driver->technique))))
		return "it lacks version or summary, or a text is not UTF-8";
	if (driver->links == 0)
		return "it names no link";
	if (driver->identify == NULL || driver->acquire == NULL || driver->decode == NULL)
		return "it lacks identify, acquire or decode";
	if ((driver->prepare != NULL) != (driver->prepared_size > 0))
		return "it has prepare without prepared_size, or the other way round";
	if (driver->raw_max > RAW_MAX)
		return "its raw_max is larger than a record";
	return table_complaint(driver->settings, 0);
}

/* A module from before the last slots gets NULL there; of another size only the head is read. */
static void copy_table(struct module *module, const struct assay_driver *table)
{
	bool is_older = table->abi == ASSAY_DRIVER_ABI &&
			(table->size == offsetof(struct assay_driver, read_back) ||
				table->size == offsetof(struct assay_driver, check));
	memcpy(&module->own, table,
		is_older                       ? table->size
		: table->size == sizeof *table ? sizeof *table
					       : HEAD_BYTES);
	if (is_older)
		module->own.size = sizeof *table;
}

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
	if (table != NULL && *table != NULL)
		copy_table(module, *table);
	const char *what = table == NULL || *table == NULL ? "it exports no assay_driver"
							   : module_complaint(&module->own, name);
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
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the table of every driver module, loaded as the worker does, against the contract. */
#include <dlfcn.h>
#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"

static int module_count;
static char **module_paths;

static void assert_is_token(const char *s, const char *letters, size_t most)
{
	assert_non_null(s);
	assert_in_range(strlen(s), 1, most);
	if (s[strspn(s, letters)] != '\0')
		fail_msg("\"%s\" is not a name", s);
}

static void check_setting(const struct assay_setting *s)
{
	assert_is_token(s->name, "abcdefghijklmnopqrstuvwxyz0123456789_", 32);
	assert_in_range(s->type, ASSAY_BOOL, ASSAY_TABLE);
	assert_true(s->min <= s->max);
	assert_int_equal(s->choices != NULL, s->type == ASSAY_CHOICE);
	assert_int_equal(s->columns != NULL, s->type == ASSAY_TABLE);
	if ((s->flags & ASSAY_HAZARD) && s->fallback != NULL)
		fail_msg("the hazard '%s' has a default", s->name);
	if (s->help == NULL || s->help[0] == '\0' || strchr(s->help, '\n') != NULL ||
		s->help[strlen(s->help) - 1] == '.')
		fail_msg("'%s' has no help of one line without full stop", s->name);
	for (const struct assay_setting *c = s->columns; c != NULL && c->name != NULL; c++)
		check_setting(c);
	for (const struct assay_setting *other = s + 1; other->name != NULL; other++)
		assert_string_not_equal(s->name, other->name);
}

/* A host sets all defaults, and aborts on one that the table does not allow. */
static void check_links(const struct assay_driver *d)
{
	assert_int_not_equal(d->links, 0);
	for (unsigned link = 1; link <= ASSAY_LINK_NONE; link <<= 1)
		if (d->links & link)
			host_destroy(host_create(d, link));
	for (const struct assay_link_defaults *l = d->link_defaults; l != NULL && l->link != 0;
		l++) {
		assert_true(d->links & l->link);
		assert_non_null(l->defaults);
	}
}

static void check_driver(const struct assay_driver *d, char *path)
{
	char *name = basename(path);
	assert_int_equal(d->abi, ASSAY_DRIVER_ABI);
	assert_int_equal(d->size, sizeof(*d));
	assert_is_token(d->name, "abcdefghijklmnopqrstuvwxyz0123456789-", 32);
	assert_int_equal(strlen(name), strlen(d->name) + 3);
	assert_memory_equal(name, d->name, strlen(d->name));
	assert_true(d->version != NULL && d->version[0] != '\0');
	assert_true(d->summary != NULL && d->summary[0] != '\0');
	assert_true(d->identify != NULL && d->acquire != NULL && d->decode != NULL);
	assert_true(d->raw_max > 0 && d->raw_max < 16u << 20);
	for (const struct assay_setting *s = d->settings; s != NULL && s->name != NULL; s++) {
		check_setting(s);
		if (s->flags & ASSAY_HAZARD)
			assert_non_null(d->make_safe);
		if (s->flags & ASSAY_STAYS) { /* it can be put back, and that switches nothing on */
			assert_non_null(d->read_back);
			assert_null(s->fallback);
			assert_int_equal(s->flags & (ASSAY_HAZARD | ASSAY_CALIBRATION), 0);
		}
	}
	check_links(d);
}

static void every_module_keeps_the_contract(void **state)
{
	assert_true(module_count > 0);
	for (int i = 0; i < module_count; i++) {
		void *module = dlopen(module_paths[i], RTLD_NOW | RTLD_LOCAL);
		if (module == NULL)
			fail_msg("%s", dlerror());
		const struct assay_driver *const *driver = dlsym(module, "assay_driver");
		assert_non_null(driver);
		check_driver(*driver, module_paths[i]);
		dlclose(module);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_module_keeps_the_contract)};
	module_count = argc - 1;
	module_paths = argv + 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

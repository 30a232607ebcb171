/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The findings that a worker sends about the settings of two instruments and a method's step: each
 * becomes an error or a warning at a place of the file.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "config/check.h"
#include "config/reading.h"

static const char *const text =
	"{points: [{name: a, address: 0}, {name: b, address: 1}, c], word: swap}";

static void check_places(const struct config_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++) {
		const struct config_error *e = &errors->items[i];
		assert(strcmp(e->mark.file, "text") == 0 && e->mark.line <= 1);
		assert(e->mark.column <= strlen(text) + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	struct config config = {0};
	struct config_errors errors = {0};
	struct catalog_driver driver = {.name = "map", .has_check = true};
	struct catalog catalog = {.drivers = &driver, .count = 1, .worker = "assay-worker"};
	struct load load = {
		.arena = &arena, .errors = &errors, .catalog = &catalog, .config = &config};
	const struct node *nodes = yaml_parse(text, strlen(text), "text", &arena, &errors);
	assert(nodes != NULL && errors.count == 0);
	struct check_item items[] = {{.of = "a"}, {.of = "b"}, {.of = "a", .is_step = true}};
	for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
		items[i].driver = &driver;
		items[i].nodes = nodes;
		items[i].where = nodes->mark;
		check_add(&load, &items[i]);
	}
	int r = check_take_answer(&load, &driver, (struct assay_span){data, size});
	assert(r == 0 || r == -EBADMSG);
	check_places(&errors);
	check_places(&config.warnings);
	config_errors_finish(&errors);
	config_errors_finish(&config.warnings);
	arena_finish(&arena);
	return 0;
}

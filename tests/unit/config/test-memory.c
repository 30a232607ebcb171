/* SPDX-License-Identifier: Apache-2.0 */
/* Every place that allocates from the arena, or grows a buffer, is let down once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "config/load.h"
#include "drivers.h"

static size_t calls, failing; /* the call that fails, counted from 1; 0: none */

static bool fails(void)
{
	return ++calls == failing;
}

void *__real_arena_alloc(struct arena *arena, size_t size);
void *__real_arena_array(struct arena *arena, size_t count, size_t size);
void *__real_arena_copy(struct arena *arena, const void *data, size_t len);
const char *__real_arena_text(struct arena *arena, const char *text, size_t len);
void *__wrap_arena_alloc(struct arena *arena, size_t size);
void *__wrap_arena_array(struct arena *arena, size_t count, size_t size);
void *__wrap_arena_copy(struct arena *arena, const void *data, size_t len);
const char *__wrap_arena_text(struct arena *arena, const char *text, size_t len);
void *__wrap_calloc(size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__real_realloc(void *memory, size_t size);

void *__wrap_arena_alloc(struct arena *arena, size_t size)
{
	arena->failed |= fails();
	return calls == failing ? NULL : __real_arena_alloc(arena, size);
}

void *__wrap_arena_array(struct arena *arena, size_t count, size_t size)
{
	arena->failed |= fails();
	return calls == failing ? NULL : __real_arena_array(arena, count, size);
}

void *__wrap_arena_copy(struct arena *arena, const void *data, size_t len)
{
	arena->failed |= fails();
	return calls == failing ? NULL : __real_arena_copy(arena, data, len);
}

const char *__wrap_arena_text(struct arena *arena, const char *text, size_t len)
{
	arena->failed |= fails();
	return calls == failing ? "" : __real_arena_text(arena, text, len);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return fails() ? NULL : __real_realloc(memory, size);
}

/* Returns how many calls there were. */
static size_t load_failing(const char *path, size_t at, int expected)
{
	struct config *config;
	struct config_errors errors;
	failing = at;
	calls = 0;
	int r = load_files(path, "/nonexistent", &test_catalog, &config, &errors);
	failing = 0;
	if (at == 0 || calls < at) {
		assert_int_equal(r, expected);
	} else {
		assert_int_equal(r, -ENOMEM);
		assert_null(config);
		assert_int_equal(errors.count, 0);
	}
	config_errors_finish(&errors);
	config_destroy(config);
	return calls;
}

static const char *root;

static void check_file(const char *name, int expected)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", root, name);
	size_t total = load_failing(path, 0, expected);
	assert_true(total > 20);
	for (size_t at = 1; at <= total; at++)
		load_failing(path, at, expected);
}

static void a_load_short_of_memory_says_so_and_leaves_nothing(void **state)
{
	check_file("right/full.yaml", 0);
	check_file("right/folder/assayd.yaml", 0);
	check_file("wrong/many.yaml", -EINVAL);
}

static void merging_short_of_memory_says_so(void **state)
{
	char path[4096];
	struct config *config;
	struct config_errors errors;
	snprintf(path, sizeof path, "%s/right/full.yaml", root);
	assert_int_equal(load_files(path, "/nonexistent", &test_catalog, &config, &errors), 0);
	const struct config_instrument *xrf = config_find(config, "xrf-1");
	const struct config_method *method = config_find_method(config, "SOP-014.2");
	for (failing = 1;; failing++) {
		struct buffer to = {0};
		char *why;
		calls = 0;
		int r = config_merge(
			xrf->driver, xrf->settings, method->steps[0].settings, &to, &why);
		buffer_finish(&to);
		if (calls < failing) {
			assert_int_equal(r, 0);
			break;
		}
		assert_int_equal(r, -ENOMEM);
	}
	assert_true(failing > 1);
	failing = 0;
	config_destroy(config);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	root = argv[1];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_load_short_of_memory_says_so_and_leaves_nothing),
		cmocka_unit_test(merging_short_of_memory_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

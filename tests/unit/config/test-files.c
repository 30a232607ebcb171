/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every file of tests/configs/right loads; every one of tests/configs/wrong gives
 * exactly the errors that its first lines name, and of tests/configs/slips the errors or the
 * warnings, with the real drivers and their rules:
 *
 *	# expect: 12:7: phrase
 *	# expect: instruments.d/a.yaml:3:5: phrase
 *
 * An entry that is a folder is loaded by its assayd.yaml.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "config/load.h"
#include "drivers.h"

#define WRONG_LEAST 45
#define SLIPS_LEAST 1

static const char *root, *profiles;
static const struct catalog *catalog = &test_catalog;
static const char *worker, *driver_dir;
static size_t unexpected; /* files that gave other errors */

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "profiles") != 0;
}

static char *path_of(const char *folder, const char *name)
{
	char *path;
	struct stat st;
	assert_true(asprintf(&path, "%s/%s/%s", root, folder, name) > 0);
	assert_int_equal(stat(path, &st), 0);
	if (!S_ISDIR(st.st_mode))
		return path;
	free(path);
	assert_true(asprintf(&path, "%s/%s/%s/assayd.yaml", root, folder, name) > 0);
	return path;
}

static size_t for_each(const char *folder, void (*check)(const char *path))
{
	char *path;
	struct dirent **entries;
	assert_true(asprintf(&path, "%s/%s", root, folder) > 0);
	int count = scandir(path, &entries, is_visible, alphasort);
	free(path);
	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		path = path_of(folder, entries[i]->d_name);
		check(path);
		free(path);
		free(entries[i]);
	}
	free(entries);
	return (size_t)count;
}

/* The texts of a configuration load to the same one, without the files, if all their bytes are right. */
static void check_saved(const struct config *config)
{
	struct config *again;
	struct config_errors errors;
	struct buffer saved = {0};
	config_save(config, &saved);
	struct assay_span bytes = {saved.data, saved.len};
	assert_int_equal(load_saved(bytes, "/nonexistent", catalog, &again, &errors), 0);
	assert_memory_equal(again->sha256, config->sha256, sizeof config->sha256);
	config_errors_finish(&errors);
	config_destroy(again);
	for (size_t i = 0; i < saved.len; i += 1 + saved.len / 50) {
		saved.data[i] ^= 1;
		assert_int_equal(load_saved(bytes, "", catalog, &again, &errors), -EBADMSG);
		saved.data[i] ^= 1;
		struct assay_span torn = {bytes.data, i};
		assert_int_equal(load_saved(torn, "", catalog, &again, &errors), -EBADMSG);
	}
	buffer_finish(&saved);
}

static void check_right(const char *path)
{
	struct config *config;
	struct config_errors errors;
	int r = load_files(path, profiles, catalog, &config, &errors);
	if (r != 0)
		config_errors_write(&errors, stderr);
	assert_int_equal(r, 0);
	assert_int_equal(errors.count, 0);
	check_saved(config);
	config_errors_finish(&errors);
	config_destroy(config);
}

static bool ends_with(const char *text, const char *end, size_t len)
{
	size_t n = strlen(text);
	return n >= len && strncmp(text + n - len, end, len) == 0;
}

/* Finds the error that the rest of an expect line names, and marks it. */
static bool is_there(
	const char *expect, const char *path, const struct config_errors *errors, bool *seen)
{
	char file[200] = "", phrase[300];
	unsigned line, column;
	if (sscanf(expect, "%u:%u: %299[^\n]", &line, &column, phrase) != 3 &&
		sscanf(expect, "%199[^:]:%u:%u: %299[^\n]", file, &line, &column, phrase) != 4)
		return false;
	for (size_t i = 0; i < errors->count; i++) {
		const struct config_error *e = &errors->items[i];
		bool same_file = file[0] != '\0' ? ends_with(e->mark.file, file, strlen(file))
						 : strcmp(e->mark.file, path) == 0;
		if (!seen[i] && same_file && e->mark.line == line && e->mark.column == column &&
			strstr(e->text, phrase) != NULL)
			return seen[i] = true;
	}
	return false;
}

/* Compares with the lines of the file that say so. */
static void check_list(const char *path, const struct config_errors *errors, bool fine)
{
	bool seen[100] = {0};
	char line[400];
	size_t expected = 0;
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_in_range(errors->count, 0, 100);
	while (fgets(line, sizeof line, file) != NULL && strncmp(line, "# expect: ", 10) == 0) {
		expected++;
		if (!is_there(line + 10, path, errors, seen)) {
			fine = false;
			print_error("%s: not found: %s", path, line + 10);
		}
	}
	fclose(file);
	if (!fine || expected != errors->count) {
		print_error("%s: %zu expected, found:\n", path, expected);
		config_errors_write(errors, stderr);
	}
	unexpected += !fine || expected != errors->count;
}

static void check_wrong(const char *path)
{
	struct config *config;
	struct config_errors errors;
	int r = load_files(path, profiles, catalog, &config, &errors);
	check_list(path, &errors, r == -EINVAL && config == NULL);
	config_errors_finish(&errors);
	config_destroy(config);
}

static void check_slip(const char *path)
{
	struct config *config;
	struct config_errors errors;
	int r = load_files(path, profiles, catalog, &config, &errors);
	check_list(path, r == 0 ? &config->warnings : &errors, r == 0 || r == -EINVAL);
	config_errors_finish(&errors);
	config_destroy(config);
}

static void check_profile(const char *path)
{
	struct config *config;
	struct config_errors errors;
	int r = config_load_profile(path, catalog, &config, &errors);
	check_list(path, r == 0 ? &config->warnings : &errors, r == 0 || r == -EINVAL);
	config_errors_finish(&errors);
	config_destroy(config);
}

static void check_no_profile(const char *path)
{
	struct config *config;
	struct config_errors errors;
	assert_int_equal(config_load_profile(path, catalog, &config, &errors), -ENOENT);
	assert_null(config);
	assert_int_equal(errors.count, 0);
}

static void right_files_load_without_errors(void **state)
{
	for_each("right", check_right);
}

static void wrong_files_give_exactly_the_errors_they_expect(void **state)
{
	assert_true(for_each("wrong", check_wrong) >= WRONG_LEAST);
	assert_int_equal(unexpected, 0);
}

static void profiles_are_checked_alone(void **state)
{
	const struct catalog *scripted = catalog;
	struct catalog *real;
	char *why;
	assert_int_equal(catalog_load(worker, driver_dir, &real, &why), 0);
	catalog = real;
	unexpected = 0;
	assert_true(for_each("profiles-alone", check_profile) >= 6);
	assert_true(for_each("../../config/profiles", check_profile) >= 2);
	for_each("right", check_no_profile);
	catalog = scripted;
	catalog_destroy(real);
	assert_int_equal(unexpected, 0);
}

static void slips_give_exactly_the_findings_they_expect(void **state)
{
	struct catalog *real;
	char *why;
	assert_int_equal(catalog_load(worker, driver_dir, &real, &why), 0);
	catalog = real;
	unexpected = 0;
	assert_true(for_each("slips", check_slip) >= SLIPS_LEAST);
	assert_int_equal(unexpected, 0);
	catalog_destroy(real);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	worker = argv[2];
	driver_dir = argv[3];
	root = argv[1];
	char *folder;
	if (asprintf(&folder, "%s/profiles", root) < 0)
		return 2;
	profiles = folder;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_files_load_without_errors),
		cmocka_unit_test(wrong_files_give_exactly_the_errors_they_expect),
		cmocka_unit_test(profiles_are_checked_alone),
		cmocka_unit_test(slips_give_exactly_the_findings_they_expect),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	free(folder);
	return failed;
}

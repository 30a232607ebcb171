/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/catalog.h"
#include "drivers.h"
#include "record/encode.h"
#include "record/json.h"
#include "wire/describe.h"

/* --- as a worker writes it ------------------------------------------------------------------- */

static void write_settings(struct buffer *to, const struct assay_setting *table);

static void write_setting(struct buffer *to, const struct assay_setting *s)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "name", s->name);
	map_uint(&map, "type", s->type);
	map_uint(&map, "flags", s->flags);
	map_text(&map, "unit", s->unit);
	if (s->min != 0 || s->max != 0) {
		map_f64(&map, "min", s->min);
		map_f64(&map, "max", s->max);
	}
	if (s->choices != NULL) {
		size_t count = 0;
		while (s->choices[count] != NULL)
			count++;
		map_key(&map, "choices");
		encode_array(to, count);
		for (size_t i = 0; i < count; i++)
			encode_text(to, s->choices[i]);
	}
	if (s->columns != NULL) {
		map_key(&map, "columns");
		write_settings(to, s->columns);
	}
	map_text(&map, "fallback", s->fallback);
	map_text(&map, "help", s->help);
	map_close(&map);
}

static void write_settings(struct buffer *to, const struct assay_setting *table)
{
	size_t count = 0;
	while (table[count].name != NULL)
		count++;
	encode_array(to, count);
	for (size_t i = 0; i < count; i++)
		write_setting(to, &table[i]);
}

static void write_driver(struct buffer *to, const struct catalog_driver *driver)
{
	struct map map;
	size_t count = 0;
	map_open(&map, to);
	map_text(&map, "name", driver->name);
	map_text(&map, "version", driver->version);
	map_text(&map, "summary", driver->summary);
	map_text(&map, "technique", driver->technique);
	map_text(&map, "make", driver->make);
	map_uint(&map, "links", driver->links);
	map_key(&map, "link_defaults");
	while (driver->link_defaults != NULL && driver->link_defaults[count].link != 0)
		count++;
	encode_array(to, count);
	for (size_t i = 0; i < count; i++) {
		struct map link;
		map_open(&link, to);
		map_uint(&link, "link", driver->link_defaults[i].link);
		map_text(&link, "defaults", driver->link_defaults[i].defaults);
		map_close(&link);
	}
	map_bool(&map, "has_make_safe", driver->has_make_safe);
	map_bytes(&map, "sha256", "0123456789abcdef0123456789abcdef", 32);
	map_key(&map, "settings");
	write_settings(to, driver->settings);
	map_close(&map);
}

static void write_catalog(struct buffer *to, const struct catalog *catalog, uint64_t version)
{
	struct map map, problem;
	map_open(&map, to);
	map_uint(&map, "version", version);
	map_key(&map, "drivers");
	encode_array(to, catalog->count);
	for (size_t i = 0; i < catalog->count; i++)
		write_driver(to, &catalog->drivers[i]);
	map_key(&map, "errors");
	encode_array(to, 1);
	map_open(&problem, to);
	map_text(&problem, "file", "broken.so");
	map_text(&problem, "text", "the ABI number is 7");
	map_close(&problem);
	map_close(&map);
	assert_false(to->failed);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void a_description_is_read_back(void **state)
{
	struct buffer to = {0};
	struct catalog *catalog;
	char *why;
	write_catalog(&to, &test_catalog, DESCRIBE_VERSION);
	assert_int_equal(catalog_read(to.data, to.len, &catalog, &why), 0);
	buffer_finish(&to);
	assert_int_equal(catalog->count, test_catalog.count);
	for (size_t i = 0; i < catalog->count; i++) {
		struct buffer a = {0}, b = {0};
		catalog_put(&a, &test_catalog.drivers[i]);
		catalog_put(&b, &catalog->drivers[i]);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		assert_memory_equal(catalog->drivers[i].sha256, "0123456789abcdef", 16);
		buffer_finish(&a);
		buffer_finish(&b);
	}
	const struct catalog_driver *rga = catalog_find(catalog, "srs-rga");
	assert_true(rga->has_make_safe);
	assert_string_equal(rga->technique, "ms");
	assert_null(catalog_find(catalog, "modbus-map")->technique);
	assert_null(catalog_find(catalog, "nothing"));
	assert_int_equal(catalog->problem_count, 1);
	assert_string_equal(catalog->problems[0].file, "broken.so");
	catalog_destroy(catalog);
}

static void a_description_cut_anywhere_is_refused(void **state)
{
	struct buffer to = {0};
	struct catalog *catalog;
	char *why;
	write_catalog(&to, &test_catalog, DESCRIBE_VERSION);
	for (size_t len = 0; len < to.len; len++) {
		assert_int_equal(catalog_read(to.data, len, &catalog, &why), -EBADMSG);
		assert_null(catalog);
		assert_non_null(why);
		free(why);
	}
	buffer_finish(&to);
}

static void refused(const struct catalog *wrong, uint64_t version, const char *phrase)
{
	struct buffer to = {0};
	struct catalog *catalog;
	char *why;
	write_catalog(&to, wrong, version);
	assert_int_equal(catalog_read(to.data, to.len, &catalog, &why), -EBADMSG);
	if (strstr(why, phrase) == NULL)
		fail_msg("'%s' lacks '%s'", why, phrase);
	free(why);
	buffer_finish(&to);
}

static void tables_that_contradict_themselves_are_refused(void **state)
{
	static const char *const none[] = {NULL};
	static const struct assay_setting empty[] = {{0}};
	struct assay_setting settings[2] = {{.name = "a", .type = ASSAY_INT, .help = ""}};
	struct catalog_driver driver = {
		.name = "d", .version = "1", .summary = "", .settings = settings};
	struct catalog wrong = {.drivers = &driver, .count = 1};
	refused(&wrong, 2, "version 1 of the description expected");
	settings[0].type = ASSAY_CHOICE;
	settings[0].choices = none;
	refused(&wrong, DESCRIBE_VERSION, "setting 'a' has a type that does not fit its choices");
	settings[0].type = ASSAY_TABLE;
	settings[0].choices = NULL;
	settings[0].columns = empty;
	refused(&wrong, DESCRIBE_VERSION, "setting 'a' has a type that does not fit its columns");
	settings[0] = (struct assay_setting){.name = "a", .type = 77, .help = ""};
	refused(&wrong, DESCRIBE_VERSION, "setting 'a' is of an unknown type");
	settings[0] = (struct assay_setting){.name = "A b", .type = ASSAY_INT, .help = ""};
	refused(&wrong, DESCRIBE_VERSION, "the name of a setting expected");
	settings[0] = (struct assay_setting){.name = "a", .type = ASSAY_INT, .min = 2, .max = 1};
	refused(&wrong, DESCRIBE_VERSION, "setting 'a' has an empty range");
	settings[0] = (struct assay_setting){.name = "a", .type = ASSAY_INT};
	driver.name = "Driver";
	refused(&wrong, DESCRIBE_VERSION, "the name of a driver expected");
}

static void a_driver_is_described_in_words(void **state)
{
	struct buffer to = {0}, text = {0};
	catalog_put(&to, catalog_find(&test_catalog, "amptek-dp5"));
	assert_int_equal(json_write(&text, to.data, to.len), 0);
	buffer_append(&text, "", 1);
	const char *json = (const char *)text.data;
	assert_non_null(strstr(json, "{\"type\":\"usb\",\"defaults\":"));
	assert_non_null(
		strstr(json, "\"name\":\"preset_time\",\"type\":\"number\",\"unit\":\"s\""));
	assert_non_null(strstr(json, "\"calibration\":true"));
	buffer_finish(&to);
	buffer_finish(&text);
}

/* Answers --describe with the bytes of `answer`, or fails. */
static void make_worker(char *path, size_t size, const char *dir, const char *script)
{
	snprintf(path, size, "%s/worker", dir);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", script);
	fclose(file);
	assert_int_equal(chmod(path, 0700), 0);
}

/* What a module writes to standard error is logged printable and limited. */
static void assert_logged(const char *worker, const char *begin)
{
	char logged[4096] = "", *why;
	struct catalog *catalog;
	int saved = dup(STDERR_FILENO), log = memfd_create("log", 0);
	dup2(log, STDERR_FILENO);
	catalog_load(worker, "/modules", &catalog, &why);
	dup2(saved, STDERR_FILENO);
	free(why);
	ssize_t len = pread(log, logged, sizeof logged - 1, 0);
	assert_int_equal(strncmp(logged, begin, strlen(begin)), 0);
	assert_true(len > 0 && len < 2000); /* 100 lines */
	close(saved);
	close(log);
}

static void a_worker_describes_its_drivers(void **state)
{
	char dir[] = "/tmp/assay-catalog-XXXXXX", worker[80], answer[80], script[200];
	assert_non_null(mkdtemp(dir));
	struct buffer to = {0};
	struct catalog *catalog;
	char *why;
	write_catalog(&to, &test_catalog, DESCRIBE_VERSION);
	snprintf(answer, sizeof answer, "%s/answer", dir);
	FILE *file = fopen(answer, "w");
	assert_int_equal(fwrite(to.data, 1, to.len, file), to.len);
	fclose(file);
	buffer_finish(&to);

	snprintf(script, sizeof script, "[ \"$*\" = '--describe --drivers /modules' ] && cat %s",
		answer);
	make_worker(worker, sizeof worker, dir, script);
	assert_int_equal(catalog_load(worker, "/modules", &catalog, &why), 0);
	assert_int_equal(catalog->count, test_catalog.count);
	catalog_destroy(catalog);

	assert_int_equal(catalog_load(worker, "/elsewhere", &catalog, &why), -EIO);
	assert_non_null(strstr(why, "it failed"));
	free(why);
	make_worker(worker, sizeof worker, dir, "echo nonsense");
	assert_int_equal(catalog_load(worker, "/modules", &catalog, &why), -EBADMSG);
	free(why);
	make_worker(worker, sizeof worker, dir, "exec cat /dev/zero");
	assert_int_equal(catalog_load(worker, "/modules", &catalog, &why), -EFBIG);
	free(why);
	make_worker(worker, sizeof worker, dir, "printf '\\033[31mred\\n' >&2; yes >&2; echo end");
	assert_logged(worker, "<4>catalog: ?[31mred\n<4>catalog: y\n");
	assert_int_equal(unlink(worker), 0);
	assert_int_equal(catalog_load(worker, "/modules", &catalog, &why), -ENOENT);
	free(why);
	unlink(answer);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_description_is_read_back),
		cmocka_unit_test(a_description_cut_anywhere_is_refused),
		cmocka_unit_test(tables_that_contradict_themselves_are_refused),
		cmocka_unit_test(a_driver_is_described_in_words),
		cmocka_unit_test(a_worker_describes_its_drivers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

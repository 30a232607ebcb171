/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/describe.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "record/encode.h"
#include "wire/exit.h"
#include "worker/describe.h"
#include "worker/module.h"
#include "worker/sha256.h"

#define SUFFIX ".so"

struct catalog_writer {
	const char *dir;
	struct buffer drivers, errors; /* encoded items */
	size_t driver_count, error_count;
};

static void put_problem(struct catalog_writer *w, const char *name, const char *text)
{
	struct map map;
	map_open(&map, &w->errors);
	map_text(&map, "file", name);
	map_text(&map, "text", text);
	map_close(&map);
	w->error_count++;
}

/* --- settings --------------------------------------------------------------------------------- */

static void put_settings(struct buffer *to, const struct assay_setting *table);

static void put_setting(struct buffer *to, const struct assay_setting *s)
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
		size_t n = 0;
		while (s->choices[n] != NULL)
			n++;
		map_key(&map, "choices");
		encode_array(to, n);
		for (size_t i = 0; i < n; i++)
			encode_text(to, s->choices[i]);
	}
	if (s->columns != NULL) {
		map_key(&map, "columns");
		put_settings(to, s->columns);
	}
	map_text(&map, "fallback", s->fallback);
	map_text(&map, "help", s->help);
	map_close(&map);
}

static void put_settings(struct buffer *to, const struct assay_setting *table)
{
	size_t n = 0;
	while (table != NULL && table[n].name != NULL)
		n++;
	encode_array(to, n);
	for (size_t i = 0; i < n; i++)
		put_setting(to, &table[i]);
}

/* --- drivers ---------------------------------------------------------------------------------- */

static void put_link_defaults(struct map *map, const struct assay_link_defaults *list)
{
	size_t n = 0;
	while (list != NULL && list[n].link != 0)
		n++;
	map_key(map, "link_defaults");
	encode_array(map->to, n);
	for (size_t i = 0; i < n; i++) {
		struct map inner;
		map_open(&inner, map->to);
		map_uint(&inner, "link", list[i].link);
		map_text(&inner, "defaults", list[i].defaults);
		map_close(&inner);
	}
}

static void put_driver(struct catalog_writer *w, const struct assay_driver *driver,
	const uint8_t digest[SHA256_BYTES])
{
	struct map map;
	map_open(&map, &w->drivers);
	map_text(&map, "name", driver->name);
	map_text(&map, "version", driver->version);
	map_text(&map, "summary", driver->summary);
	map_text(&map, "technique", driver->technique);
	map_text(&map, "make", driver->make != NULL ? driver->make : "");
	map_uint(&map, "links", driver->links);
	put_link_defaults(&map, driver->link_defaults);
	map_bool(&map, "has_make_safe", driver->make_safe != NULL);
	map_bool(&map, "has_check", driver->check != NULL);
	map_bytes(&map, "sha256", digest, SHA256_BYTES);
	map_key(&map, "settings");
	put_settings(map.to, driver->settings);
	map_close(&map);
	w->driver_count++;
}

static int hash_file(const char *path, uint8_t digest[SHA256_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0) {
		int error = fd < 0 || st.st_size != 0 ? errno : EINVAL;
		if (fd >= 0)
			close(fd);
		return -error;
	}
	void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	int r = data == MAP_FAILED ? -errno : sha256(data, (size_t)st.st_size, digest);
	if (data != MAP_FAILED)
		munmap(data, (size_t)st.st_size);
	close(fd);
	return r;
}

static void describe(struct catalog_writer *w, const char *name)
{
	struct module module;
	char why[MODULE_WHY], file[80];
	uint8_t digest[SHA256_BYTES];
	snprintf(file, sizeof file, "%.60s" SUFFIX, name);
	if (module_open(&module, w->dir, name, why) < 0) {
		put_problem(w, file, why);
		return;
	}
	int r = hash_file(module.path, digest);
	if (r < 0)
		put_problem(w, file, strerror(-r));
	else
		put_driver(w, module.driver, digest);
	module_close(&module);
}

static int is_module(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len > strlen(SUFFIX) && strcmp(entry->d_name + len - strlen(SUFFIX), SUFFIX) == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The modules' constructors run while they are loaded. */
static int confine_loading(const struct catalog_writer *w, const char *const *names, size_t count)
{
	struct confine confine;
	int r = sha256_load();
	if (r < 0)
		return r;
	r = module_confine(&confine, w->dir, names, count);
	confine_finish(&confine);
	return r;
}

static int describe_all(struct catalog_writer *w, const char *const *names, size_t count)
{
	int r = confine_loading(w, names, count);
	if (r < 0) {
		fprintf(stderr, "assay-worker: it cannot be confined: %s\n", strerror(-r));
		return WIRE_EXIT_SETUP;
	}
	for (size_t i = 0; i < count; i++)
		describe(w, names[i]);
	return 0;
}

static int describe_folder(struct catalog_writer *w)
{
	struct dirent **entries;
	int n = scandir(w->dir, &entries, is_module, by_name);
	if (n < 0) {
		fprintf(stderr, "assay-worker: %s: %s\n", w->dir, strerror(errno));
		return WIRE_EXIT_USAGE;
	}
	const char **names = calloc((size_t)n + 1, sizeof *names);
	for (int i = 0; i < n && names != NULL; i++) {
		names[i] = entries[i]->d_name;
		entries[i]->d_name[strlen(names[i]) - strlen(SUFFIX)] = '\0';
	}
	int code = names != NULL ? describe_all(w, names, (size_t)n) : WIRE_EXIT_MEMORY;
	free(names);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	return code;
}

/* --- the output ------------------------------------------------------------------------------- */

static int print(const struct catalog_writer *w)
{
	struct buffer out = {.limit = DESCRIBE_BYTES_MAX};
	struct map map;
	map_open(&map, &out);
	map_uint(&map, "version", DESCRIBE_VERSION);
	map_key(&map, "drivers");
	encode_array(&out, w->driver_count);
	encode_raw(&out, w->drivers.data, w->drivers.len);
	map_key(&map, "errors");
	encode_array(&out, w->error_count);
	encode_raw(&out, w->errors.data, w->errors.len);
	map_close(&map);
	bool failed = out.failed || w->drivers.failed || w->errors.failed;
	if (!failed)
		failed = fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0;
	buffer_finish(&out);
	if (failed)
		fprintf(stderr, "assay-worker: cannot write the output\n");
	return failed ? WIRE_EXIT_MEMORY : WIRE_EXIT_CLEAN;
}

int describe_drivers(const char *dir, const char *const *names, size_t count)
{
	struct catalog_writer w = {.dir = dir};
	int code = count == 0 ? describe_folder(&w) : describe_all(&w, names, count);
	if (code == 0)
		code = print(&w);
	buffer_finish(&w.drivers);
	buffer_finish(&w.errors);
	return code;
}

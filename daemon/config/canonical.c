/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/canonical.h"
#include "config/sections.h"
#include "record/encode.h"

static void open_part(struct map *map, const char *key, struct map *part)
{
	map_key(map, key);
	map_open(part, map->to);
}

static void add_map(struct map *map, const char *key, struct assay_span value)
{
	map_key(map, key);
	if (value.len != 0)
		encode_raw(map->to, value.data, value.len);
	else
		encode_map(map->to, 0);
}

/* Zero is the default, or does not apply: left out. */
static void add_number(struct map *map, const char *key, uint64_t value)
{
	if (value != 0)
		map_uint(map, key, value);
}

static void add_calibration(struct map *map, const struct config_calibration *calibration)
{
	struct map part;
	open_part(map, "calibration", &part);
	map_text(&part, "id", calibration->id);
	add_number(&part, "from", calibration->from);
	add_number(&part, "to", calibration->to);
	if (calibration->holds_for.len > 0)
		add_map(&part, "holds_for", calibration->holds_for);
	map_close(&part);
}

void canonical_instrument(struct load *load, struct config_instrument *ins)
{
	static const char *const modes[] = {"on-demand", "repeat", "continuous"};
	static const char *const raws[] = {"keep", "hash", "off"};
	struct buffer to = {0};
	struct map map, part;
	map_open(&map, &to);
	map_text(&map, "key", ins->key);
	map_text(&map, "driver", ins->driver->name);
	map_bool(&map, "simulated", ins->simulated);
	map_text(&map, "technique", ins->technique);
	open_part(&map, "link", &part);
	port_write(&part, &ins->port);
	add_number(&part, "unit_id", ins->unit_id);
	map_close(&part);
	open_part(&map, "identity", &part);
	map_text(&part, "make", ins->identity.make);
	map_text(&part, "model", ins->identity.model);
	map_text(&part, "serial", ins->identity.serial);
	map_text(&part, "asset", ins->identity.asset);
	map_text(&part, "otherwise", ins->identity.flag_otherwise ? "flag" : "refuse");
	map_close(&part);
	open_part(&map, "acquire", &part);
	map_text(&part, "mode", modes[ins->acquire.mode]);
	add_number(&part, "every", ins->acquire.every_ns);
	add_number(&part, "new_run", ins->acquire.new_run_ns);
	add_number(&part, "frames", ins->acquire.frames);
	map_close(&part);
	map_text(&map, "raw", raws[ins->raw]);
	add_map(&map, "settings", ins->settings);
	add_map(&map, "setup", ins->setup);
	add_calibration(&map, &ins->calibration);
	map_close(&map);
	ins->canonical = load_keep(load, &to);
}

void canonical_method(struct load *load, struct config_method *method)
{
	struct buffer to = {0};
	struct map map;
	map_open(&map, &to);
	map_text(&map, "id", method->id);
	map_text(&map, "version", method->version);
	map_text(&map, "driver", method->driver);
	add_map(&map, "setup", method->setup);
	map_key(&map, "steps");
	encode_array(&to, method->step_count);
	for (size_t i = 0; i < method->step_count; i++) {
		struct map step;
		map_open(&step, &to);
		map_text(&step, "name", method->steps[i].name);
		add_map(&step, "settings", method->steps[i].settings);
		if (method->steps[i].calibration != NULL)
			add_calibration(&step, method->steps[i].calibration);
		map_close(&step);
	}
	map_close(&map);
	SHA256(to.data, to.len, method->sha256);
	method->canonical = load_keep(load, &to);
}

static int by_key(const void *a, const void *b)
{
	const struct config_instrument *const *x = a, *const *y = b;
	return strcmp((*x)->key, (*y)->key);
}

static int by_id(const void *a, const void *b)
{
	const struct config_method *const *x = a, *const *y = b;
	return strcmp((*x)->id, (*y)->id);
}

static void add_instruments(struct load *load, struct map *map)
{
	size_t count = load->config->instrument_count;
	const struct config_instrument **sorted = arena_array(load->arena, count, sizeof *sorted);
	if (sorted == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &load->config->instruments[i];
	qsort(sorted, count, sizeof *sorted, by_key);
	map_key(map, "instruments");
	encode_array(map->to, count);
	for (size_t i = 0; i < count; i++)
		encode_raw(map->to, sorted[i]->canonical.data, sorted[i]->canonical.len);
}

static void add_methods(struct load *load, struct map *map)
{
	size_t count = load->config->method_count;
	const struct config_method **sorted = arena_array(load->arena, count, sizeof *sorted);
	if (sorted == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &load->config->methods[i];
	qsort(sorted, count, sizeof *sorted, by_id);
	map_key(map, "methods");
	encode_array(map->to, count);
	for (size_t i = 0; i < count; i++) {
		struct map method;
		map_open(&method, map->to);
		map_text(&method, "id", sorted[i]->id);
		map_text(&method, "version", sorted[i]->version);
		map_bytes(&method, "sha256", sorted[i]->sha256, sizeof sorted[i]->sha256);
		map_close(&method);
	}
}

/* Nothing without them, so that the hash of a configuration from before them stays. */
static void add_remote(struct map *map, const struct config *config)
{
	struct map part;
	for (size_t i = 0; i < CONFIG_ROLES; i++) {
		char name[24];
		snprintf(name, sizeof name, "listen_%s", config_roles[i]);
		map_text(map, name, config->listen[i]);
	}
	map_text(map, "server_key", config->server_key);
	if (config->key_count == 0)
		return;
	open_part(map, "authorised_keys", &part);
	for (size_t i = 0; i < config->key_count; i++) {
		const struct config_key *key = &config->keys[i];
		struct map entry;
		open_part(&part, key->name, &entry);
		map_bytes(&entry, "key", key->key, sizeof key->key);
		map_uint(&entry, "roles", key->roles);
		map_close(&entry);
	}
	map_close(&part);
}

static void add_daemon(struct map *map, const struct config *config)
{
	struct map part, keep;
	open_part(map, "laboratory", &part);
	map_text(&part, "site", config->site);
	map_text(&part, "node", config->node);
	if (strcmp(config->timezone, "UTC") != 0)
		map_text(&part, "timezone", config->timezone);
	map_bool(&part, "require_sample", (config->require & CONFIG_REQUIRE_SAMPLE) != 0);
	map_bool(&part, "require_operator", (config->require & CONFIG_REQUIRE_OPERATOR) != 0);
	map_bool(&part, "require_method", (config->require & CONFIG_REQUIRE_METHOD) != 0);
	map_text(&part, "sample_pattern", config->sample_pattern);
	map_text(&part, "sample_example", config->sample_example);
	map_close(&part);
	open_part(map, "journal", &part);
	map_text(&part, "path", config->journal_path);
	map_text(&part, "known", config->journal_known);
	if (config->sync_always)
		map_text(&part, "sync", "always");
	else
		map_uint(&part, "sync", config->sync_ns);
	if (config->keep.age_ns == 0 && config->keep.size == 0) {
		map_text(&part, "keep", "forever");
	} else {
		open_part(&part, "keep", &keep);
		add_number(&keep, "age", config->keep.age_ns);
		add_number(&keep, "size", config->keep.size);
		map_close(&keep);
	}
	map_uint(&part, "reserve", config->reserve);
	map_uint(&part, "segment", config->segment_size);
	map_close(&part);
	open_part(map, "sockets", &part);
	map_text(&part, "live", config->live);
	map_text(&part, "replay", config->replay);
	map_text(&part, "control", config->control);
	add_remote(&part, config);
	map_close(&part);
}

void canonical_config(struct load *load)
{
	struct config *config = load->config;
	struct buffer to = {0};
	struct map map;
	map_open(&map, &to);
	map_uint(&map, "v", 1);
	add_daemon(&map, config);
	add_instruments(load, &map);
	add_methods(load, &map);
	map_close(&map);
	SHA256(to.data, to.len, config->sha256);
	config->canonical = load_keep(load, &to);
}

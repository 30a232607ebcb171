/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "config/canonical.h"
#include "record/encode.h"

/* Moves the bytes into the arena. */
static const uint8_t *keep(struct load *load, struct buffer *from, size_t *len)
{
	const uint8_t *bytes = from->failed ? NULL : arena_copy(load->arena, from->data, from->len);
	load->arena->failed |= from->failed;
	*len = bytes != NULL ? from->len : 0;
	buffer_finish(from);
	return bytes;
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

static void add_link(struct map *map, const struct config_instrument *ins)
{
	struct map link;
	map_key(map, "link");
	map_open(&link, map->to);
	port_write(&link, &ins->port);
	add_number(&link, "unit_id", ins->unit_id);
	map_close(&link);
}

static void add_identity(struct map *map, const struct config_instrument *ins)
{
	struct map identity;
	map_key(map, "identity");
	map_open(&identity, map->to);
	map_text(&identity, "make", ins->identity.make);
	map_text(&identity, "model", ins->identity.model);
	map_text(&identity, "serial", ins->identity.serial);
	map_text(&identity, "asset", ins->identity.asset);
	map_text(&identity, "otherwise", ins->identity.flag_otherwise ? "flag" : "refuse");
	map_close(&identity);
}

static void add_acquire(struct map *map, const struct config_instrument *ins)
{
	static const char *const modes[] = {"on-demand", "repeat", "continuous"};
	struct map acquire;
	map_key(map, "acquire");
	map_open(&acquire, map->to);
	map_text(&acquire, "mode", modes[ins->acquire.mode]);
	add_number(&acquire, "every", ins->acquire.every_ns);
	add_number(&acquire, "new_run", ins->acquire.new_run_ns);
	add_number(&acquire, "frames", ins->acquire.frames);
	map_close(&acquire);
}

static void add_calibration(struct map *map, const struct config_instrument *ins)
{
	struct map calibration;
	map_key(map, "calibration");
	map_open(&calibration, map->to);
	map_text(&calibration, "id", ins->calibration.id);
	add_number(&calibration, "from", ins->calibration.from);
	add_number(&calibration, "to", ins->calibration.to);
	map_close(&calibration);
}

void canonical_instrument(struct load *load, struct config_instrument *ins)
{
	static const char *const raws[] = {"keep", "hash", "off"};
	struct buffer to = {0};
	struct map map;
	map_open(&map, &to);
	map_text(&map, "key", ins->key);
	map_text(&map, "driver", ins->driver->name);
	map_bool(&map, "simulated", ins->simulated);
	map_text(&map, "technique", ins->technique);
	add_link(&map, ins);
	add_identity(&map, ins);
	add_acquire(&map, ins);
	map_text(&map, "raw", raws[ins->raw]);
	add_map(&map, "settings", ins->settings);
	add_map(&map, "setup", ins->setup);
	add_calibration(&map, ins);
	map_close(&map);
	ins->canonical = keep(load, &to, &ins->canonical_len);
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
		map_close(&step);
	}
	map_close(&map);
	SHA256(to.data, to.len, method->sha256);
	method->canonical = keep(load, &to, &method->canonical_len);
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
		encode_raw(map->to, sorted[i]->canonical, sorted[i]->canonical_len);
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

static void add_laboratory(struct map *map, const struct config *config)
{
	struct map lab;
	map_key(map, "laboratory");
	map_open(&lab, map->to);
	map_text(&lab, "site", config->site);
	map_text(&lab, "node", config->node);
	map_bool(&lab, "require_sample", (config->require & CONFIG_REQUIRE_SAMPLE) != 0);
	map_bool(&lab, "require_operator", (config->require & CONFIG_REQUIRE_OPERATOR) != 0);
	map_bool(&lab, "require_method", (config->require & CONFIG_REQUIRE_METHOD) != 0);
	map_text(&lab, "sample_pattern", config->sample_pattern);
	map_text(&lab, "sample_example", config->sample_example);
	map_close(&lab);
}

static void add_keep(struct map *journal, const struct config *config)
{
	struct map keep;
	if (config->keep.age_ns == 0 && config->keep.size == 0) {
		map_text(journal, "keep", "forever");
		return;
	}
	map_key(journal, "keep");
	map_open(&keep, journal->to);
	if (config->keep.age_ns != 0)
		map_uint(&keep, "age", config->keep.age_ns);
	if (config->keep.size != 0)
		map_uint(&keep, "size", config->keep.size);
	map_close(&keep);
}

static void add_daemon(struct map *map, const struct config *config)
{
	struct map part;
	map_key(map, "journal");
	map_open(&part, map->to);
	map_text(&part, "path", config->journal_path);
	if (config->sync_always)
		map_text(&part, "sync", "always");
	else
		map_uint(&part, "sync", config->sync_ns);
	add_keep(&part, config);
	map_uint(&part, "reserve", config->reserve);
	map_uint(&part, "segment", config->segment_size);
	map_close(&part);
	map_key(map, "sockets");
	map_open(&part, map->to);
	map_text(&part, "live", config->live);
	map_text(&part, "replay", config->replay);
	map_text(&part, "control", config->control);
	map_close(&part);
}

void canonical_config(struct load *load)
{
	struct config *config = load->config;
	struct buffer to = {0};
	struct map map;
	map_open(&map, &to);
	map_uint(&map, "v", 1);
	add_laboratory(&map, config);
	add_daemon(&map, config);
	add_instruments(load, &map);
	add_methods(load, &map);
	map_close(&map);
	SHA256(to.data, to.len, config->sha256);
	config->canonical = keep(load, &to, &config->canonical_len);
}

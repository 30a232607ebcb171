/* SPDX-License-Identifier: Apache-2.0 */
/* The laboratory's configuration, and its changes. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <assay/driver.h>

#include "world.h"

struct site site;

static void put_setting(
	struct buffer *to, const char *name, unsigned type, const char *unit, const char *fallback)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "name", name);
	map_uint(&map, "type", type);
	map_uint(&map, "flags", ASSAY_LIVE);
	if (unit != NULL)
		map_text(&map, "unit", unit);
	map_text(&map, "fallback", fallback);
	map_text(&map, "help", "for the simulation");
	map_close(&map);
}

/* wire/describe.h: one driver, with two settings. */
static void write_catalog(void)
{
	struct buffer catalog = {0};
	struct map map, driver;
	uint8_t sha256[32] = {1, 2, 3};
	map_open(&map, &catalog);
	map_uint(&map, "version", 1);
	map_key(&map, "drivers");
	encode_array(&catalog, 1);
	map_open(&driver, &catalog);
	map_text(&driver, "name", "probe");
	map_text(&driver, "version", "1");
	map_text(&driver, "summary", "an instrument of the simulation");
	map_text(&driver, "technique", "xrf");
	map_text(&driver, "make", "Sim");
	map_uint(&driver, "links", ASSAY_LINK_NONE | ASSAY_LINK_MODBUS_TCP);
	map_key(&driver, "link_defaults");
	encode_array(&catalog, 0);
	map_bool(&driver, "has_make_safe", true);
	map_bytes(&driver, "sha256", sha256, sizeof sha256);
	map_key(&driver, "settings");
	encode_array(&catalog, 2);
	put_setting(&catalog, "preset_time", ASSAY_NUMBER, "s", "10 s");
	put_setting(&catalog, "level", ASSAY_INT, NULL, "1");
	map_close(&driver);
	map_key(&map, "errors");
	encode_array(&catalog, 0);
	map_close(&map);
	assert(!catalog.failed && catalog.len < sizeof site.catalog);
	memcpy(site.catalog, catalog.data, catalog.len);
	site.catalog_len = catalog.len;
	buffer_finish(&catalog);
}

static void write_instrument(FILE *to, const struct site_instrument *one, size_t unit)
{
	static const char *const modes[] = {"on-demand", "repeat", "continuous"};
	fprintf(to, "  %s: {driver: probe, ", one->key);
	if (one->host != 0)
		fprintf(to, "link: {type: modbus-tcp, host: 192.0.2.%u, unit_id: %zu}", one->host,
			unit + 1);
	else
		fprintf(to, "link: {type: none}");
	fprintf(to, ", simulated: %s, identity: {serial: %s}, acquire: {mode: %s",
		one->simulated ? "true" : "false", one->serial, modes[one->mode]);
	if (one->mode != CONFIG_CONTINUOUS)
		fprintf(to, ", frames: %u", one->frames);
	else
		fprintf(to, ", new_run: %u s", one->new_run_s);
	fprintf(to, ", every: %u s}, settings: {level: %u}}\n", one->every_s, one->level);
}

static void write_method(FILE *to)
{
	fprintf(to, "methods:\n  %s: {version: 1, driver: probe, steps: [", SITE_METHOD);
	for (unsigned i = 1; i <= site.steps; i++)
		fprintf(to, "%s{name: s-%u, settings: {level: %u}}", i > 1 ? ", " : "", i, i);
	fprintf(to, "]}\n");
}

static void write_file(bool with_error)
{
	site.is_wrong = with_error;
	FILE *to = fopen(site.path, "w");
	assert(to != NULL);
	fprintf(to, "laboratory: {site: lab, node: bench-1%s}\n",
		site.requires_sample ? ", require: [sample]" : "");
	fprintf(to,
		"journal: {path: %s, known: %s/elsewhere, reserve: %u MiB, segment: %u KiB, sync: ",
		SYSTEM_STATE, SYSTEM_STATE, site.reserve_mib, site.segment_kib);
	if (site.always)
		fprintf(to, "always}\n");
	else
		fprintf(to, "%u ms}\n", site.sync_ms);
	fprintf(to, "sockets: {dir: /run/sim}\ninstruments:\n");
	for (size_t i = 0; i < site.count; i++)
		write_instrument(to, &site.list[i], i);
	if (with_error)
		fprintf(to, "  %s: {driver: prob}\n", site.list[0].key);
	write_method(to);
	int r = fclose(to);
	assert(r == 0);
	(void)r;
}

static struct site_instrument draw(unsigned number)
{
	bool is_large = dice_one_in(25); /* its frames are, and come often */
	struct site_instrument one = {
		.mode = (enum config_mode)dice(3),
		.simulated = dice_one_in(2),
		.host = dice_one_in(2) ? 1 + (unsigned)dice(2) : 0,
		.frames = 1 + (unsigned)dice(4),
		.every_s = (unsigned)(is_large ? dice_time(4, 20) : dice_time(8, 600)),
		.new_run_s = (unsigned)dice_time(120, 4 * 3600),
		.level = 1 + (unsigned)dice(9),
		.frame_bytes = is_large ? SITE_FRAME_MAX : 600,
	};
	snprintf(one.key, sizeof one.key, "i-%u", number);
	snprintf(one.serial, sizeof one.serial, "SN%04u", number);
	return one;
}

const struct site_instrument *site_find(const char *key)
{
	for (size_t i = 0; i < site.count; i++) {
		if (strcmp(site.list[i].key, key) == 0)
			return &site.list[i];
	}
	return NULL;
}

/* --- the configuration that the daemon has --------------------------------------------------- */

static struct site in_force;
static uint64_t in_force_since, changed_at, starts_at;

void site_starts(void)
{
	starts_at = now_boot();
}

/* Of a change while it starts it is not known on which side of the reading it fell. */
void site_audited(const char *event)
{
	bool started = strcmp(event, "start") == 0;
	bool loaded = started || strcmp(event, "config") == 0;
	if (started && changed_at > starts_at) {
		in_force_since = NEVER;
	} else if (loaded && !site.is_wrong) {
		in_force = site;
		in_force_since = now_boot();
	} else if (strcmp(event, "reload-refused") == 0) {
		in_force_since = NEVER;
	}
}

const struct site_instrument *site_in_force(const char *key)
{
	for (size_t i = 0; i < in_force.count; i++) {
		if (strcmp(in_force.list[i].key, key) == 0)
			return &in_force.list[i];
	}
	return NULL;
}

uint64_t site_in_force_since(void)
{
	return in_force_since;
}

/* --- changes --------------------------------------------------------------------------------- */

void site_change(bool with_error)
{
	in_force_since = NEVER;
	changed_at = now_boot();
	switch (dice(4)) {
	case 0: /* one comes */
		for (unsigned n = 1; site.count < SITE_INSTRUMENTS_MAX; n++) {
			struct site_instrument one = draw(n);
			if (site_find(one.key) != NULL)
				continue;
			site.list[site.count++] = one;
			break;
		}
		break;
	case 1: /* one goes */
		if (site.count > 1)
			site.list[dice(site.count)] = site.list[site.count - 1], site.count--;
		break;
	case 2: /* one measures in another way, or has another port */
	case 3: {
		struct site_instrument *one = &site.list[dice(site.count)];
		struct site_instrument other = draw(0);
		memcpy(other.key, one->key, sizeof other.key);
		memcpy(other.serial, one->serial, sizeof other.serial);
		other.simulated = one->simulated;
		*one = other;
	}
	}
	write_file(with_error);
}

void site_mend(void)
{
	write_file(false);
}

void site_open(void)
{
	site = (struct site){
		.count = 1 + dice(4),
		.always = !dice_one_in(5),
		.sync_ms = (unsigned)dice_time(50, 5000),
		.segment_kib = (unsigned)dice_time(64, 2048),
		.reserve_mib = 1,
		.requires_sample = dice_one_in(2),
		.steps = 2 + (unsigned)dice(2),
	};
	for (size_t i = 0; i < site.count; i++)
		site.list[i] = draw((unsigned)i + 1);
	snprintf(site.path, sizeof site.path, "/tmp/assay-sim-XXXXXX");
	int fd = mkstemp(site.path);
	assert(fd >= 0);
	close(fd);
	in_force_since = NEVER;
	write_catalog();
	write_file(false);
}

void site_close(void)
{
	unlink(site.path);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "config/quantity.h"
#include "config/sections.h"

#define PATH_DEFAULT    "/var/lib/assayd"
#define RESERVE_DEFAULT (UINT64_C(1) << 30)
#define SEGMENT_DEFAULT (UINT64_C(64) << 20)
#define SEGMENT_MIN     (UINT64_C(64) << 10)
#define SEGMENT_MAX     (UINT64_C(4) << 30)
#define SYNC_S_MIN      0.01
#define SYNC_S_MAX      60
#define AGE_S_MIN       3600.0
#define AGE_S_MAX       6.4e9 /* 200 years */

struct journal_section {
	const char *path;
	const struct node *sync, *keep;
	uint64_t reserve, segment;
};

struct journal_keep {
	uint64_t age_ns, size;
};

const struct field journal_keep_fields[] = {
	{"age", FIELD_DURATION, 0, offsetof(struct journal_keep, age_ns), AGE_S_MIN, AGE_S_MAX,
		.help = "what is older may be removed: 10 y, 26 wk, 90 d"},
	{"size", FIELD_SIZE, 0, offsetof(struct journal_keep, size), 2 * SEGMENT_MIN, 0x1p60,
		.help = "while the journal is larger, its oldest part may be removed: 200 GiB"},
	{0},
};

const struct field journal_fields[] = {
	{"path", FIELD_PATH, 0, offsetof(struct journal_section, path),
		.help = "folder of the journal; /var/lib/assayd when not said"},
	{"sync", FIELD_NODE, 0, offsetof(struct journal_section, sync),
		.help = "always (the default: what is published survives a power cut), or a time "
			"such as 1s at which the disk is synced"},
	{"keep", FIELD_NODE, 0, offsetof(struct journal_section, keep),
		.help = "forever (the default: nothing is ever removed), or age, size or both, "
			"beyond which closed files may go that are archived and that every durable "
			"cursor has passed"},
	{"reserve", FIELD_SIZE, 0, offsetof(struct journal_section, reserve),
		.help = "space kept free on the disk, below which no run is started; 1 GiB when "
			"not said"},
	{"segment", FIELD_SIZE, 0, offsetof(struct journal_section, segment), SEGMENT_MIN,
		SEGMENT_MAX,
		.help = "size at which a file of the journal is closed, and can then be archived; "
			"64 MiB when not said"},
	{0},
};

static void read_sync(struct load *load, const struct node *sync)
{
	char found[80], why[QUANTITY_TEXT];
	bool is_text = sync->type == NODE_SCALAR;
	if (is_text && strcmp(sync->text, "always") == 0)
		return;
	double seconds = 0;
	bool is_time = is_text && quantity_read(sync->text, "s", &seconds, why) == 0;
	if (!is_time || seconds < SYNC_S_MIN || seconds > SYNC_S_MAX) {
		load_error(load, sync->mark,
			"found %s, expected always, or a time from 10 ms to 60 s such as 1s",
			node_found(sync, found, sizeof found));
		return;
	}
	load->config->sync_always = false;
	load->config->sync_ns = (uint64_t)llround(seconds * 1e9);
}

/* The open file is never removed: a journal that may not hold two would never get so small. */
static void check_size(struct load *load, const struct node *size)
{
	uint64_t least = 2 * load->config->segment_size;
	if (load->config->keep.size != 0 && load->config->keep.size < least)
		load_error(load, size->mark,
			"found '%.60s', expected room for two files of the journal: %.6g MiB",
			size->text, (double)least / 0x1p20);
}

static void read_keep(struct load *load, const struct node *node)
{
	struct journal_keep keep = {0};
	char found[80];
	if (node->type == NODE_SCALAR && strcmp(node->text, "forever") == 0)
		return;
	if (node->type != NODE_MAP) {
		load_error(load, node->mark,
			"found %s, expected forever, or what may go, such as {age: 10 y} or "
			"{size: 200 GiB}",
			node_found(node, found, sizeof found));
		return;
	}
	if (node->first == NULL) {
		load_error(load, node->mark, "found nothing, expected age, size or both");
		return;
	}
	fields_read(load, node, "keep", node->mark, journal_keep_fields, &keep);
	load->config->keep.age_ns = keep.age_ns;
	load->config->keep.size = keep.size;
	for (const struct node *child = node->first; child != NULL; child = child->next) {
		if (strcmp(child->key, "size") == 0)
			check_size(load, child);
	}
}

void journal_read(struct load *load, const struct node *map)
{
	struct journal_section journal = {
		.path = PATH_DEFAULT, .reserve = RESERVE_DEFAULT, .segment = SEGMENT_DEFAULT};
	struct config_mark where = {0};
	fields_read(load, map, "journal", where, journal_fields, &journal);
	struct config *config = load->config;
	config->journal_path = journal.path;
	config->reserve = journal.reserve;
	config->segment_size = journal.segment;
	config->sync_always = true;
	if (journal.sync != NULL)
		read_sync(load, journal.sync);
	if (journal.keep != NULL)
		read_keep(load, journal.keep);
}

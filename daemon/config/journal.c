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
	const char *path, *known;
	const struct node *sync, *keep;
	uint64_t reserve, segment;
};

struct journal_keep {
	uint64_t age_ns, size;
};

const struct field journal_keep_fields[] = {
	{"age", FIELD_DURATION, 0, offsetof(struct journal_keep, age_ns), AGE_S_MIN, AGE_S_MAX,
		.help = "older records may be removed: 10 y, 26 wk, 90 d"},
	{"size", FIELD_SIZE, 0, offsetof(struct journal_keep, size), 2 * SEGMENT_MIN, 0x1p60,
		.help = "while the journal is larger, its oldest part may be removed: 200 GiB"},
	{0},
};

const struct field journal_fields[] = {
	{"path", FIELD_PATH, 0, offsetof(struct journal_section, path),
		.help = "folder of the journal; default /var/lib/assayd"},
	{"known", FIELD_PATH, 0, offsetof(struct journal_section, known),
		.help = "folder on another disk that notes which journal is in use, so that one is "
			"missed whose disk is not mounted; default below /var/lib/assayd-known"},
	{"sync", FIELD_NODE, 0, offsetof(struct journal_section, sync),
		.help = "always (the default: a published record survives a power cut), or the "
			"longest time between two syncs of the disk, such as 1s"},
	{"keep", FIELD_NODE, 0, offsetof(struct journal_section, keep),
		.help = "forever (the default), or age, size or both: closed files beyond them may "
			"be removed if they are archived and every durable cursor has passed them"},
	{"reserve", FIELD_SIZE, 0, offsetof(struct journal_section, reserve),
		.help = "space kept free on the disk: with less no run is started; default 1 GiB"},
	{"segment", FIELD_SIZE, 0, offsetof(struct journal_section, segment), SEGMENT_MIN,
		SEGMENT_MAX,
		.help = "size at which a file of the journal is closed, and can then be archived; "
			"default 64 MiB"},
	{0},
};

static void read_sync(struct load *load, const struct node *sync)
{
	char why[QUANTITY_TEXT];
	double seconds;
	const char *text = sync->type == NODE_SCALAR ? sync->text : "";
	if (strcmp(text, "always") == 0)
		return;
	if (quantity_read(text, "s", &seconds, why) < 0 || seconds < SYNC_S_MIN ||
		seconds > SYNC_S_MAX) {
		load_found(load, sync, "expected always, or a time from 10 ms to 60 s such as 1s");
		return;
	}
	load->config->sync_always = false;
	load->config->sync_ns = (uint64_t)llround(seconds * 1e9);
}

static void read_keep(struct load *load, const struct node *node)
{
	struct journal_keep keep = {0};
	if (node->type == NODE_SCALAR && strcmp(node->text, "forever") == 0)
		return;
	if (node->type != NODE_MAP) {
		load_found(load, node,
			"expected forever, or a limit such as {age: 10 y} or {size: 200 GiB}");
		return;
	}
	if (node->first == NULL) {
		load_error(load, node->mark, "found nothing, expected age, size or both");
		return;
	}
	fields_read(load, node, "keep", node->mark, journal_keep_fields, &keep);
	load->config->keep.age_ns = keep.age_ns;
	load->config->keep.size = keep.size;
	/* The open file is never removed: a journal without room for two would never fit. */
	uint64_t least = 2 * load->config->segment_size;
	const struct node *size = node_get(node, "size");
	if (keep.size != 0 && keep.size < least)
		load_found(load, size, "expected room for two files of the journal: %.6g MiB",
			(double)least / 0x1p20);
}

void journal_read(struct load *load, const struct node *map)
{
	struct journal_section journal = {
		.path = PATH_DEFAULT, .reserve = RESERVE_DEFAULT, .segment = SEGMENT_DEFAULT};
	struct config_mark where = {0};
	fields_read(load, map, "journal", where, journal_fields, &journal);
	struct config *config = load->config;
	config->journal_path = journal.path;
	config->journal_known = journal.known;
	config->reserve = journal.reserve;
	config->segment_size = journal.segment;
	config->sync_always = true;
	if (journal.sync != NULL)
		read_sync(load, journal.sync);
	if (journal.keep != NULL)
		read_keep(load, journal.keep);
}

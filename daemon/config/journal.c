/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "config/quantity.h"
#include "config/sections.h"

#define PATH_DEFAULT    "/var/lib/assayd"
#define RESERVE_DEFAULT (UINT64_C(1) << 30)
#define SYNC_S_MIN      0.01
#define SYNC_S_MAX      60

struct journal_section {
	const char *path;
	const struct node *sync, *keep;
	uint64_t reserve;
};

const struct field journal_fields[] = {
	{"path", FIELD_PATH, 0, offsetof(struct journal_section, path),
		.help = "folder of the journal; /var/lib/assayd when not said"},
	{"sync", FIELD_NODE, 0, offsetof(struct journal_section, sync),
		.help = "always (the default: what is published survives a power cut), or a time "
			"such as 1s at which the disk is synced",
		.json = "{\"anyOf\":[{\"const\":\"always\"},{\"type\":\"string\",\"pattern\":"
			"\"^[0-9.]+ *(s|ms|min)$\"}]}"},
	{"keep", FIELD_NODE, 0, offsetof(struct journal_section, keep),
		.help = "forever: nothing is ever removed", .json = "{\"const\":\"forever\"}"},
	{"reserve", FIELD_SIZE, 0, offsetof(struct journal_section, reserve),
		.help = "space kept free on the disk, below which no run is started; 1 GiB when "
			"not said"},
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

static void read_keep(struct load *load, const struct node *keep)
{
	char found[80];
	if (keep->type == NODE_SCALAR && strcmp(keep->text, "forever") == 0)
		return;
	load_error(load, keep->mark,
		"found %s, expected forever: this version removes nothing from a journal",
		node_found(keep, found, sizeof found));
}

void journal_read(struct load *load, const struct node *map)
{
	struct journal_section journal = {.path = PATH_DEFAULT, .reserve = RESERVE_DEFAULT};
	struct config_mark where = {0};
	fields_read(load, map, "journal", where, journal_fields, &journal);
	struct config *config = load->config;
	config->journal_path = journal.path;
	config->reserve = journal.reserve;
	config->sync_always = true;
	if (journal.sync != NULL)
		read_sync(load, journal.sync);
	if (journal.keep != NULL)
		read_keep(load, journal.keep);
}

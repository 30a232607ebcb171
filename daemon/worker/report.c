/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/encode.h"
#include "record/read.h"
#include "worker/report.h"
#include "worker/value.h"

#define DEPTH_MAX 12
#define ITEMS_MAX 256

void report_reset(struct report *report)
{
	for (size_t i = 0; i < report->count; i++)
		buffer_finish(&report->items[i].value);
	report->count = 0;
}

void report_finish(struct report *report)
{
	report_reset(report);
	free(report->items);
	*report = (struct report){0};
}

static struct report_item *find(const struct report *report, struct assay_string name)
{
	for (size_t i = 0; i < report->count; i++) {
		if (assay_string_is(name, report->items[i].name))
			return &report->items[i];
	}
	return NULL;
}

static struct report_item *append(struct report *report, const char *name)
{
	if (report->count == ITEMS_MAX)
		return NULL;
	if (report->count == report->size) {
		size_t size = report->size == 0 ? 8 : report->size * 2;
		struct report_item *items = realloc(report->items, size * sizeof *items);
		if (items == NULL)
			return NULL;
		report->items = items;
		report->size = size;
	}
	struct report_item *item = &report->items[report->count++];
	*item = (struct report_item){0};
	snprintf(item->name, sizeof item->name, "%s", name);
	return item;
}

int report_add(struct report *report, const char *name, const struct assay_variable *v)
{
	if (!name_is_valid(string_of(name)) || value_complaint(v) != NULL ||
		v->type == ASSAY_LINEAR)
		return -EINVAL;
	struct report_item *item = find(report, string_of(name));
	if (item == NULL)
		item = append(report, name);
	if (item == NULL)
		return -ENOMEM;
	buffer_reset(&item->value);
	value_encode_setting(&item->value, v);
	return item->value.failed ? -ENOMEM : 0;
}

void report_drop(struct report *report, const char *name)
{
	struct report_item *item = find(report, string_of(name));
	if (item == NULL)
		return;
	buffer_finish(&item->value);
	*item = report->items[--report->count];
}

static void put_item(struct map *map, const struct report_item *item)
{
	map_key(map, item->name);
	encode_raw(map->to, item->value.data, item->value.len);
}

/* The sent settings in their order; marks in `used` the items that replace one. */
static int merge_sent(struct reader *r, const struct report *report, struct map *map, bool *used)
{
	size_t pairs;
	if (read_map(r, &pairs) < 0)
		return -EBADMSG;
	while (pairs-- > 0) {
		struct assay_string name;
		struct assay_span raw;
		if (read_key(r, &name) < 0 || read_raw(r, &raw) < 0)
			return -EBADMSG;
		const struct report_item *item = find(report, name);
		if (item != NULL) {
			used[item - report->items] = true;
			put_item(map, item);
			continue;
		}
		map->pairs++;
		encode_text_n(map->to, name.data, name.len);
		encode_raw(map->to, raw.data, raw.len);
	}
	return read_finish(r);
}

int report_merge(const struct report *report, const uint8_t *sent, size_t len, struct buffer *out)
{
	bool used[ITEMS_MAX] = {false};
	struct reader r;
	struct map map;
	read_init(&r, len > 0 ? (const void *)sent : "\xa0", len > 0 ? len : 1);
	r.depth_max = DEPTH_MAX;
	map_open(&map, out);
	int error = merge_sent(&r, report, &map, used);
	for (size_t i = 0; i < report->count; i++) {
		if (!used[i])
			put_item(&map, &report->items[i]);
	}
	map_close(&map);
	if (error < 0)
		return error;
	return out->failed ? -ENOMEM : 0;
}

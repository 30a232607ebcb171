/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marks.h"

void marks_finish(struct marks *marks)
{
	free(marks->items);
	*marks = (struct marks){0};
}

static bool is_of(const struct assay_client_cursor *mark, const uint8_t *journal)
{
	return memcmp(mark->journal, journal, ASSAY_UUID_SIZE) == 0;
}

static struct assay_client_cursor *find(
	const struct marks *marks, const uint8_t *journal, const char *topic)
{
	for (size_t i = 0; i < marks->count; i++) {
		if (is_of(&marks->items[i], journal) && strcmp(marks->items[i].topic, topic) == 0)
			return &marks->items[i];
	}
	return NULL;
}

int marks_put(struct marks *marks, const struct assay_client_cursor *mark)
{
	struct assay_client_cursor *at = find(marks, mark->journal, mark->topic);
	if (at != NULL) {
		at->seq = mark->seq > at->seq ? mark->seq : at->seq;
		return 0;
	}
	if (marks->count == marks->size) {
		size_t size = marks->size > 0 ? 2 * marks->size : 16;
		void *items = reallocarray(marks->items, size, sizeof *marks->items);
		if (items == NULL)
			return -ENOMEM;
		marks->items = items;
		marks->size = size;
	}
	marks->items[marks->count++] = *mark;
	return 0;
}

uint64_t marks_get(const struct marks *marks, const uint8_t *journal, const char *topic)
{
	const struct assay_client_cursor *at = find(marks, journal, topic);
	return at != NULL ? at->seq : 0;
}

bool marks_has(const struct marks *marks, const uint8_t *journal, const char *topic)
{
	return find(marks, journal, topic) != NULL;
}

uint64_t marks_floor(const struct marks *marks, const uint8_t *journal, const char *topic)
{
	uint64_t floor = 0;
	for (size_t i = 0; i < marks->count; i++) {
		const struct assay_client_cursor *mark = &marks->items[i];
		if (mark->seq > floor && is_of(mark, journal) &&
			strncmp(topic, mark->topic, strlen(mark->topic)) == 0)
			floor = mark->seq;
	}
	return floor;
}

bool marks_below(const struct marks *marks, const uint8_t *journal, const char *prefix)
{
	size_t len = strlen(prefix);
	for (size_t i = 0; i < marks->count; i++) {
		const char *topic = marks->items[i].topic;
		if (is_of(&marks->items[i], journal) && strncmp(topic, prefix, len) == 0 &&
			topic[len] != '\0')
			return true;
	}
	return false;
}

struct assay_client_cursor mark_of(const uint8_t *journal, const char *topic, uint64_t seq)
{
	struct assay_client_cursor mark = {.seq = seq};
	memcpy(mark.journal, journal, ASSAY_UUID_SIZE);
	snprintf(mark.topic, sizeof mark.topic, "%s", topic);
	return mark;
}

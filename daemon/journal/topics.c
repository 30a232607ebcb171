/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "journal/topics.h"

#define SLOTS_FIRST 64

void topics_finish(struct topics *topics)
{
	for (uint32_t i = 0; i < topics->count; i++)
		free(topics->list[i].name);
	free(topics->list);
	free(topics->slots);
	*topics = (struct topics){0};
}

/* FNV-1a. */
static uint32_t hash(const char *name, size_t len)
{
	uint32_t value = UINT32_C(2166136261);
	for (size_t i = 0; i < len; i++)
		value = (value ^ (uint8_t)name[i]) * UINT32_C(16777619);
	return value;
}

/* The slot that holds the name, or the free one where it belongs. */
static uint32_t *find_slot(const struct topics *topics, const char *name, size_t len)
{
	uint32_t mask = topics->slot_count - 1;
	for (uint32_t at = hash(name, len) & mask;; at = (at + 1) & mask) {
		uint32_t *slot = &topics->slots[at];
		if (*slot == 0)
			return slot;
		const struct topic_row *topic = &topics->list[*slot - 1];
		if (topic->len == len && memcmp(topic->name, name, len) == 0)
			return slot;
	}
}

uint32_t topics_find(const struct topics *topics, const char *name, size_t len)
{
	if (topics->slot_count == 0)
		return TOPIC_NONE;
	uint32_t found = *find_slot(topics, name, len);
	return found == 0 ? TOPIC_NONE : found - 1;
}

static bool grow_slots(struct topics *topics)
{
	uint32_t count = topics->slot_count == 0 ? SLOTS_FIRST : 2 * topics->slot_count;
	uint32_t *slots = calloc(count, sizeof *slots);
	if (slots == NULL)
		return false;
	free(topics->slots);
	topics->slots = slots;
	topics->slot_count = count;
	for (uint32_t i = 0; i < topics->count; i++)
		*find_slot(topics, topics->list[i].name, topics->list[i].len) = i + 1;
	return true;
}

uint32_t topics_add(struct topics *topics, const char *name, size_t len)
{
	uint32_t id = topics_find(topics, name, len);
	if (id != TOPIC_NONE)
		return id;
	if (2 * topics->count >= topics->slot_count && !grow_slots(topics))
		return TOPIC_NONE;
	if (topics->count == topics->size) {
		uint32_t size = topics->size == 0 ? SLOTS_FIRST / 2 : 2 * topics->size;
		struct topic_row *list = realloc(topics->list, size * sizeof *list);
		if (list == NULL)
			return TOPIC_NONE;
		topics->list = list;
		topics->size = size;
	}
	char *copy = malloc(len > 0 ? len : 1);
	if (copy == NULL)
		return TOPIC_NONE;
	memcpy(copy, name, len);
	id = topics->count++;
	topics->list[id] = (struct topic_row){.name = copy, .len = len};
	*find_slot(topics, name, len) = id + 1;
	return id;
}

void topics_advance(struct topics *topics, uint32_t id, uint64_t seq)
{
	if (id != TOPIC_NONE && topics->list[id].last < seq)
		topics->list[id].last = seq;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/runs/kept.h"

/* Rows searched for an equal text, which is then shared. */
#define NEIGHBOURS 16

void kept_init(struct kept_table *table)
{
	*table = (struct kept_table){0};
	pthread_mutex_init(&table->lock, NULL);
}

void kept_finish(struct kept_table *table)
{
	pthread_mutex_destroy(&table->lock);
	free(table->amends);
	free(table->slots);
	free(table->rows);
	arena_finish(&table->texts);
}

/* The slot that holds this id, or the free one for it.  Ids are random: any part is a hash. */
static uint32_t *find_slot(const struct kept_table *table, const uint8_t *id)
{
	size_t at;
	memcpy(&at, id + 8, sizeof at);
	for (;; at++) {
		uint32_t *slot = &table->slots[at & (table->slot_count - 1)];
		if (*slot == 0 || memcmp(table->rows[*slot - 1].id, id, 16) == 0)
			return slot;
	}
}

struct runs_kept *kept_find(const struct kept_table *table, const uint8_t *id)
{
	if (table->slot_count == 0)
		return NULL;
	uint32_t place = *find_slot(table, id);
	return place == 0 ? NULL : &table->rows[place - 1];
}

/* Room for one row more, at most half full. */
static int grow_slots(struct kept_table *table)
{
	if (2 * (table->count + 1) <= table->slot_count)
		return 0;
	size_t count = table->slot_count != 0 ? 2 * table->slot_count : 256;
	uint32_t *slots = calloc(count, sizeof *slots);
	if (slots == NULL || table->count >= UINT32_MAX) {
		free(slots);
		return -ENOMEM;
	}
	free(table->slots);
	table->slots = slots;
	table->slot_count = count;
	for (size_t i = 0; i < table->count; i++)
		*find_slot(table, table->rows[i].id) = (uint32_t)i + 1;
	return 0;
}

/* A text of a row in both forms: a pointer in the arena, an array in struct runs_row. */
struct text_field {
	size_t kept, row, size;
};

#define TEXT_FIELD(name)                                                           \
	{                                                                          \
		offsetof(struct runs_kept, name), offsetof(struct runs_row, name), \
			sizeof((struct runs_row *)NULL)->name                      \
	}

static const struct text_field text_fields[] = {TEXT_FIELD(number), TEXT_FIELD(instrument),
	TEXT_FIELD(topic), TEXT_FIELD(sample), TEXT_FIELD(operator), TEXT_FIELD(status)};

#define TEXT_FIELDS (sizeof text_fields / sizeof *text_fields)

static const char **kept_text(struct runs_kept *kept, const struct text_field *field)
{
	return (const char **)((char *)kept + field->kept);
}

/* The text as one of the last rows has it, or a copy. */
static const char *share_text(
	struct kept_table *table, const struct text_field *field, const char *text)
{
	for (size_t i = table->count; i > 0 && i + NEIGHBOURS > table->count; i--) {
		const char *have = *kept_text(&table->rows[i - 1], field);
		if (strcmp(have, text) == 0)
			return have;
	}
	return arena_text(&table->texts, text, strlen(text));
}

int kept_change(struct kept_table *table, struct runs_kept *kept, const struct runs_row *row)
{
	memcpy(kept->id, row->id, sizeof kept->id);
	memcpy(kept->journal, row->journal, sizeof kept->journal);
	memcpy(kept->ctx, row->ctx, sizeof kept->ctx);
	for (size_t i = 0; i < TEXT_FIELDS; i++) {
		const char *text = (const char *)row + text_fields[i].row;
		const char **have = kept_text(kept, &text_fields[i]);
		if (*have == NULL || strcmp(*have, text) != 0)
			*have = share_text(table, &text_fields[i], text);
	}
	kept->start = row->start;
	kept->first = row->first;
	kept->last = row->last;
	kept->frames = row->frames;
	kept->quality = row->quality != 0 ? row->quality : kept->quality;
	kept->judged = row->quality != 0 ? row->frames : kept->judged;
	kept->sim = row->sim;
	if (kept->file == NULL && taken_is_file(&row->file))
		kept->file = arena_copy(&table->texts, &row->file, sizeof row->file);
	bool failed = table->texts.failed;
	table->texts.failed = false;
	return failed ? -ENOMEM : 0;
}

void kept_copy(struct runs_row *row, const struct runs_kept *kept)
{
	*row = (struct runs_row){.start = kept->start,
		.first = kept->first,
		.last = kept->last,
		.frames = kept->frames,
		.quality = kept->judged >= kept->frames ? kept->quality : 0,
		.sim = kept->sim};
	if (kept->file != NULL)
		row->file = *kept->file;
	memcpy(row->id, kept->id, sizeof row->id);
	memcpy(row->journal, kept->journal, sizeof row->journal);
	memcpy(row->ctx, kept->ctx, sizeof row->ctx);
	for (size_t i = 0; i < TEXT_FIELDS; i++) {
		const char *text = *kept_text((struct runs_kept *)kept, &text_fields[i]);
		memcpy((char *)row + text_fields[i].row, text, strlen(text) + 1);
	}
}

int kept_add(struct kept_table *table, const struct runs_row *row)
{
	if (table->count == table->size) {
		size_t size = table->size != 0 ? table->size * 2 : 64;
		struct runs_kept *rows = realloc(table->rows, size * sizeof *rows);
		if (rows == NULL)
			return -ENOMEM;
		table->rows = rows;
		table->size = size;
	}
	struct runs_kept *kept = &table->rows[table->count];
	*kept = (struct runs_kept){0};
	int r = kept_change(table, kept, row);
	if (r == 0)
		table->count++;
	return r;
}

int kept_set(struct kept_table *table, const struct runs_row *row)
{
	pthread_mutex_lock(&table->lock);
	struct runs_kept *have = kept_find(table, row->id);
	int r = have != NULL ? kept_change(table, have, row) : grow_slots(table);
	if (r == 0 && have == NULL)
		r = kept_add(table, row);
	if (r == 0 && have == NULL)
		*find_slot(table, row->id) = (uint32_t)table->count;
	pthread_mutex_unlock(&table->lock);
	return r;
}

int kept_add_amend(struct kept_table *table, const struct runs_amend *amend)
{
	int r = 0;
	pthread_mutex_lock(&table->lock);
	if (table->amend_count == table->amend_size) {
		size_t size = table->amend_size != 0 ? table->amend_size * 2 : 16;
		struct runs_amend *amends = realloc(table->amends, size * sizeof *amends);
		r = amends != NULL ? 0 : -ENOMEM;
		table->amends = amends != NULL ? amends : table->amends;
		table->amend_size = amends != NULL ? size : table->amend_size;
	}
	if (r == 0)
		table->amends[table->amend_count++] = *amend;
	pthread_mutex_unlock(&table->lock);
	return r;
}

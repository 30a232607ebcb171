/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "medium.h"

#define SECTOR        512
#define ROOM_AT_FIRST (4 * SECTOR)

/* One name, or two for a rename.  File MEDIUM_NONE: the name goes; dir MEDIUM_NONE: unused. */
struct medium_change {
	struct medium_name names[2];
};

uint32_t medium_random(struct medium *medium, uint32_t bound)
{
	medium->dice ^= medium->dice << 13;
	medium->dice ^= medium->dice >> 17;
	medium->dice ^= medium->dice << 5;
	return bound == 0 ? 0 : medium->dice % bound;
}

/* --- names */

static struct medium_name *find(const struct medium_names *names, int dir, const char *text)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->list[i].dir == dir && strcmp(names->list[i].text, text) == 0)
			return &names->list[i];
	}
	return NULL;
}

int medium_find(const struct medium *medium, int dir, const char *text)
{
	const struct medium_name *name = find(&medium->names, dir, text);
	return name == NULL ? MEDIUM_NONE : name->file;
}

static void apply_name(struct medium_names *names, const struct medium_name *change)
{
	struct medium_name *name = find(names, change->dir, change->text);
	if (change->file == MEDIUM_NONE) {
		if (name != NULL)
			*name = names->list[--names->count];
		return;
	}
	if (name != NULL) {
		name->file = change->file;
		return;
	}
	if (names->count == names->size) {
		names->size = names->size == 0 ? 64 : 2 * names->size;
		names->list = realloc(names->list, names->size * sizeof *names->list);
		assert(names->list != NULL);
	}
	names->list[names->count++] = *change;
}

static struct medium_name make_name(int dir, const char *text, int file)
{
	struct medium_name name = {.dir = dir, .file = file};
	assert(strlen(text) < sizeof name.text);
	snprintf(name.text, sizeof name.text, "%s", text);
	return name;
}

static void apply_change(struct medium_names *names, const struct medium_change *change)
{
	for (int i = 0; i < 2; i++) {
		if (change->names[i].dir != MEDIUM_NONE)
			apply_name(names, &change->names[i]);
	}
}

static void change_names(struct medium *medium, struct medium_name first, struct medium_name second)
{
	if (medium->change_count == medium->change_size) {
		medium->change_size = medium->change_size == 0 ? 64 : 2 * medium->change_size;
		medium->changes = realloc(
			medium->changes, medium->change_size * sizeof *medium->changes);
		assert(medium->changes != NULL);
	}
	struct medium_change *change = &medium->changes[medium->change_count++];
	*change = (struct medium_change){{first, second}};
	apply_change(&medium->names, change);
}

void medium_name(struct medium *medium, int dir, const char *text, int file)
{
	change_names(medium, make_name(dir, text, file), (struct medium_name){.dir = MEDIUM_NONE});
}

void medium_rename(struct medium *medium, int from, const char *text, int to, const char *new_text)
{
	int file = medium_find(medium, from, text);
	assert(file != MEDIUM_NONE);
	change_names(medium, make_name(to, new_text, file), make_name(from, text, MEDIUM_NONE));
}

void medium_set(struct medium *medium, int dir, const char *text, int file)
{
	struct medium_name name = make_name(dir, text, file);
	apply_name(&medium->names, &name);
	apply_name(&medium->stable_names, &name);
}

void medium_sync_dir(struct medium *medium, int dir)
{
	size_t left = 0;
	for (size_t i = 0; i < medium->change_count; i++) {
		struct medium_change change = medium->changes[i];
		for (int j = 0; j < 2; j++) {
			struct medium_name *name = &change.names[j];
			if (name->dir != dir)
				continue;
			apply_name(&medium->stable_names, name);
			name->dir = MEDIUM_NONE;
		}
		if (change.names[0].dir != MEDIUM_NONE || change.names[1].dir != MEDIUM_NONE)
			medium->changes[left++] = change;
	}
	medium->change_count = left;
}

int medium_walk(const struct medium *medium, const char *path, const char **last)
{
	int at = MEDIUM_ROOT;
	while (at != MEDIUM_NONE && *path == '/') {
		/* the root's names keep their slash, as IO_CWD is handed them */
		const char *text = at == MEDIUM_ROOT ? path : path + 1;
		size_t len = strcspn(text + 1, "/") + 1;
		char name[MEDIUM_NAME_MAX];
		assert(len < sizeof name);
		memcpy(name, text, len);
		name[len] = '\0';
		path = text + len;
		if (last != NULL && *path == '\0') {
			*last = text;
			return at;
		}
		at = medium_find(medium, at, name);
	}
	return at;
}

/* --- files */

int medium_add(struct medium *medium, bool is_dir, int parent)
{
	if (medium->file_count == medium->file_size) {
		medium->file_size = medium->file_size == 0 ? 64 : 2 * medium->file_size;
		medium->files = realloc(
			medium->files, (size_t)medium->file_size * sizeof *medium->files);
		assert(medium->files != NULL);
	}
	struct medium_file *file = calloc(1, sizeof *file);
	assert(file != NULL);
	file->is_dir = is_dir;
	file->parent = parent;
	medium->files[medium->file_count] = file;
	return medium->file_count++;
}

static void make_room(struct medium_file *file, size_t size)
{
	if (size <= file->room)
		return;
	size_t room = file->room == 0 ? ROOM_AT_FIRST : file->room;
	while (room < size)
		room *= 2;
	file->data = realloc(file->data, room);
	file->stable = realloc(file->stable, room);
	file->dirty = realloc(file->dirty, room / SECTOR);
	assert(file->data != NULL && file->stable != NULL && file->dirty != NULL);
	memset(file->data + file->room, 0, room - file->room);
	memset(file->stable + file->room, 0, room - file->room);
	memset(file->dirty + file->room / SECTOR, 0, (room - file->room) / SECTOR);
	file->room = room;
}

void medium_write(struct medium_file *file, const void *data, size_t len, size_t offset)
{
	if (len == 0)
		return;
	make_room(file, offset + len);
	memcpy(file->data + offset, data, len);
	memset(file->dirty + offset / SECTOR, 1, (offset + len - 1) / SECTOR - offset / SECTOR + 1);
	if (file->size < offset + len)
		file->size = offset + len;
}

void medium_cut(struct medium_file *file, size_t size)
{
	make_room(file, size);
	if (size < file->size) {
		memset(file->data + size, 0, file->size - size);
		memset(file->dirty + size / SECTOR, 1,
			(file->size - 1) / SECTOR - size / SECTOR + 1);
	}
	file->size = size;
}

void medium_sync(struct medium_file *file)
{
	for (size_t i = 0; i < file->room / SECTOR; i++) {
		if (file->dirty[i])
			memcpy(file->stable + i * SECTOR, file->data + i * SECTOR, SECTOR);
		file->dirty[i] = 0;
	}
	file->stable_size = file->size;
}

void medium_forget(struct medium_file *file)
{
	if (file->room > 0)
		memset(file->dirty, 0, file->room / SECTOR);
}

/* memmem() finds the first bytes of a long needle much faster than all of it. */
static const uint8_t *find_bytes(const uint8_t *in, size_t in_len, const uint8_t *data, size_t len)
{
	size_t head = len < 24 ? len : 24;
	const uint8_t *end = in + in_len;
	while (len <= (size_t)(end - in)) {
		const uint8_t *at = memmem(in, (size_t)(end - in), data, head);
		if (at == NULL || len > (size_t)(end - at))
			return NULL;
		if (memcmp(at, data, len) == 0)
			return at;
		in = at + 1;
	}
	return NULL;
}

static bool file_holds(struct medium_file *file, const void *data, size_t len, bool durably)
{
	const uint8_t *bytes = durably ? file->stable : file->data;
	size_t size = durably ? file->stable_size : file->size;
	for (size_t from = file->held_at;; from = 0) {
		const uint8_t *at = NULL;
		if (from < size)
			at = find_bytes(bytes + from, size - from, data, len);
		if (at != NULL)
			file->held_at = (size_t)(at - bytes);
		if (at != NULL || from == 0)
			return at != NULL;
	}
}

bool medium_holds(const struct medium *medium, int dir, const void *data, size_t len, bool durably)
{
	const struct medium_names *names = durably ? &medium->stable_names : &medium->names;
	for (size_t i = names->count; i > 0; i--) {
		const struct medium_name *name = &names->list[i - 1];
		if (name->dir == dir && file_holds(medium->files[name->file], data, len, durably))
			return true;
	}
	return false;
}

uint64_t medium_used(const struct medium *medium)
{
	uint64_t total = 0;
	for (size_t i = 0; i < medium->names.count; i++)
		total += medium->files[medium->names.list[i].file]->size;
	return total;
}

/* --- ends */

/* Any one of nothing, everything, and something. */
static uint32_t roll_odds(struct medium *medium)
{
	static const uint32_t odds[] = {0, 100, 50, 10, 90};
	return odds[medium_random(medium, sizeof odds / sizeof odds[0])];
}

/* The file got longer but the bytes did not get through: a recycled block of some other file. */
static void recycle_sector(struct medium *medium, struct medium_file *file, size_t at)
{
	size_t choice = medium_random(medium, (uint32_t)medium->file_count);
	const struct medium_file *other = medium->files[choice];
	if (at * SECTOR < file->stable_size || other == file || (at + 1) * SECTOR > other->room)
		return;
	memcpy(file->stable + at * SECTOR, other->data + at * SECTOR, SECTOR);
}

static void crash_sector(struct medium *medium, struct medium_file *file, size_t at, uint32_t odds)
{
	uint8_t *stable = file->stable + at * SECTOR;
	const uint8_t *data = file->data + at * SECTOR;
	if (!file->dirty[at])
		return;
	if (medium_random(medium, 100) >= odds) {
		if (medium_random(medium, 4) == 0)
			recycle_sector(medium, file, at);
		return;
	}
	size_t len = medium_random(medium, 10) == 0 ? medium_random(medium, SECTOR) : SECTOR;
	if (medium_random(medium, 2))
		memcpy(stable, data, len);
	else
		memcpy(stable + SECTOR - len, data + SECTOR - len, len);
}

static size_t crash_size(struct medium *medium, const struct medium_file *file)
{
	size_t low = file->size, high = file->stable_size;
	if (low > high) {
		low = file->stable_size;
		high = file->size;
	}
	uint32_t choice = medium_random(medium, 3);
	if (choice == 0)
		return low;
	return choice == 1 ? high : low + medium_random(medium, (uint32_t)(high - low + 1));
}

static void crash_file(struct medium *medium, struct medium_file *file, uint32_t odds)
{
	for (size_t at = 0; at < file->room / SECTOR; at++)
		crash_sector(medium, file, at, odds);
	size_t size = crash_size(medium, file);
	if (file->room > 0) {
		if (size < file->room)
			memset(file->stable + size, 0, file->room - size);
		memcpy(file->data, file->stable, file->room);
	}
	medium_forget(file);
	file->size = file->stable_size = size;
}

void medium_crash(struct medium *medium)
{
	uint32_t odds = roll_odds(medium);
	for (size_t i = 0; i < medium->change_count; i++) {
		if (medium_random(medium, 100) < odds)
			apply_change(&medium->stable_names, &medium->changes[i]);
	}
	medium->change_count = 0;
	medium->names.count = 0;
	for (size_t i = 0; i < medium->stable_names.count; i++)
		apply_name(&medium->names, &medium->stable_names.list[i]);
	odds = roll_odds(medium);
	for (int i = 0; i < medium->file_count; i++)
		crash_file(medium, medium->files[i], odds);
}

void medium_settle(struct medium *medium)
{
	for (int i = 0; i < medium->file_count; i++) {
		medium_sync_dir(medium, i);
		medium_sync(medium->files[i]);
	}
	medium->change_count = 0;
}

void medium_init(struct medium *medium, uint32_t seed)
{
	*medium = (struct medium){.dice = seed * 2654435761u | 1};
	medium_add(medium, true, MEDIUM_ROOT);
}

void medium_finish(struct medium *medium)
{
	for (int i = 0; i < medium->file_count; i++) {
		free(medium->files[i]->data);
		free(medium->files[i]->stable);
		free(medium->files[i]->dirty);
		free(medium->files[i]);
	}
	free(medium->files);
	free(medium->names.list);
	free(medium->stable_names.list);
	free(medium->changes);
	*medium = (struct medium){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "ole2-file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_FATS 109
#define MINI        64
#define CUTOFF      4096
#define FREE        0xffffffffu
#define END         0xfffffffeu
#define FAT         0xfffffffdu
#define MORE_FAT    0xfffffffcu

void ole2_file_put(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static uint8_t *place(struct ole2_file *f, uint32_t sector)
{
	return f->bytes + ((size_t)sector + 1) * f->sector;
}

uint8_t *ole2_file_fat(struct ole2_file *f, uint32_t sector)
{
	return place(f, sector / (f->sector / 4)) + (size_t)(sector % (f->sector / 4)) * 4;
}

/* The directory is written in one piece. */
uint8_t *ole2_file_entry(struct ole2_file *f, unsigned entry)
{
	return place(f, f->directory) + (size_t)entry * 128;
}

struct ole2_file *ole2_file_create(uint32_t sector, size_t room)
{
	struct ole2_file *f = calloc(1, sizeof *f);
	if (f == NULL)
		abort();
	uint32_t each = sector / 4;
	f->sector = sector;
	f->fats = (uint32_t)(room / sector / (each - 1)) + 2;
	f->len = ((size_t)(f->fats + 1) * each + 1) * sector;
	f->bytes = calloc(1, f->len);
	f->count = 1;
	f->entries[0] = (struct ole2_file_entry){.name = "Root Entry", .child = FREE};
	if (f->bytes == NULL)
		abort();
	for (uint32_t i = 0; i < f->fats; i++)
		memset(place(f, i), 0xff, sector);
	for (uint32_t i = 0; i < f->fats; i++)
		ole2_file_put(ole2_file_fat(f, i), FAT);
	f->used = f->fats;
	return f;
}

void ole2_file_destroy(struct ole2_file *f)
{
	free(f->bytes);
	free(f);
}

static uint32_t add_sectors(struct ole2_file *f, const uint8_t *data, size_t len, bool is_reversed)
{
	uint32_t n = (uint32_t)((len + f->sector - 1) / f->sector), first = f->used;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = is_reversed ? first + n - 1 - i : first + i;
		uint32_t next = is_reversed ? at - 1 : at + 1;
		size_t left = len - (size_t)i * f->sector;
		memcpy(place(f, at), data + (size_t)i * f->sector,
			left < f->sector ? left : f->sector);
		ole2_file_put(ole2_file_fat(f, at), i + 1 < n ? next : END);
	}
	f->used += n;
	return n == 0 ? END : is_reversed ? first + n - 1 : first;
}

unsigned ole2_file_add(
	struct ole2_file *f, unsigned parent, const char *name, const void *data, size_t len)
{
	struct ole2_file_entry *e = &f->entries[f->count];
	if (f->count == OLE2_FILE_ENTRIES ||
		f->minis_len + len + MINI > sizeof f->minis + (len >= CUTOFF ? len : 0))
		abort();
	*e = (struct ole2_file_entry){.name = name,
		.parent = parent,
		.len = (uint32_t)len,
		.is_storage = data == NULL,
		.child = FREE};
	if (data != NULL && len >= CUTOFF) {
		e->data = data;
	} else if (data != NULL && len > 0) {
		e->first = f->minis_len / MINI;
		memcpy(f->minis + f->minis_len, data, len);
		f->minis_len += (uint32_t)(len + MINI - 1) / MINI * MINI;
		for (uint32_t i = e->first; i < f->minis_len / MINI; i++)
			f->mini_fat[i] = i + 1 < f->minis_len / MINI ? i + 1 : END;
	}
	return f->count++;
}

/* The order of MS-CFB; the names here have capital letters in the same places or differ before. */
static int compare(const void *a, const void *b)
{
	const struct ole2_file_entry *x = *(struct ole2_file_entry *const *)a;
	const struct ole2_file_entry *y = *(struct ole2_file_entry *const *)b;
	size_t n = strlen(x->name), m = strlen(y->name);
	return n != m ? (n < m ? -1 : 1) : strcmp(x->name, y->name);
}

static uint32_t make_tree(struct ole2_file *f, struct ole2_file_entry **list, size_t n)
{
	if (n == 0)
		return FREE;
	struct ole2_file_entry *middle = list[n / 2];
	middle->left = make_tree(f, list, n / 2);
	middle->right = make_tree(f, list + n / 2 + 1, n - n / 2 - 1);
	return (uint32_t)(middle - f->entries);
}

static void write_directory(struct ole2_file *f)
{
	f->entries[0].left = f->entries[0].right = FREE;
	for (unsigned i = 0; i < f->count; i++) {
		struct ole2_file_entry *list[OLE2_FILE_ENTRIES];
		size_t n = 0;
		for (unsigned j = 1; j < f->count; j++)
			if (f->entries[j].parent == i)
				list[n++] = &f->entries[j];
		qsort(list, n, sizeof list[0], compare);
		f->entries[i].child = make_tree(f, list, n);
	}
	for (unsigned i = 0; i < f->count; i++) {
		const struct ole2_file_entry *e = &f->entries[i];
		uint8_t *to = ole2_file_entry(f, i);
		size_t n = strlen(e->name);
		for (size_t j = 0; j < n; j++)
			to[2 * j] = (uint8_t)e->name[j];
		to[64] = (uint8_t)(2 * n + 2);
		to[66] = i == 0 ? 5 : e->is_storage ? 1 : 2;
		ole2_file_put(to + 68, e->left);
		ole2_file_put(to + 72, e->right);
		ole2_file_put(to + 76, e->child);
		ole2_file_put(to + 116, e->first);
		ole2_file_put(to + 120, e->len);
	}
}

/* The places of the sectors of the FAT that the header has no room for. */
static uint32_t write_more_fat(struct ole2_file *f)
{
	if (f->fats <= HEADER_FATS)
		return END;
	uint32_t first = f->used, each = f->sector / 4 - 1;
	for (uint32_t i = HEADER_FATS; i < f->fats; i++) {
		uint32_t n = i - HEADER_FATS;
		if (n % each == 0) {
			memset(place(f, f->used), 0xff, f->sector);
			ole2_file_put(ole2_file_fat(f, f->used), MORE_FAT);
			if (n > 0)
				ole2_file_put(place(f, f->used - 1) + (size_t)each * 4, f->used);
			f->used++;
		}
		ole2_file_put(place(f, f->used - 1) + (size_t)(n % each) * 4, i);
	}
	ole2_file_put(place(f, f->used - 1) + (size_t)each * 4, END);
	return first;
}

void ole2_file_finish(struct ole2_file *f)
{
	static const uint8_t head[] = {0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1};
	static uint8_t fat[sizeof f->mini_fat];
	for (uint32_t i = 0; i < f->minis_len / MINI; i++)
		ole2_file_put(fat + (size_t)i * 4, f->mini_fat[i]);
	f->entries[0].len = f->minis_len;
	f->entries[0].first = add_sectors(f, f->minis, f->minis_len, false);
	uint32_t minis = add_sectors(f, fat, f->minis_len / MINI * 4, false);
	static const uint8_t none[OLE2_FILE_ENTRIES * 128];
	f->directory = add_sectors(f, none, f->count * 128, false);
	for (unsigned i = 1; i < f->count; i++)
		if (f->entries[i].data != NULL)
			f->entries[i].first = add_sectors(
				f, f->entries[i].data, f->entries[i].len, f->is_reversed);
	write_directory(f);
	uint32_t more = write_more_fat(f);
	f->len = ((size_t)f->used + 1) * f->sector;
	uint8_t *h = f->bytes;
	memcpy(h, head, sizeof head);
	h[24] = 0x3e;
	h[26] = f->sector == 512 ? 3 : 4;
	h[28] = 0xfe;
	h[29] = 0xff;
	h[30] = f->sector == 512 ? 9 : 12;
	h[32] = 6;
	ole2_file_put(h + 44, f->fats);
	ole2_file_put(h + 48, f->directory);
	ole2_file_put(h + 56, CUTOFF);
	ole2_file_put(h + 60, minis);
	ole2_file_put(h + 68, more);
	for (uint32_t i = 0; i < HEADER_FATS; i++)
		ole2_file_put(h + 76 + (size_t)i * 4, i < f->fats ? i : FREE);
}

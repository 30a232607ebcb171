/* SPDX-License-Identifier: Apache-2.0 */
#include "ole2.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"

#define HEADER      512
#define HEADER_FATS 109 /* places of sectors of the FAT in the header, the others are in a chain */
#define MINI_SIZE   64
#define ENTRY       128 /* of the directory */
#define NAME_MAX    31

/* Values of the FAT. */
#define SECTOR_LAST 0xfffffffau /* of a sector; those behind it have a meaning */
#define SECTOR_FAT  0xfffffffdu
#define SECTOR_END  0xfffffffeu
#define SECTOR_FREE 0xffffffffu

#define NO_ENTRY 0xffffffffu

enum type { TYPE_STORAGE = 1, TYPE_STREAM = 2, TYPE_ROOT = 5 };

struct entry {
	char name[NAME_MAX + 1]; /* in capital letters; '?' for others than ASCII */
	enum type type;
	uint32_t left, right, child;
	uint32_t first;
	uint64_t len;
};

bool ole2_has_magic(const uint8_t bytes[OLE2_MAGIC_SIZE])
{
	static const uint8_t magic[] = {0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1};
	return memcmp(bytes, magic, sizeof magic) == 0;
}

/* --- sectors ---------------------------------------------------------------------------------- */

static int read_number(struct ole2 *file, uint64_t offset, uint32_t *out)
{
	uint8_t bytes[4];
	if (!bytes_fit(offset, sizeof bytes, file->size))
		return -ENODATA;
	int error = file->read(file->context, offset, bytes, sizeof bytes);
	*out = get_le32(bytes);
	return error;
}

/* The place of a sector; the first one follows a header of the same size. */
static uint64_t place_of(const struct ole2 *file, uint32_t sector)
{
	return ((uint64_t)sector + 1) * file->sector;
}

/* The sector that has part i of the FAT; the chain of such numbers is not longer than i. */
static int find_fat(struct ole2 *file, uint32_t i, uint32_t *out)
{
	if (i < HEADER_FATS)
		return read_number(file, 76 + (uint64_t)i * 4, out);
	uint32_t each = file->sector / 4 - 1, at = file->more_fat;
	for (i -= HEADER_FATS; at < file->sectors; i -= each) {
		if (i < each)
			return read_number(file, place_of(file, at) + (uint64_t)i * 4, out);
		int error = read_number(file, place_of(file, at) + (uint64_t)each * 4, &at);
		if (error < 0)
			return error;
	}
	return at == 0 ? -ENODATA : -EBADMSG;
}

static int read_fat(struct ole2 *file, uint32_t sector, uint32_t *out)
{
	uint32_t each = file->sector / 4, part = sector / each, at;
	if (part >= file->fat_sectors)
		return -EBADMSG;
	int error = find_fat(file, part, &at);
	if (error < 0)
		return error;
	return read_number(file, place_of(file, at) + (uint64_t)(sector % each) * 4, out);
}

/* --- streams ---------------------------------------------------------------------------------- */

static uint32_t piece_of(const struct ole2 *file, const struct ole2_stream *t)
{
	return t->is_mini ? MINI_SIZE : file->sector;
}

static int read_next(
	struct ole2 *file, const struct ole2_stream *t, uint32_t sector, uint32_t *next)
{
	uint8_t bytes[4];
	if (!t->is_mini)
		return read_fat(file, sector, next);
	int error = ole2_read(file, &file->mini_fat, (uint64_t)sector * 4, bytes, sizeof bytes);
	*next = error < 0 ? SECTOR_END : get_le32(bytes);
	return error;
}

/* Bytes of one sector of a stream. */
static int read_piece(struct ole2 *file, const struct ole2_stream *t, uint32_t sector,
	uint32_t offset, void *to, size_t len)
{
	if (t->is_mini)
		return ole2_read(
			file, &file->minis, (uint64_t)sector * MINI_SIZE + offset, to, len);
	uint64_t place = place_of(file, sector) + offset;
	return bytes_fit(place, len, file->size) ? file->read(file->context, place, to, len)
						 : -ENODATA;
}

/* A stream is not longer than the file, and a reading goes over its chain once. */
int ole2_read(struct ole2 *file, struct ole2_stream *t, uint64_t offset, void *to, size_t len)
{
	uint32_t piece = piece_of(file, t);
	uint8_t *out = to;
	if (!bytes_fit(offset, len, t->len))
		return -EBADMSG;
	if (offset / piece < t->at_index || t->at_index == 0) {
		t->at_index = 0;
		t->at_sector = t->first;
	}
	while (len > 0) {
		int error = 0;
		if (t->at_index < offset / piece) {
			error = read_next(file, t, t->at_sector, &t->at_sector);
			t->at_index++;
		} else {
			uint32_t from = (uint32_t)(offset % piece);
			size_t n = len < piece - from ? len : piece - from;
			error = read_piece(file, t, t->at_sector, from, out, n);
			out += n;
			offset += n;
			len -= n;
		}
		if (error < 0)
			return error;
	}
	return 0;
}

/* That the chain has the sectors that the length needs, and ends: a loop has more than there are. */
static int check_chain(struct ole2 *file, struct ole2_stream *t)
{
	uint32_t piece = piece_of(file, t), sector = t->first;
	uint64_t most = t->is_mini ? file->minis.len / MINI_SIZE : file->sectors, count = 0;
	uint32_t highest = 0;
	if (t->len > file->size)
		return -ENODATA;
	for (; t->len > 0 && sector != SECTOR_END; count++) {
		if (count == most)
			return -EBADMSG;
		if (!t->is_mini && sector >= highest && count * piece < t->len) {
			uint64_t end = (count + 1) * piece;
			t->written = end < t->len ? end : t->len;
			highest = sector;
		}
		int error = read_next(file, t, sector, &sector);
		if (error < 0)
			return error;
	}
	return count * piece >= t->len ? 0 : -EBADMSG;
}

/* The length of a chain that is stated nowhere; a loop is longer than the file has sectors. */
static int measure_chain(struct ole2 *file, struct ole2_stream *t)
{
	uint32_t sector = t->first, count = 0;
	while (sector != SECTOR_END) {
		if (sector > SECTOR_LAST || count++ == file->sectors)
			return -EBADMSG;
		int error = read_fat(file, sector, &sector);
		if (error < 0)
			return error;
	}
	t->len = (uint64_t)count * file->sector;
	return 0;
}

/* --- directory -------------------------------------------------------------------------------- */

static int read_entry(struct ole2 *file, uint32_t i, struct entry *out)
{
	uint8_t bytes[ENTRY];
	int error = ole2_read(file, &file->directory, (uint64_t)i * ENTRY, bytes, sizeof bytes);
	if (error < 0)
		return error;
	size_t units = get_le16(bytes + 64) / 2;
	*out = (struct entry){.type = bytes[66],
		.left = get_le32(bytes + 68),
		.right = get_le32(bytes + 72),
		.child = get_le32(bytes + 76),
		.first = get_le32(bytes + 116),
		.len = get_le32(bytes + 120)};
	if (file->sector > HEADER)
		out->len = get_le64(bytes + 120);
	for (size_t n = 0; n + 1 < units && n < NAME_MAX; n++) {
		uint16_t c = get_le16(bytes + 2 * n);
		out->name[n] = (char)(c >= 'a' && c <= 'z' ? c - ('a' - 'A') : c < 0x7f ? c : '?');
	}
	return out->type == 0 ? -ENODATA : 0;
}

/* The order of the directory's trees: the shorter name comes first. */
static int compare(const char *name, size_t len, const struct entry *e)
{
	size_t n = strlen(e->name);
	for (size_t i = 0; n == len && i < len; i++) {
		int c = name[i] >= 'a' && name[i] <= 'z' ? name[i] - ('a' - 'A') : name[i];
		if (c != e->name[i])
			return c - e->name[i];
	}
	return len < n ? -1 : len > n;
}

/* One name below an entry; a tree that loops has more steps than entries. */
static int find_child(struct ole2 *file, struct entry *parent, const char *name, size_t len)
{
	uint32_t at = parent->child;
	for (uint64_t steps = file->directory.len / ENTRY; at != NO_ENTRY; steps--) {
		struct entry e;
		int error = steps > 0 ? read_entry(file, at, &e) : -EBADMSG;
		if (error < 0)
			return error;
		int order = compare(name, len, &e);
		if (order == 0) {
			*parent = e;
			return 0;
		}
		at = order < 0 ? e.left : e.right;
	}
	return -ENOENT;
}

int ole2_find(struct ole2 *file, const char *path, struct ole2_stream *out)
{
	struct entry e;
	int error = read_entry(file, 0, &e);
	while (error == 0 && *path != '\0') {
		size_t len = strcspn(path, "/");
		error = find_child(file, &e, path, len);
		path += len + (path[len] == '/');
	}
	if (error < 0)
		return error;
	if (e.type != TYPE_STREAM)
		return -ENOENT;
	*out = (struct ole2_stream){
		.first = e.first, .len = e.len, .is_mini = e.len < file->mini_cutoff};
	return check_chain(file, out);
}

/* --- the file --------------------------------------------------------------------------------- */

/* The sectors of the FAT are marked as such in it; the file ends with the last one in use. */
static int check_fat(struct ole2 *file)
{
	uint32_t mark, at;
	uint64_t end = 0, entries = (uint64_t)file->fat_sectors * (file->sector / 4);
	for (uint32_t i = 0; i < file->fat_sectors; i++) {
		int error = find_fat(file, i, &at);
		if (error == 0)
			error = read_fat(file, at, &mark);
		if (error < 0)
			return error;
		if (mark != SECTOR_FAT)
			return mark == 0 ? -ENODATA : -EBADMSG;
	}
	if (entries > SECTOR_LAST)
		return -EBADMSG;
	for (uint32_t i = (uint32_t)entries; i-- > 0 && end == 0;) {
		int error = read_fat(file, i, &mark);
		if (error < 0)
			return error;
		if (mark != SECTOR_FREE)
			end = place_of(file, i) + file->sector;
	}
	return end == file->size ? 0 : end > file->size ? -ENODATA : -EBADMSG;
}

int ole2_open(struct ole2 *file)
{
	uint8_t header[HEADER];
	if (file->size < HEADER)
		return -ENODATA;
	int error = file->read(file->context, 0, header, sizeof header);
	if (error < 0)
		return error;
	unsigned shift = get_le16(header + 30);
	if (!ole2_has_magic(header) || get_le16(header + 28) != 0xfffe ||
		(shift != 9 && shift != 12) || get_le16(header + 32) != 6)
		return -EBADMSG;
	file->sector = 1u << shift;
	uint64_t sectors = file->size / file->sector;
	if (sectors > SECTOR_LAST)
		return -EBADMSG;
	file->sectors = (uint32_t)sectors;
	file->fat_sectors = get_le32(header + 44);
	file->directory = (struct ole2_stream){.first = get_le32(header + 48)};
	file->mini_cutoff = get_le32(header + 56);
	file->mini_fat = (struct ole2_stream){.first = get_le32(header + 60)};
	file->more_fat = get_le32(header + 68);
	if (file->fat_sectors > file->sectors)
		return -ENODATA;
	error = check_fat(file);
	if (error == 0)
		error = measure_chain(file, &file->directory);
	if (error == 0)
		error = measure_chain(file, &file->mini_fat);
	struct entry root;
	if (error == 0)
		error = read_entry(file, 0, &root);
	if (error < 0)
		return error;
	if (root.type != TYPE_ROOT)
		return -EBADMSG;
	file->minis = (struct ole2_stream){.first = root.first, .len = root.len};
	return check_chain(file, &file->minis);
}

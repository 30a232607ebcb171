/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/scan.h"

#define WINDOW_SIZE  ((size_t)256 * 1024)
#define WINDOW_SMALL ((size_t)4096) /* for headers alone */

/* `len` bytes at `offset`, borrowed until the next call.  NULL with *r = 0: past the file's end. */
static const uint8_t *view(struct scan *scan, uint64_t offset, size_t len, size_t window, int *r)
{
	*r = 0;
	if (offset >= scan->window_at && offset + len <= scan->window_at + scan->window_len)
		return scan->window + (offset - scan->window_at);
	size_t want = len > window ? len : window;
	if (scan->window_size < want) {
		free(scan->window);
		scan->window_len = 0;
		scan->window = malloc(want);
		scan->window_size = scan->window == NULL ? 0 : want;
		if (scan->window == NULL) {
			*r = -ENOMEM;
			return NULL;
		}
	}
	ssize_t n = scan->io->pread(scan->io->ctx, scan->fd, scan->window, want, offset);
	scan->window_at = offset;
	scan->window_len = n > 0 ? (size_t)n : 0;
	if (n < 0)
		*r = (int)n;
	return scan->window_len >= len ? scan->window : NULL;
}

int scan_open(struct scan *scan, const struct io *io, int dir, const char *name)
{
	*scan = (struct scan){.io = io, .offset = SEGMENT_HEADER_SIZE};
	scan->fd = io->openat(io->ctx, dir, name, O_RDONLY);
	if (scan->fd < 0)
		return scan->fd;
	int r = io->size(io->ctx, scan->fd, &scan->size);
	if (r == 0) {
		const uint8_t *bytes = view(scan, 0, SEGMENT_HEADER_SIZE, WINDOW_SMALL, &r);
		if (bytes != NULL && segment_header_is_later(bytes))
			r = -EPROTONOSUPPORT;
		else if (r == 0 && (bytes == NULL || !segment_header_decode(&scan->header, bytes)))
			return -EBADMSG;
	}
	if (r < 0)
		scan_close(scan);
	scan->next = scan->header.first_seq;
	return r;
}

void scan_close(struct scan *scan)
{
	if (scan->io != NULL && scan->fd >= 0)
		scan->io->close(scan->io->ctx, scan->fd);
	free(scan->window);
	*scan = (struct scan){0};
}

int scan_next(struct scan *scan, struct record *record, const uint8_t **body)
{
	int r;
	size_t window = body == NULL ? WINDOW_SMALL : WINDOW_SIZE;
	const uint8_t *bytes = view(scan, scan->offset, RECORD_HEADER_SIZE, window, &r);
	if (r < 0)
		return r;
	if (bytes == NULL)
		return scan->window_len == 0 ? SCAN_END : SCAN_BAD;
	if (!record_decode(record, bytes, scan->header.salt))
		return SCAN_BAD;
	bool follows = record->kind == RECORD_ENTRY ? record->seq == scan->next
						    : record->synced_upto < scan->next;
	if (!follows)
		return SCAN_BAD;
	if (body != NULL) {
		bytes = view(scan, scan->offset, RECORD_HEADER_SIZE + record->len, window, &r);
		if (r < 0)
			return r;
		if (bytes == NULL || !record_body_is_sound(record, bytes + RECORD_HEADER_SIZE))
			return SCAN_BAD;
		*body = bytes + RECORD_HEADER_SIZE;
	}
	scan->offset += record_size(record->len);
	if (record->kind == RECORD_ENTRY)
		scan->next++;
	return SCAN_RECORD;
}

/* A seq may be ahead only by as many entries as fit into the bytes in between. */
static bool is_plausible(const struct scan *scan, const struct record *record, uint64_t offset)
{
	uint64_t room = (offset - scan->offset) / RECORD_HEADER_SIZE;
	if (record->kind != RECORD_ENTRY)
		return record->synced_upto < scan->next + room;
	return record->seq >= scan->next && record->seq - scan->next <= room;
}

static int note(
	struct scan *scan, struct scan_ahead *ahead, const struct record *record, uint64_t offset)
{
	if (!is_plausible(scan, record, offset))
		return 0;
	if (ahead->synced_upto < record->synced_upto)
		ahead->synced_upto = record->synced_upto;
	ahead->is_clean = record->kind == RECORD_CLEAN_END;
	if (ahead->seq != 0 || record->kind != RECORD_ENTRY || record->seq == scan->next)
		return 0;
	int r;
	const uint8_t *bytes = view(
		scan, offset, RECORD_HEADER_SIZE + record->len, WINDOW_SIZE, &r);
	if (bytes != NULL && record_body_is_sound(record, bytes + RECORD_HEADER_SIZE)) {
		ahead->offset = offset;
		ahead->seq = record->seq;
	}
	return r;
}

/* Tries every multiple of 8, because the length in a bad header is not usable. */
int scan_ahead(struct scan *scan, struct scan_ahead *ahead)
{
	*ahead = (struct scan_ahead){0};
	for (uint64_t offset = scan->offset + 8;; offset += 8) {
		int r;
		const uint8_t *bytes = view(scan, offset, RECORD_HEADER_SIZE, WINDOW_SIZE, &r);
		if (bytes == NULL)
			return r;
		struct record record;
		if (bytes[0] != 'A' || !record_decode(&record, bytes, scan->header.salt))
			continue;
		r = note(scan, ahead, &record, offset);
		if (r < 0)
			return r;
	}
}

void scan_seek(struct scan *scan, uint64_t offset, uint64_t next)
{
	scan->offset = offset;
	scan->next = next;
}

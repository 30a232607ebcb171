/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "core/replay/page.h"

#define BYTES_FIRST   ((size_t)4096)
#define ENTRIES_FIRST 64

struct quotas {
	atomic_uint refs; /* the owner's, and one per page under way */
	atomic_size_t total;
	size_t count;
	struct quota list[];
};

struct page {
	atomic_uint refs; /* entries under way */
	struct quotas *quotas;
	struct quota *quota;
	uint8_t *data;
	size_t len, size;
	size_t *ends; /* of each entry */
	size_t count, ends_size;
};

/* --- quotas ---------------------------------------------------------------------------------- */

struct quotas *quotas_create(size_t count)
{
	struct quotas *quotas = calloc(1, sizeof *quotas + count * sizeof quotas->list[0]);
	if (quotas == NULL)
		return NULL;
	atomic_init(&quotas->refs, 1);
	quotas->count = count;
	return quotas;
}

void quotas_destroy(struct quotas *quotas)
{
	if (quotas != NULL && atomic_fetch_sub(&quotas->refs, 1) == 1)
		free(quotas);
}

size_t quotas_total(struct quotas *quotas)
{
	return atomic_load(&quotas->total);
}

struct quota *quotas_find(struct quotas *quotas, const void *id, size_t len)
{
	struct quota *free_one = NULL;
	assert(len <= sizeof quotas->list[0].id);
	for (size_t i = 0; i < quotas->count; i++) {
		struct quota *quota = &quotas->list[i];
		if (quota->id_len == len && memcmp(quota->id, id, len) == 0)
			return quota;
		if (free_one == NULL && atomic_load(&quota->bytes) == 0)
			free_one = quota;
	}
	if (free_one != NULL) {
		memcpy(free_one->id, id, len);
		free_one->id_len = len;
	}
	return free_one;
}

/* --- pages ----------------------------------------------------------------------------------- */

struct page *page_create(size_t size)
{
	struct page *page = calloc(1, sizeof *page);
	if (page == NULL)
		return NULL;
	page->size = size > BYTES_FIRST ? size : BYTES_FIRST;
	page->data = malloc(page->size);
	if (page->data == NULL) {
		free(page);
		return NULL;
	}
	return page;
}

void page_drop(struct page *page)
{
	if (page == NULL)
		return;
	free(page->data);
	free(page->ends);
	free(page);
}

static int make_room(struct page *page, size_t len)
{
	if (page->count == page->ends_size) {
		size_t size = page->ends_size > 0 ? 2 * page->ends_size : ENTRIES_FIRST;
		size_t *ends = realloc(page->ends, size * sizeof *ends);
		if (ends == NULL)
			return -ENOMEM;
		page->ends = ends;
		page->ends_size = size;
	}
	if (len <= page->size - page->len)
		return 0;
	size_t size = page->len + len > 2 * page->size ? page->len + len : 2 * page->size;
	uint8_t *data = realloc(page->data, size);
	if (data == NULL)
		return -ENOMEM;
	page->data = data;
	page->size = size;
	return 0;
}

int page_add(struct page *page, const void *bytes, size_t len)
{
	int r = make_room(page, len);
	if (r < 0)
		return r;
	memcpy(page->data + page->len, bytes, len);
	page->len += len;
	page->ends[page->count++] = page->len;
	return 0;
}

size_t page_count(const struct page *page)
{
	return page->count;
}

size_t page_bytes(const struct page *page)
{
	return page->len;
}

const uint8_t *page_at(const struct page *page, size_t i, size_t *len)
{
	assert(i < page->count);
	size_t start = i > 0 ? page->ends[i - 1] : 0;
	*len = page->ends[i] - start;
	return page->data + start;
}

/* Frees the page with its last entry; on ZeroMQ's thread, or in zmq_msg_close(). */
static void release(void *data, void *hint)
{
	struct page *page = hint;
	if (atomic_fetch_sub(&page->refs, 1) != 1)
		return;
	struct quotas *quotas = page->quotas;
	atomic_fetch_sub(&page->quota->bytes, page->size);
	atomic_fetch_sub(&quotas->total, page->size);
	page_drop(page);
	quotas_destroy(quotas);
}

/* A message whose first parts were sent needs its last one, even if that is empty. */
static void send_part(struct page *page, size_t i, void *socket)
{
	zmq_msg_t part;
	size_t len;
	int flags = ZMQ_DONTWAIT | (i + 1 < page->count ? ZMQ_SNDMORE : 0);
	const uint8_t *bytes = page_at(page, i, &len);
	if (zmq_msg_init_data(&part, (void *)(uintptr_t)bytes, len, release, page) < 0) {
		release(NULL, page);
		zmq_msg_init(&part);
	}
	if (zmq_msg_send(&part, socket, flags) < 0)
		zmq_msg_close(&part);
}

void page_send(struct page *page, void *socket, struct quotas *quotas, struct quota *quota)
{
	assert(page->count > 0);
	page->quotas = quotas;
	page->quota = quota;
	atomic_fetch_add(&quotas->refs, 1);
	atomic_fetch_add(&quotas->total, page->size);
	atomic_fetch_add(&quota->bytes, page->size);
	size_t count = page->count;
	atomic_init(&page->refs, (unsigned)count + 1); /* one more until all are sent */
	for (size_t i = 0; i < count; i++)
		send_part(page, i, socket);
	release(NULL, page);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of one reply, in one block of memory that ZeroMQ sends without copying it; it is freed
 * when the last entry was sent or dropped.
 *
 * A quota counts the bytes under way: those of pages that ZeroMQ has and has not freed yet.
 *
 * Threads: a page belongs to one thread until it is sent; quotas may be read by any thread.
 */
#ifndef ASSAY_CORE_REPLAY_PAGE_H
#define ASSAY_CORE_REPLAY_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page;
struct quotas;

/* The bytes under way to one peer.  Its address does not change. */
struct quota {
	atomic_size_t bytes;
	size_t id_len;
	uint8_t id[255]; /* the peer's routing id */
};

/* Quotas of `count` peers.  Owned; NULL: out of memory. */
struct quotas *quotas_create(size_t count);

/* The memory is freed with the last page that is under way.  NULL is legal. */
void quotas_destroy(struct quotas *quotas);

/* Bytes under way to all peers. */
size_t quotas_total(struct quotas *quotas);

/*
 * The quota of a peer, possibly one that another peer with nothing under way had before; NULL: all
 * quotas are in use.  The replay thread's.
 */
struct quota *quotas_find(struct quotas *quotas, const void *id, size_t len);

/* An empty page with room for about `size` bytes at first.  Owned; NULL: out of memory. */
struct page *page_create(size_t size);

/* Frees a page that was not sent.  NULL is legal. */
void page_drop(struct page *page);

/* Appends a copy of an entry.  0 or -ENOMEM. */
int page_add(struct page *page, const void *bytes, size_t len);

size_t page_count(const struct page *page);
size_t page_bytes(const struct page *page);

/* Entry `i`, borrowed until the page is sent, dropped or added to. */
const uint8_t *page_at(const struct page *page, size_t i, size_t *len);

/*
 * Sends the entries, at least one, as the last parts of a message whose other parts were sent with
 * ZMQ_SNDMORE.  Takes the page.  Does not wait.
 */
void page_send(struct page *page, void *socket, struct quotas *quotas, struct quota *quota);

#endif

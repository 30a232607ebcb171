/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of one reply, in one block of memory that ZeroMQ sends from without copying it; it
 * is freed when the last of them has been written or dropped.
 *
 * A quota counts what is under way: bytes in pages that were handed over and not yet freed.
 *
 * Threads: a page belongs to one thread until it is sent; quotas may be read by any.
 */
#ifndef ASSAY_CORE_REPLAY_PAGE_H
#define ASSAY_CORE_REPLAY_PAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page;
struct quotas;

/* What one peer has under way; it stays where it is as long as its quotas. */
struct quota {
	atomic_size_t bytes;
	size_t id_len;
	uint8_t id[255]; /* the peer's routing id */
};

/* Quotas of `count` peers.  Owned; NULL: no memory. */
struct quotas *quotas_create(size_t count);

/* To be called once; the memory goes with the last page that is under way. */
void quotas_destroy(struct quotas *quotas);

/* Bytes under way to all peers. */
size_t quotas_total(struct quotas *quotas);

/*
 * The quota of a peer, which a peer that has nothing under way loses to the next one; NULL: more
 * peers than quotas have something under way.  One thread.
 */
struct quota *quotas_find(struct quotas *quotas, const void *id, size_t len);

/* An empty page with room for about `size` bytes to begin with.  Owned; NULL: no memory. */
struct page *page_create(size_t size);

/* Frees a page that was not sent.  NULL is legal. */
void page_drop(struct page *page);

/* Appends a copy of an entry.  -ENOMEM: it was not. */
int page_add(struct page *page, const void *bytes, size_t len);

size_t page_count(const struct page *page);
size_t page_bytes(const struct page *page);

/* Entry `i`, borrowed until the page is sent, dropped or added to. */
const uint8_t *page_at(const struct page *page, size_t i, size_t *len);

/*
 * Sends the entries as the last parts of a message of which the parts before have been sent with
 * ZMQ_SNDMORE; the page must have one.  Takes the page.  Never waits.
 */
void page_send(struct page *page, void *socket, struct quotas *quotas, struct quota *quota);

#endif

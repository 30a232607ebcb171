/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of control on their way: libzmq holds them until the peer reads.  Above REPLIES_MAX bytes over
 * all peers they are dropped.
 */
#ifndef ASSAY_CORE_CONTROL_REPLIES_H
#define ASSAY_CORE_CONTROL_REPLIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define REPLIES_MAX ((size_t)32 << 20)

struct replies;

/* NULL: no memory. */
struct replies *replies_create(void);

/* Replies under way may outlive it; NULL is legal. */
void replies_destroy(struct replies *replies);

/* False: a reply of `len` bytes has to be dropped. */
bool replies_fit(const struct replies *replies, size_t len);

/* Sends a copy as the last part of a message. */
void replies_send(struct replies *replies, void *socket, const struct buffer *reply);

#endif

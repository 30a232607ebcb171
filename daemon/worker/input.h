/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes that one endpoint of a link has received and the driver has not taken yet.
 *
 * They are kept in pieces, as they were received, each with its time.  Several pieces can be one
 * message (a USB transfer of several packets); a call takes bytes of one message only.  A piece
 * that the filter delays arrives later than it was received: the functions see the pieces up to
 * `now` (clock_boot()), with UINT64_MAX all.  No locks: the channel has one.
 */
#ifndef ASSAY_WORKER_INPUT_H
#define ASSAY_WORKER_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

struct receipt {
	uint64_t utc, mono; /* clock_utc(), clock_boot() */
};

struct input {
	struct buffer pieces; /* each with a head */
	size_t at;
};

void input_finish(struct input *input);

/* The memory that the pieces take. */
size_t input_size(const struct input *input);

/* When the first piece arrives: 0 if it has, UINT64_MAX if there is none. */
uint64_t input_arrival(const struct input *input, uint64_t now);

/* Drops the pieces that have arrived.  Returns the number of bytes. */
size_t input_drop(struct input *input, uint64_t now);

/*
 * Takes bytes of the first message: how many, 0 if nothing has arrived.  *received is then the time
 * of the last of them.
 */
size_t input_take(
	struct input *input, uint64_t now, void *to, size_t size, struct receipt *received);

/* Room for the bytes of a piece; NULL without memory. */
uint8_t *input_reserve(struct input *input, size_t len);

/*
 * Adds a piece of `len` > 0 bytes that stand in the reserved room.  `joins`: it continues the message
 * of the piece before it.
 */
void input_add(struct input *input, size_t len, bool joins, struct receipt received);

#endif

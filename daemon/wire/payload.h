/* SPDX-License-Identifier: Apache-2.0 */
/* Messages whose payload is a CBOR map: writing one, reading one.  For the files of this folder. */
#ifndef ASSAY_WIRE_PAYLOAD_H
#define ASSAY_WIRE_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "record/encode.h"
#include "record/keys.h"
#include "wire/wire.h"

/* A message whose payload is one map: pairs are written to `map` between start and end. */
struct message {
	struct buffer *out;
	size_t at;
	struct map map;
};

void message_start(struct message *m, struct buffer *out, enum wire_type type, unsigned unit);
void message_end(struct message *m);

/* The head alone, in front of `size` bytes of another kind of payload. */
void message_head(struct buffer *out, enum wire_type type, unsigned unit, size_t size);

/* A message, its settings, a table in them, its rows and quantities. */
#define PAYLOAD_DEPTH_MAX 12

/*
 * Reads a payload that is one map of these keys into the struct `into`, which is zeroed first.
 * Returns 0, -EBADMSG or the error of a KEY_OTHER.
 */
int payload_decode(const struct wire_message *m, const struct key *rows, void *into, size_t size);

/*
 * For a KEY_OTHER whose member is a const char *: a copy of a text without zero bytes, owned by
 * the member, and left to the caller even if a later part of the message is wrong.
 */
int payload_read_owned(struct reader *r, const struct key *key, void *to);

#endif

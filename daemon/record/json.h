/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON projection, for people and for programs without CBOR.  It is made from the bytes of the
 * evidence, never the reverse.
 *
 *	uuids, hashes, byte strings	hexadecimal text
 *	arrays of numbers		arrays; NaN and infinities are null; dimensions are nested
 *	integers beyond 2^53		text
 *	times (utc, tc, from, to ...)	RFC 3339 text, followed by "utc_ns": "..." as text
 *	quality				{"flag": 1, "flag_text": "good", ...}
 *
 * "flag_text" follows a "flag" in a map under the key "q"; a time is an unsigned integer of 10^17 or
 * more under a key for times.  The result is one line of UTF-8 with control and invisible characters
 * escaped, so that it may go to a terminal.  If there is no memory, the buffer has failed.  All return 0,
 * -EBADMSG, or -ENOMEM if they hash.  Output written before an error stays.  Any thread.
 */
#ifndef ASSAY_RECORD_JSON_H
#define ASSAY_RECORD_JSON_H

#include <assay/record.h>

#include "base/buffer.h"
#include "record/read.h"

/* An entry: {"journal", "seq", "prev", "tc", "topic", "entry_sha256", "record": {...}}. */
int json_write_entry(struct buffer *to, const void *data, size_t len);

/* A record or any other CBOR value, such as a reply. */
int json_write(struct buffer *to, const void *data, size_t len);

/* The reader's next item. */
int json_write_value(struct buffer *to, struct reader *r);

/* A JSON string with its quotes. */
void json_write_text(struct buffer *to, const char *text, size_t len);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A durable cursor as a file: a CBOR map {v, name, at: [{journal, topic, seq}]} and its CRC-32C.
 */
#ifndef ASSAY_RECORD_CURSOR_H
#define ASSAY_RECORD_CURSOR_H

#include <stdbool.h>

#include <assay/record.h>

#define CURSOR_MARKS_MAX 1024         /* marks of one cursor */
#define CURSOR_BYTES_MAX (512u << 10) /* of a file */

struct buffer;

struct cursor_mark {
	uint8_t journal[ASSAY_UUID_SIZE];
	uint64_t seq;
	char topic[ASSAY_TOPIC_MAX + 1]; /* or a prefix; ends in '/' */
};

/* Characters of a topic, and a final '/'. */
bool cursor_topic_is_valid(struct assay_string topic);

/* Reads the file of cursor `name`; *marks is owned.  0; -EBADMSG: it is damaged; -ENOMEM. */
int cursor_decode(const uint8_t *data, size_t len, const char *name, struct cursor_mark **marks,
	size_t *count);

/* Appends marks as a CBOR array of {journal, topic, seq}. */
void cursor_put_marks(struct buffer *to, const struct cursor_mark *marks, size_t count);

/* Writes the file of a cursor into an empty buffer.  0 or -ENOMEM. */
int cursor_encode(
	struct buffer *to, const char *name, const struct cursor_mark *marks, size_t count);

#endif

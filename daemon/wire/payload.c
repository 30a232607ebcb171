/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "wire/payload.h"

void message_head(struct buffer *out, enum wire_type type, unsigned unit, size_t size)
{
	uint8_t head[WIRE_HEAD_BYTES];
	put_le32(head, (uint32_t)size);
	put_le16(head + 4, type);
	put_le16(head + 6, (uint16_t)unit);
	buffer_append(out, head, sizeof head);
}

void message_start(struct message *m, struct buffer *out, enum wire_type type, unsigned unit)
{
	m->out = out;
	m->at = out->len;
	message_head(out, type, unit, 0);
	map_open(&m->map, out);
}

void message_end(struct message *m)
{
	map_close(&m->map);
	if (m->out->failed)
		return;
	size_t size = m->out->len - m->at - WIRE_HEAD_BYTES;
	if (size > WIRE_PAYLOAD_MAX)
		m->out->failed = true;
	else
		put_le32(m->out->data + m->at, (uint32_t)size);
}

int payload_decode(const struct wire_message *m, const struct key *rows, void *into, size_t size)
{
	const struct keys keys = {.rows = rows};
	struct reader r;
	memset(into, 0, size);
	read_init(&r, m->payload, m->len);
	r.depth_max = PAYLOAD_DEPTH_MAX;
	int error = keys_read(&r, &keys, into, NULL);
	return error < 0 ? error : read_finish(&r);
}

int payload_read_owned(struct reader *r, const struct key *key, void *to)
{
	struct assay_string text;
	size_t at = r->at;
	if (read_text(r, &text) < 0)
		return r->error;
	if (memchr(text.data, '\0', text.len) != NULL)
		return read_fail(r, at, "must be a text without zero bytes");
	char *copy = strndup(text.data, text.len);
	*(const char **)to = copy;
	return copy != NULL ? 0 : -ENOMEM;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
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

void message_begin(struct message *m, struct buffer *out, enum wire_type type, unsigned unit)
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

static void clear(const struct field *f)
{
	switch (f->type) {
	case FIELD_UINT: *(uint64_t *)f->to = 0; break;
	case FIELD_WORD: *(unsigned *)f->to = 0; break;
	case FIELD_BOOL: *(bool *)f->to = false; break;
	case FIELD_TEXT: *(struct assay_string *)f->to = (struct assay_string){"", 0}; break;
	case FIELD_STRING: *(const char **)f->to = NULL; break;
	case FIELD_MAP:
	case FIELD_ARRAY: *(struct assay_span *)f->to = (struct assay_span){NULL, 0}; break;
	}
}

static int read_word(struct reader *r, unsigned *to)
{
	uint64_t value;
	if (read_uint(r, &value) < 0 || value > UINT32_MAX)
		return -EBADMSG;
	*to = (unsigned)value;
	return 0;
}

static int read_span_text(struct reader *r, struct assay_string *to)
{
	struct assay_string text;
	if (read_text(r, &text) < 0)
		return -EBADMSG;
	*to = (struct assay_string){text.data, text.len};
	return 0;
}

static int read_string(struct reader *r, const char **to)
{
	struct assay_string text;
	if (read_text(r, &text) < 0 || memchr(text.data, '\0', text.len) != NULL)
		return -EBADMSG;
	*to = strndup(text.data, text.len);
	return *to != NULL ? 0 : -ENOMEM;
}

static int read_encoded(struct reader *r, enum read_type type, struct assay_span *to)
{
	struct assay_span raw;
	if (read_peek(r) != type || read_raw(r, &raw) < 0)
		return -EBADMSG;
	*to = (struct assay_span){raw.data, raw.len};
	return 0;
}

static int read_one(struct reader *r, const struct field *f)
{
	switch (f->type) {
	case FIELD_UINT: return read_uint(r, f->to);
	case FIELD_WORD: return read_word(r, f->to);
	case FIELD_BOOL: return read_bool(r, f->to);
	case FIELD_TEXT: return read_span_text(r, f->to);
	case FIELD_STRING: return read_string(r, f->to);
	case FIELD_MAP: return read_encoded(r, READ_MAP, f->to);
	case FIELD_ARRAY: return read_encoded(r, READ_ARRAY, f->to);
	}
	return -EBADMSG;
}

static size_t find(struct assay_string key, const struct field *fields, size_t count)
{
	size_t i = 0;
	while (i < count && !assay_string_is(key, fields[i].name))
		i++;
	return i;
}

int payload_read(struct reader *r, const struct field *fields, size_t count)
{
	assert(count <= 32);
	for (size_t i = 0; i < count; i++)
		clear(&fields[i]);
	size_t pairs;
	if (read_map(r, &pairs) < 0)
		return -EBADMSG;
	uint32_t seen = 0;
	while (pairs-- > 0) {
		struct assay_string key;
		if (read_key(r, &key) < 0)
			return -EBADMSG;
		size_t i = find(key, fields, count);
		int error = i < count ? read_one(r, &fields[i]) : -EBADMSG;
		if (error < 0)
			return error;
		seen |= UINT32_C(1) << i;
	}
	for (size_t i = 0; i < count; i++) {
		if (fields[i].required && (seen >> i & 1) == 0)
			return -EBADMSG;
	}
	return 0;
}

int payload_read_message(const struct wire_message *m, const struct field *fields, size_t count)
{
	struct reader r;
	read_init(&r, m->payload, m->len);
	r.depth_max = FIELDS_DEPTH_MAX;
	int error = payload_read(&r, fields, count);
	return error < 0 ? error : read_finish(&r);
}

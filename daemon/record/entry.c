/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <cbor/encoding.h>

#include "record/digest.h"
#include "record/entry.h"
#include "record/keys.h"

#define ENTRY_ITEMS 7

size_t entry_encode_head(uint8_t to[ENTRY_HEAD_MAX], const struct assay_entry_view *entry)
{
	uint8_t *at = to, *end = to + ENTRY_HEAD_MAX;
	assert(entry->topic.len <= ASSAY_TOPIC_MAX);
	at += cbor_encode_array_start(ENTRY_ITEMS, at, (size_t)(end - at));
	at += cbor_encode_uint(ENTRY_VERSION, at, (size_t)(end - at));
	at += cbor_encode_bytestring_start(ASSAY_UUID_SIZE, at, (size_t)(end - at));
	memcpy(at, entry->journal, ASSAY_UUID_SIZE);
	at += ASSAY_UUID_SIZE;
	at += cbor_encode_uint(entry->seq, at, (size_t)(end - at));
	at += cbor_encode_uint(entry->prev, at, (size_t)(end - at));
	at += cbor_encode_uint(entry->tc, at, (size_t)(end - at));
	at += cbor_encode_string_start(entry->topic.len, at, (size_t)(end - at));
	memcpy(at, entry->topic.data, entry->topic.len);
	at += entry->topic.len;
	at += cbor_encode_bytestring_start(entry->body.len, at, (size_t)(end - at));
	return (size_t)(at - to);
}

int assay_entry_read(const void *data, size_t len, struct assay_entry_view *entry)
{
	struct reader r;
	size_t items;
	uint64_t version = 0;
	*entry = (struct assay_entry_view){0};
	if (len > ENTRY_MAX)
		return -EBADMSG;
	read_init(&r, data, len);
	if (read_array(&r, &items) < 0 || items != ENTRY_ITEMS || read_uint(&r, &version) < 0 ||
		version != ENTRY_VERSION)
		return -EBADMSG;
	read_fixed(&r, ASSAY_UUID_SIZE, &entry->journal);
	read_uint(&r, &entry->seq);
	read_uint(&r, &entry->prev);
	read_uint(&r, &entry->tc);
	read_text(&r, &entry->topic);
	read_bytes(&r, &entry->body);
	if (read_finish(&r) < 0)
		*entry = (struct assay_entry_view){0};
	return r.error;
}

int entry_place(const uint8_t *bytes, size_t len, const char **topic, size_t *topic_len,
	uint64_t *seq, uint64_t *tc)
{
	struct assay_entry_view entry;
	if (assay_entry_read(bytes, len, &entry) < 0)
		return -EBADMSG;
	*topic = entry.topic.data;
	*topic_len = entry.topic.len;
	*seq = entry.seq;
	*tc = entry.tc;
	return 0;
}

int entry_leaf_hash(const void *entry, size_t len, uint8_t hash[ASSAY_SHA256_SIZE])
{
	struct digest digest;
	int error = digest_init(&digest);
	if (error < 0)
		return error;
	digest_update(&digest, "", 1);
	digest_update(&digest, entry, len);
	digest_final(&digest, hash);
	digest_finish(&digest);
	return 0;
}

static int read_topics(struct reader *r, const struct key *key, void *to)
{
	struct head_view *head = to;
	struct assay_string topic;
	uint64_t seq;
	size_t at = r->at;
	read_map(r, &head->topics_count);
	for (size_t i = 0; i < head->topics_count && read_key(r, &topic) == 0; i++)
		read_uint(r, &seq);
	head->topics = (struct assay_span){r->data + at, r->at - at};
	return r->error;
}

static const struct keys head_keys = {.open = true,
	.rows = (const struct key[]){
		{"v", KEY_UINT, KEY_AT(struct head_view, version), .required = true},
		{"journal", KEY_FIXED, KEY_AT(struct head_view, journal), .required = true,
			.limit = ASSAY_UUID_SIZE},
		{"head", KEY_UINT, KEY_AT(struct head_view, head)},
		{"tc", KEY_UINT, KEY_AT(struct head_view, tc)},
		{"last", KEY_OTHER, .required = true, .read = read_topics},
		{0},
	}};

int head_read(const void *data, size_t len, struct head_view *head)
{
	*head = (struct head_view){0};
	int error = keys_decode(&head_keys, data, len, head);
	return error == 0 && head->version != 1 ? -EBADMSG : error;
}

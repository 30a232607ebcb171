/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "record/digest.h"
#include "record/encode.h"
#include "record/entry.h"
#include "record/read.h"

#define ENTRY_ITEMS 7

void entry_encode(struct buffer *to, const struct assay_entry_view *entry)
{
	encode_array(to, ENTRY_ITEMS);
	encode_uint(to, ENTRY_VERSION);
	encode_bytes(to, entry->journal, ASSAY_UUID_SIZE);
	encode_uint(to, entry->seq);
	encode_uint(to, entry->prev);
	encode_uint(to, entry->tc);
	encode_text_n(to, entry->topic.data, entry->topic.len);
	encode_bytes(to, entry->body.data, entry->body.len);
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

void head_encode(struct buffer *to, const struct head *head)
{
	struct map map, last;
	map_open(&map, to);
	map_uint(&map, "v", 1);
	map_bytes(&map, "journal", head->journal, ASSAY_UUID_SIZE);
	map_uint(&map, "head", head->head);
	map_uint(&map, "tc", head->tc);
	map_key(&map, "last");
	map_open(&last, to);
	for (size_t i = 0; i < head->topics_count; i++)
		map_uint(&last, head->topics[i].topic, head->topics[i].last);
	map_close(&last);
	map_close(&map);
}

static void read_topics(struct reader *r, struct head_view *head)
{
	struct assay_string topic;
	uint64_t seq;
	size_t at = r->at;
	read_map(r, &head->topics_count);
	for (size_t i = 0; i < head->topics_count && r->error == 0; i++) {
		read_key(r, &topic);
		read_uint(r, &seq);
	}
	head->topics = (struct assay_span){r->data + at, r->at - at};
}

int head_read(const void *data, size_t len, struct head_view *head)
{
	struct reader r;
	struct assay_string key;
	size_t pairs;
	uint64_t version = 0;
	*head = (struct head_view){0};
	read_init(&r, data, len);
	read_map(&r, &pairs);
	while (pairs-- > 0 && read_key(&r, &key) == 0) {
		if (assay_string_is(key, "v"))
			read_uint(&r, &version);
		else if (assay_string_is(key, "journal"))
			read_fixed(&r, ASSAY_UUID_SIZE, &head->journal);
		else if (assay_string_is(key, "head"))
			read_uint(&r, &head->head);
		else if (assay_string_is(key, "tc"))
			read_uint(&r, &head->tc);
		else if (assay_string_is(key, "last"))
			read_topics(&r, head);
		else
			read_skip(&r);
	}
	if (read_finish(&r) < 0)
		return r.error;
	return version == 1 && head->journal != NULL && head->topics.data != NULL ? 0 : -EBADMSG;
}

uint64_t head_last(const struct head_view *head, struct assay_string topic)
{
	struct reader r;
	struct assay_string key;
	size_t pairs;
	uint64_t seq;
	read_init(&r, head->topics.data, head->topics.len);
	read_map(&r, &pairs);
	while (pairs-- > 0 && read_key(&r, &key) == 0 && read_uint(&r, &seq) == 0)
		if (key.len == topic.len && memcmp(key.data, topic.data, key.len) == 0)
			return seq;
	return 0;
}

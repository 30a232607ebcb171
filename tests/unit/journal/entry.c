/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "journal/writer.h"

#define HEAD_MAX 256

static const uint8_t *number(const uint8_t *p, const uint8_t *end, uint64_t *value)
{
	*value = 0;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		*value = *value * 10 + (uint64_t)(*p - '0');
	return p < end && *p == ' ' ? p + 1 : NULL;
}

int entry_describe(const uint8_t *entry, size_t len, const char **topic, size_t *topic_len,
	uint64_t *seq, uint64_t *tc)
{
	const uint8_t *zero = memchr(entry, 0, len);
	if (zero == NULL || zero == entry)
		return -EBADMSG;
	*topic = (const char *)entry;
	*topic_len = (size_t)(zero - entry);
	const uint8_t *at = number(zero + 1, entry + len, seq);
	if (at != NULL)
		at = number(at, entry + len, tc);
	return at == NULL ? -EBADMSG : 0;
}

struct journal_item entry_make(const char *topic, uint64_t seq, uint64_t tc, size_t len)
{
	char head[HEAD_MAX];
	int n = snprintf(head, sizeof head, "%s%c%" PRIu64 " %" PRIu64 " ", topic, 0, seq, tc);
	assert(n > 0 && n < HEAD_MAX);
	size_t head_len = (size_t)n;
	if (len < head_len)
		len = head_len;
	uint8_t *bytes = malloc(len);
	assert(bytes != NULL);
	memcpy(bytes, head, head_len);
	uint32_t x = (uint32_t)(seq * 2654435761u + tc);
	for (size_t i = head_len; i < len; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (uint8_t)(x >> 24);
	}
	return (struct journal_item){
		.seq = seq,
		.tc = tc,
		.topic = (const char *)bytes,
		.topic_len = strlen(topic),
		.bytes = bytes,
		.len = len,
	};
}

void entry_free(struct journal_item *item)
{
	free((void *)(uintptr_t)item->bytes);
	item->bytes = NULL;
}

uint64_t entry_last(const struct journal *journal, const char *topic)
{
	uint32_t id = topics_find(&journal->topics, topic, strlen(topic));
	return id == TOPIC_NONE ? 0 : journal->topics.list[id].last;
}

const char *entry_gone(
	const uint8_t id[JOURNAL_ID_SIZE], uint64_t first, uint64_t last, uint64_t seq)
{
	static char topic[JOURNAL_TOPIC_MAX];
	char text[JOURNAL_ID_TEXT];
	journal_id_format(text, id);
	snprintf(topic, sizeof topic, "gone %s %" PRIu64 " %" PRIu64 " %" PRIu64, text, first, last,
		seq);
	return topic;
}

int entry_removal(const uint8_t *entry, size_t len, uint8_t id[JOURNAL_ID_SIZE], uint64_t *first,
	uint64_t *last)
{
	char text[JOURNAL_ID_TEXT];
	if (memchr(entry, 0, len) == NULL ||
		sscanf((const char *)entry, "gone %36s %" SCNu64 " %" SCNu64, text, first, last) !=
			3)
		return -EBADMSG;
	return journal_id_parse(id, text);
}

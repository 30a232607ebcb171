/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topic -> last seq, for one journal.  Topics are never removed, so their ids (0, 1, 2 ... in the
 * order of arrival) stay valid.  Zero is a valid empty table.
 */
#ifndef ASSAY_JOURNAL_TOPICS_H
#define ASSAY_JOURNAL_TOPICS_H

#include <stddef.h>
#include <stdint.h>

#define TOPIC_NONE UINT32_MAX

struct topic_row {
	char *name; /* not terminated */
	size_t len;
	uint64_t last;
};

struct topics {
	struct topic_row *list;
	uint32_t count, size;
	uint32_t *slots; /* id + 1, 0: free */
	uint32_t slot_count;
};

/* Frees all and empties the table. */
void topics_finish(struct topics *topics);

/* The id of a topic, TOPIC_NONE when it is not there. */
uint32_t topics_find(const struct topics *topics, const char *name, size_t len);

/* The id of a topic, added with last seq 0 when it is not there; TOPIC_NONE: no memory. */
uint32_t topics_add(struct topics *topics, const char *name, size_t len);

/* Raises a topic's last seq; TOPIC_NONE is legal and does nothing. */
void topics_advance(struct topics *topics, uint32_t id, uint64_t seq);

#endif

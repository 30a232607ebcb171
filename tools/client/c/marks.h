/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Positions of a consumer: a seq per journal and topic.  A mark whose topic is a prefix is one for
 * all topics below it.  Zero is a valid empty set.
 */
#ifndef ASSAY_CLIENT_MARKS_H
#define ASSAY_CLIENT_MARKS_H

#include <assay/client.h>

struct marks {
	struct assay_client_cursor *items;
	size_t count, size;
};

void marks_finish(struct marks *marks);

/* Adds a mark, or moves it forward, never back.  0, or -ENOMEM. */
int marks_put(struct marks *marks, const struct assay_client_cursor *mark);

/* The mark of exactly this journal and topic, 0: none; true if there is one. */
uint64_t marks_get(const struct marks *marks, const uint8_t *journal, const char *topic);
bool marks_has(const struct marks *marks, const uint8_t *journal, const char *topic);

/* The highest mark of this topic or prefix, its own or of a prefix; 0: none. */
uint64_t marks_floor(const struct marks *marks, const uint8_t *journal, const char *topic);

/* True if a topic below this prefix has a mark of its own. */
bool marks_below(const struct marks *marks, const uint8_t *journal, const char *prefix);

/* A mark from its parts. */
struct assay_client_cursor mark_of(const uint8_t *journal, const char *topic, uint64_t seq);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far one has got: a seq per journal and topic.  A mark whose topic is a prefix stands for all
 * topics below it.  Zero is a valid empty set.
 */
#ifndef ASSAY_CLIENT_MARKS_H
#define ASSAY_CLIENT_MARKS_H

#include <assay/client.h>

struct marks {
	struct assay_client_cursor *items;
	size_t count, size;
};

void marks_finish(struct marks *marks);

/* Moves a mark on, never back.  0, or -ENOMEM. */
int marks_put(struct marks *marks, const struct assay_client_cursor *mark);

/* The mark of exactly this journal and topic, 0: none; and whether there is one. */
uint64_t marks_get(const struct marks *marks, const uint8_t *journal, const char *topic);
bool marks_has(const struct marks *marks, const uint8_t *journal, const char *topic);

/* The highest mark that stands for this topic or prefix, 0: none. */
uint64_t marks_floor(const struct marks *marks, const uint8_t *journal, const char *topic);

/* True when there is a mark on a topic below this prefix, not on itself. */
bool marks_below(const struct marks *marks, const uint8_t *journal, const char *prefix);

/* A mark out of its parts. */
struct assay_client_cursor mark_of(const uint8_t *journal, const char *topic, uint64_t seq);

#endif

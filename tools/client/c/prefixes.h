/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subscriptions of a client: prefixes of topics, none covered by another, with or without
 * simulated instruments.
 */
#ifndef ASSAY_CLIENT_PREFIXES_H
#define ASSAY_CLIENT_PREFIXES_H

#include <assay/record.h>

/* Each is a subscription message; too many at once can be lost after a reconnect. */
#define PREFIXES_MAX 64
#define PREFIX_HEAD  "a1/head/"

struct prefixes {
	char names[PREFIXES_MAX][ASSAY_TOPIC_MAX + 1];
	size_t count;
	bool simulated;
	size_t bad; /* of a failed prefixes_init(): which name */
};

/*
 * Copies `count` names, or "a1/data/" if there are none; with `simulated` also their twins
 * a1/sim-....  Returns 0, or -EINVAL: a name is not a prefix of topics, or names simulated
 * instruments without `simulated`, or there are too many.
 */
int prefixes_init(
	struct prefixes *prefixes, const char *const *names, size_t count, bool simulated);

/* The index of the prefix that covers this topic; -1: the topic is not wanted. */
int prefixes_find(const struct prefixes *prefixes, struct assay_string topic);

/* True if `text` starts with `prefix`. */
bool prefix_covers(const char *prefix, struct assay_string text);

#endif

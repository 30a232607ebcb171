/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client subscribes to: prefixes of topics, none covered by another, and whether simulated
 * instruments are meant, too.
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
};

/*
 * Takes copies of `count` names, or "a1/data/" when there are none; with `simulated` also their
 * twins a1/sim-....  Returns 0, or -EINVAL for a name that is not a prefix of topics, that names
 * simulated instruments without `simulated`, or when there are too many.
 */
int prefixes_init(
	struct prefixes *prefixes, const char *const *names, size_t count, bool simulated);

/* The prefix that covers this topic; -1: the topic is not wanted. */
int prefixes_find(const struct prefixes *prefixes, struct assay_string topic);

/* True when `text` begins with `prefix`. */
bool prefix_covers(const char *prefix, struct assay_string text);

#endif

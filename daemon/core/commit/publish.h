/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live socket: every committed entry on its topic, and the heartbeat that tells consumers up
 * to where they should have heard of everything.
 *
 * Threads: opened by the main thread, then used by the commit thread alone, closed by the main
 * thread once that one has ended.
 */
#ifndef ASSAY_CORE_COMMIT_PUBLISH_H
#define ASSAY_CORE_COMMIT_PUBLISH_H

#include <stdint.h>

struct commit_item;
struct journal;
struct publisher;

/*
 * Binds a PUB socket of `context` to `endpoint`.  `head_topic` (copied) is where the heartbeat
 * goes.  Returns owned through `out`, or a negative errno, -EADDRINUSE for one.
 */
int publisher_open(
	struct publisher **out, void *context, const char *endpoint, const char *head_topic);

/* NULL is legal. */
void publisher_close(struct publisher *publisher);

/* Sends topic and entry, taking one reference of the item.  Never blocks: PUB drops instead. */
void publisher_send(struct publisher *publisher, struct commit_item *item);

/* CLOCK_BOOTTIME at which publisher_beat() has something to send. */
uint64_t publisher_due(const struct publisher *publisher);

/* Sends the heartbeat when it is due: every second, and 100 ms after the last entry. */
void publisher_beat(struct publisher *publisher, const struct journal *journal);

#endif
